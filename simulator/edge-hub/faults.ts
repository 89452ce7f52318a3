import { HttpError } from '../http.ts';
import { isObject, unexpected } from '../json.ts';

const faultValues = {
  /**
   * Response to reported properties. `empty400`: rejected as edgeHub does it. `silent`: ignored, no response. `body429`:
   * rejected with a body, as IoT Hub does it without an edgeHub.
   */
  reported: ['normal', 'empty400', 'silent', 'body429'],
  /**
   * Response to reading the twin. `slow`: after `twinDelaySeconds`. `stored`: IoT Hub is unreachable, so edgeHub answers
   * from its store, also after `twinDelaySeconds`, and keeps reports and messages until IoT Hub is back. `offline`: as from
   * an edgeHub without IoT Hub and without a stored twin, no `$version`. `empty500`: an internal error of edgeHub
   * (HandleTwinOperationException in DeviceMessageHandler.cs). `malformed`: status 200 with JSON that is cut off.
   */
  twin: ['normal', 'slow', 'stored', 'offline', 'empty500', 'malformed', 'silent'],
  /**
   * What happens to a message. `unrouted`: acknowledged, dropped and counted, as by an edgeHub without a route for it.
   * `unacknowledged`: dropped without a PUBACK. `closes`: dropped, and the connection is closed, as by an edgeHub that cannot
   * store it.
   */
  messages: ['normal', 'unrouted', 'unacknowledged', 'closes'],
  /**
   * Response of the workload API. `slow`: after `workloadDelaySeconds`. `error`: status 500. `hangs`: none.
   * `malformed`: status 200 with `{}`.
   */
  workload: ['normal', 'slow', 'error', 'hangs', 'malformed'],
  /** Rejects new connections with CONNACK 5. Open connections stay. */
  rejectSas: [false, true],
  /** The certificate presented in new TLS handshakes. Open connections stay. */
  certificate: ['valid', 'expired', 'notYetValid', 'wrongName'],
  /** Closes all connections and the TCP port. */
  down: [false, true],
  /** Rejects new connections with CONNACK 3, as an edgeHub that has 100 clients. Open connections stay. */
  full: [false, true],
} as const;

/** The range of each numeric setting. The defaults are edgeHub's, except for `reportDelaySeconds`. */
const settingRanges = {
  /** How far edgeHub's clock is ahead of this machine's. Negative: it was set back. */
  clockOffsetSeconds: { min: -1e9, max: 1e9 },
  /** edgeHub's CloudOperationTimeoutSecs. */
  twinDelaySeconds: { min: 0, max: 3600 },
  workloadDelaySeconds: { min: 0, max: 3600 },
  /** How long after its acknowledgement a report reaches IoT Hub. edgeHub's ReportedPropertiesSyncFrequencySecs is 5. */
  reportDelaySeconds: { min: 0, max: 3600 },
  /** How long after subscribing a module receives the method calls that waited for it (InvokeMethodHandler.cs). */
  methodDelaySeconds: { min: 0, max: 3600 },
  /** The interval at which connections with an expired token are closed (ConnectionReauthenticator.cs). */
  reauthenticationSeconds: { min: 0.01, max: 3600 },
} as const;

type FaultValues = { readonly [Name in keyof typeof faultValues]: (typeof faultValues)[Name][number] };
type Settings = { readonly [Name in keyof typeof settingRanges]: number };

/** The injected faults and their settings. Each stays until it is changed. */
export type Faults = FaultValues & Settings;

/** Happen once when set to true, and are not stored. */
const oneShotFaults = ['dropConnections', 'wipeSessions', 'renewCertificate'] as const;

export interface FaultChange extends Partial<Faults> {
  /** Closes all MQTT connections and keeps everything else, as when edgeHub restarts. */
  readonly dropConnections?: boolean;
  /** Closes all connections and deletes all sessions, as when edgeHub is recreated. */
  readonly wipeSessions?: boolean;
  /** Issues a new server certificate, which restarts edgeHub (CertificateRenewal.cs): closes all connections. */
  readonly renewCertificate?: boolean;
  /** Pushes this text to the module in place of a patch of the desired properties. */
  readonly pushDesired?: string;
}

export const noFaults: Faults = {
  reported: 'normal',
  twin: 'normal',
  messages: 'normal',
  workload: 'normal',
  rejectSas: false,
  certificate: 'valid',
  down: false,
  full: false,
  clockOffsetSeconds: 0,
  twinDelaySeconds: 20,
  workloadDelaySeconds: 5,
  reportDelaySeconds: 0,
  methodDelaySeconds: 3,
  reauthenticationSeconds: 300,
};

/** Whether edgeHub is connected to IoT Hub. Otherwise it answers from its store, and keeps what it should send. */
export const isCloudReachable = ({ twin }: Faults): boolean => twin !== 'stored';

/** Parses a change of faults. Throws an {@link HttpError} 400 that lists the allowed names or values. */
export function parseFaults(body: unknown): FaultChange {
  if (!isObject(body)) throw unexpected('The body', 'a JSON object of faults', body);
  for (const [name, value] of Object.entries(body)) {
    const rule = rules.get(name);
    if (rule === undefined) {
      throw new HttpError(400, `Unknown fault "${name}". Available: ${[...rules.keys()].join(', ')}`);
    }
    if (!rule.allows(value)) throw unexpected(name, rule.allowed, value);
  }
  return body;
}

/** The faults after a change, without the one-shot faults. */
export const applyChange = (
  faults: Faults,
  { dropConnections, wipeSessions, renewCertificate, pushDesired, ...changed }: FaultChange,
): Faults => ({
  ...faults,
  ...changed,
});

interface Rule {
  readonly allowed: string;
  allows(value: unknown): boolean;
}

const oneOf = (values: readonly unknown[]): Rule => ({
  allowed: `one of ${values.join(', ')}`,
  allows: (value) => values.includes(value),
});

const numberBetween = ({ min, max }: { readonly min: number; readonly max: number }): Rule => ({
  allowed: `a number from ${min} to ${max}`,
  allows: (value) => typeof value === 'number' && value >= min && value <= max,
});

const rules = new Map<string, Rule>([
  ...Object.entries(faultValues).map(([name, values]): [string, Rule] => [name, oneOf(values)]),
  ...Object.entries(settingRanges).map(([name, range]): [string, Rule] => [name, numberBetween(range)]),
  ...oneShotFaults.map((name): [string, Rule] => [name, oneOf([false, true])]),
  ['pushDesired', { allowed: 'a text', allows: (value) => typeof value === 'string' }],
]);

/** What each fault and setting may be, in words. */
export const allowedFaults: Readonly<Record<string, string>> = Object.fromEntries(
  [...rules].map(([name, { allowed }]) => [name, allowed]),
);
