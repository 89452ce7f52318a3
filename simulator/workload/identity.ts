/** Who the one module of this simulator is, and where it lives. */
export interface Identity {
  /** Host name of the (imagined) IoT hub. */
  readonly iothub: string;
  readonly deviceId: string;
  readonly moduleId: string;
  readonly generationId: string;
  /** Name the module knows edgeHub by; the server certificate is issued to it. */
  readonly gateway: string;
}

/** The module's id in MQTT and in metrics: `device/module`. */
export const clientIdOf = ({ deviceId, moduleId }: Identity): string => `${deviceId}/${moduleId}`;
