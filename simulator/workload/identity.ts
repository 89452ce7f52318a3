/** The identity of the simulator's only module. */
export interface Identity {
  /** The host name of the simulated IoT hub. */
  readonly iothub: string;
  readonly deviceId: string;
  readonly moduleId: string;
  readonly generationId: string;
  /** The host name of edgeHub, to which its server certificate is issued. */
  readonly gateway: string;
}

/** The module's id in MQTT and in metrics, `device/module`. */
export const clientIdOf = ({ deviceId, moduleId }: Identity): string => `${deviceId}/${moduleId}`;
