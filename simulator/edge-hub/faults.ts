import { HttpError } from '../http.ts';
import { isObject } from '../json.ts';

const switches = {
  /** Answers to reported properties. `empty400` refuses as edgeHub does; `silent` takes no patch and says nothing. */
  reported: ['normal', 'empty400', 'silent'],
  /**
   * Answers to reading the twin. `offline` is edgeHub without the hub and with nothing stored: no `$version`.
   * `empty500` is edgeHub in trouble of its own: an empty 500 (HandleTwinOperationException in DeviceMessageHandler.cs).
   */
  twin: ['normal', 'offline', 'empty500', 'silent'],
  /** Refuses every new connection with CONNACK 5. Those already open stay. */
  rejectSas: [false, true],
  /** What new TLS handshakes are shown. Connections already open stay. */
  certificate: ['valid', 'expired', 'notYetValid', 'wrongName'],
  /** Drops the connections there are and refuses new ones at TCP. */
  down: [false, true],
} as const;

/** What is wrong on purpose, until it is set back. */
export type Faults = { readonly [Name in keyof typeof switches]: (typeof switches)[Name][number] };

/** Happen once, when set to true, and are not remembered. */
const oneShots = ['dropConnections', 'wipeSessions'] as const;

export interface FaultChange extends Partial<Faults> {
  /** Ends every MQTT connection; sessions stay. */
  readonly dropConnections?: boolean;
  /** A recreated edgeHub: every connection ends and every session is forgotten. */
  readonly wipeSessions?: boolean;
}

export const noFaults: Faults = {
  reported: 'normal',
  twin: 'normal',
  rejectSas: false,
  certificate: 'valid',
  down: false,
};

/** Reads a change of switches; 400 with what is allowed otherwise. */
export function parseFaults(body: unknown): FaultChange {
  if (!isObject(body)) throw new HttpError(400, 'The body must be an object of switches');
  for (const [name, value] of Object.entries(body)) {
    const values: readonly unknown[] | undefined = allowed.get(name);
    if (values === undefined) {
      throw new HttpError(400, `There is no switch "${name}"; there are ${[...allowed.keys()].join(', ')}`);
    }
    if (!values.includes(value)) {
      throw new HttpError(400, `${name} is ${JSON.stringify(value)}; it can be ${values.join(', ')}`);
    }
  }
  return body;
}

/** The switches with a change taken over. */
export const changed = (
  faults: Faults,
  { dropConnections, wipeSessions, ...switched }: FaultChange,
): Faults => ({
  ...faults,
  ...switched,
});

const allowed = new Map<string, readonly unknown[]>([
  ...Object.entries(switches),
  ...oneShots.map((name): [string, readonly unknown[]] => [name, [false, true]]),
]);
