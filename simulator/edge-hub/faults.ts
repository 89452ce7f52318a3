import { HttpError } from '../http.ts';
import { isObject } from '../json.ts';

const faultValues = {
  /** Response to reported properties. `empty400`: rejected as edgeHub does it. `silent`: ignored, no response. */
  reported: ['normal', 'empty400', 'silent'],
  /**
   * Response to reading the twin. `offline`: as from an edgeHub without a hub and without a stored twin, no `$version`.
   * `empty500`: an internal error of edgeHub (HandleTwinOperationException in DeviceMessageHandler.cs).
   */
  twin: ['normal', 'offline', 'empty500', 'silent'],
  /** Rejects new connections with CONNACK 5. Open connections stay. */
  rejectSas: [false, true],
  /** The certificate presented in new TLS handshakes. Open connections stay. */
  certificate: ['valid', 'expired', 'notYetValid', 'wrongName'],
  /** Closes all connections and the TCP port. */
  down: [false, true],
} as const;

/** The injected faults. Each stays until it is changed. */
export type Faults = { readonly [Name in keyof typeof faultValues]: (typeof faultValues)[Name][number] };

/** Triggered once when set to true, and not stored. */
const oneShotFaults = ['dropConnections', 'wipeSessions'] as const;

export interface FaultChange extends Partial<Faults> {
  /** Closes all MQTT connections and keeps the sessions. */
  readonly dropConnections?: boolean;
  /** Closes all connections and deletes all sessions, as when edgeHub is recreated. */
  readonly wipeSessions?: boolean;
}

export const noFaults: Faults = {
  reported: 'normal',
  twin: 'normal',
  rejectSas: false,
  certificate: 'valid',
  down: false,
};

/** Parses a change of faults. Throws an {@link HttpError} 400 that lists the allowed names or values. */
export function parseFaults(body: unknown): FaultChange {
  if (!isObject(body)) throw new HttpError(400, 'The body must be a JSON object of faults');
  for (const [name, value] of Object.entries(body)) {
    const values: readonly unknown[] | undefined = allowedValues.get(name);
    if (values === undefined) {
      throw new HttpError(400, `Unknown fault "${name}". Available: ${[...allowedValues.keys()].join(', ')}`);
    }
    if (!values.includes(value)) {
      throw new HttpError(400, `${name} must be one of ${values.join(', ')}, got ${JSON.stringify(value)}`);
    }
  }
  return body;
}

/** The faults after a change, without the one-shot faults. */
export const applyChange = (
  faults: Faults,
  { dropConnections, wipeSessions, ...changed }: FaultChange,
): Faults => ({
  ...faults,
  ...changed,
});

const allowedValues = new Map<string, readonly unknown[]>([
  ...Object.entries(faultValues),
  ...oneShotFaults.map((name): [string, readonly unknown[]] => [name, [false, true]]),
]);
