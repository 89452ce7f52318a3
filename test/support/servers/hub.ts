import { afterEach, beforeEach, onTestFinished } from 'vitest';
import type { JsonObject } from '../../../simulator/json.ts';
import { describeError } from '../../../src/errors.ts';
import { createCredentials } from '../../../src/host/edge/credentials.ts';
import { createHub, type HubHandlers, type HubOptions, type HubTimings } from '../../../src/hub/hub.ts';
import type { Json } from '../../../src/hub/merge-patch.ts';
import { createOpenSession } from '../../../src/hub/mqtt/open-session.ts';
import type { OpenSession } from '../../../src/hub/session.ts';
import { eventually, simulated } from './simulator.ts';

/** Sets environment variables until the test ends. They are read each time a session is opened. */
export function withEnvironment(variables: Readonly<Record<string, string>>): void {
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    set(name, value);
    onTestFinished(() => set(name, before));
  }
}

/** Opens sessions over MQTT, with credentials from the environment. */
export const openSession: OpenSession = createOpenSession({
  credentials: createCredentials(process.env, () => new Date()),
  transport: 'mqtt',
  log: { warn: () => {} },
});

const longTimings = { lateMessage: 15, renew: 2700, reread: 900, rereadUnknown: 30 };

/** Deadlines for tests in which one has to pass. */
export const shortTimings: HubTimings = { open: 5, read: 0.3, report: 0.3, close: 0.5, ...longTimings };

/** For the other tests, so that a busy machine does not look like an unresponsive hub. */
export const patientTimings: HubTimings = { open: 15, read: 15, report: 15, close: 1, ...longTimings };

export type Given = { [K in keyof (HubOptions & HubHandlers)]?: (HubOptions & HubHandlers)[K] };

/** A started hub on the real SDK, its log and the desired properties it received. Closed when the test ends. */
export function startedHub({ methods = {}, onDesired, ...options }: Given = {}) {
  const logged: { readonly level: string; readonly text: string; readonly error: string }[] = [];
  const documents: Json[] = [];
  const at = (level: string) => (fields: object, text: string) => {
    const error = 'err' in fields ? describeError(fields.err) : '';
    logged.push({ level, text, error });
  };
  const hub = createHub({
    open: openSession,
    log: { info: at('info'), warn: at('warn'), error: at('error') },
    // No wait between attempts.
    random: () => 0,
    now: () => new Date('2026-11-21T20:30:00Z'),
    timings: patientTimings,
    keys: ['a', 'b', 'summary', 'checks', 'heartbeat', 'first', 'last'],
    summarise: (leftOut) => ({ output: 'alerts', body: { leftOut }, properties: {} }),
    ...options,
  });
  onTestFinished(() => hub.close(AbortSignal.abort()));
  hub.start({ methods, onDesired: onDesired ?? ((document) => void documents.push(document)) });
  return { ...hub, state: () => hub.status().state, logged, documents };
}

/** A new simulator with these desired properties for each test of a file, and hubs that connect to it. */
export function deviceForEach(desired: JsonObject) {
  let simulator: Awaited<ReturnType<typeof simulated>>;
  beforeEach(async () => {
    simulator = await simulated({ desired });
  });
  afterEach(() => simulator.close());

  function hubOf(given?: Given) {
    withEnvironment(simulator.environment);
    return startedHub(given);
  }

  /** A hub whose connection is open. */
  async function connectedHub(given?: Given) {
    const hub = hubOf(given);
    await eventually(hub.state).toBe('connected');
    return hub;
  }

  return {
    simulator: () => simulator,
    set: (change: Parameters<typeof simulator.edgeHub.setFaults>[0]) => simulator.edgeHub.setFaults(change),
    counters: () => simulator.edgeHub.counters(),
    reported: () => simulator.edgeHub.twin().reported,
    hubOf,
    connectedHub,
  };
}

/** The logged error of each failed attempt to connect, and of each session that ended. */
export const connectionErrors = ({ logged }: Pick<ReturnType<typeof startedHub>, 'logged'>): string[] =>
  logged
    .filter(({ text }) => ['No connection to edgeHub', 'The session with edgeHub ended'].includes(text))
    .map(({ error }) => error);
