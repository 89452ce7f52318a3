import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { checks } from './checks/index.ts';
import { connectCloud, createStoredHub, hubFacts, hubLink } from './cloud/cloud.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { never, within } from './deadline.ts';
import { describeError } from './errors.ts';
import { createCredentials } from './host/edge/credentials.ts';
import { createHost } from './host/index.ts';
import { routes } from './http/routes.ts';
import { serve } from './http/server.ts';
import type { Hub } from './hub/hub.ts';
import { createLog, type Log } from './log.ts';
import { openPolicyKeeper, type PolicyFile, type PolicyKeeper, readPolicyFile } from './policy/keeper.ts';
import { readRegularFile } from './read-file.ts';
import { type Agent, createAgent, type Sink } from './run/agent.ts';
import { policyOutcome } from './run/policy-outcome.ts';
import { schedule } from './run/schedule.ts';
import { createMetrics, type TargetIdentity } from './sinks/metrics.ts';
import { type CheckMemory, checkMemoryName, createCheckMemory } from './state/check-memory.ts';
import { loadFindings, saveFindings } from './state/findings.ts';
import { openStateFile, type StateFile } from './state/state-file.ts';
import { revision, version } from './version.ts';

// How long a module that has no saved policy waits for its twin before it starts with another.
const firstTwinSeconds = 10;
// An IoT Edge module is killed ten seconds after SIGTERM; we promise to stop within five.
const lastReportSeconds = 3;
const lastWriteSeconds = 1;
const caFileSeconds = 1;
const maxCaBytes = 1_048_576;
const heartbeatLookMs = 60_000;
// A year of writes is then nothing to a flash disk, and a power cut loses an hour at most.
const saveMemoryEveryMs = 3_600_000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const file = await openPolicyFile(config);
  const state = await openStateFile(config.stateDir);
  const memory = createCheckMemory({ now: () => new Date(), saved: state.get(checkMemoryName) });
  const host = createHost({
    ...config,
    memory,
    memoryProblem: state.problem,
    hubLink: () => hub && hubLink(hub.status()),
    watchHub: (onChange, signal) => hub?.watch(onChange, signal),
    policyOutcome: () => policyOutcome(keeper.inForce(), host.now()),
    alerts: () => hub && { source: `${config.module}/alerts`, lastAt: hub.sentAt() },
  });
  const log = createLog(config.logFormat, config.logLevel);
  log.info({ version, revision, mode: config.mode }, 'Starting');
  for (const warning of config.warnings) log.warn({}, warning);
  for (const path of config.caFiles) warnIfUnreadable(path, log);
  const stopping = stoppedBySignal(log);
  const problem = state.problem();
  if (problem) log.warn({ why: problem.message }, 'Starting without memory');

  const connected = config.mode === 'edge';
  const keeper = await openPolicyKeeper({ checks, file, state, connected, log, now: host.now });
  const credentials = createCredentials(process.env, host.now);
  const { transport } = config;
  const hub = connected ? createStoredHub({ credentials, transport, state, log, now: host.now }) : undefined;
  const agent = createAgent({
    checks,
    host,
    policy: keeper.inForce,
    identity: { version, startedAt: host.now().toISOString(), mode: config.mode },
    remembered: loadFindings(state),
    schedule,
    hub: () => (hub ? hubFacts(hub.status()) : { hub: 'none' }),
    onTrigger: (check, why) => log.info({ check, why }, 'Running ahead of schedule'),
  });
  keeper.subscribe(agent.policyChanged);
  const metrics = createMetrics({
    checks,
    build: { version, revision },
    identity: identityOf(config),
    where: config.metricsIdentity,
    total: (counter) => counter.total(host),
    hub: () => hub?.figures(),
    policyAcceptedAt: () => keeper.inForce().acceptedAt,
  });
  agent.subscribe({ ran: metrics.count });
  agent.subscribe(recorder(log, state, agent));

  const server = await listen(config, routes({ agent, metrics, device: config.names.device }), log);
  const cloud = hub && connectCloud({ hub, checks, keeper, agent, now: host.now });
  if (cloud && keeper.inForce().source !== 'saved') {
    const patience = within(firstTwinSeconds, stopping, () => cloud.firstTwin);
    await patience.catch(() => {
      if (!stopping.aborted) log.warn({}, 'Starting without the twin: it could not be read yet');
    });
  }
  if (!stopping.aborted) agent.start();
  const timers = [
    setInterval(() => cloud?.beat(), heartbeatLookMs),
    setInterval(() => state.set(checkMemoryName, memory.snapshot()), saveMemoryEveryMs),
  ];

  if (!stopping.aborted) await once(stopping, 'abort');
  for (const timer of timers) clearInterval(timer);
  await stop({ agent, keeper, server, hub, memory, state, log });
}

/** The order of stopping: no new results, then the last report, then the last write. */
async function stop(parts: {
  readonly agent: Agent;
  readonly keeper: PolicyKeeper;
  readonly server: Server;
  readonly hub: Hub | undefined;
  readonly memory: CheckMemory;
  readonly state: StateFile;
  readonly log: Log;
}): Promise<void> {
  const { agent, keeper, server, hub, memory, state, log } = parts;
  agent.stop();
  keeper.close();
  server.close();
  server.closeAllConnections();
  await within(lastReportSeconds, never, async (signal) => hub?.close(signal)).catch((error: unknown) =>
    log.warn({ err: error }, 'Stopped before all reports were sent'),
  );
  state.set(checkMemoryName, memory.snapshot());
  await within(lastWriteSeconds, never, state.flush).catch((error: unknown) =>
    log.warn({ err: error }, 'Stopped before everything was saved'),
  );
  log.info({}, 'Stopped');
}

async function openPolicyFile({ policyFile }: Config): Promise<PolicyFile | undefined> {
  try {
    return policyFile === undefined ? undefined : await readPolicyFile(policyFile);
  } catch (cause) {
    const allowed = 'a file that can be read, of 1 MiB at most';
    throw new ConfigError(`HARDENING_POLICY_FILE must be ${allowed}, got "${policyFile}"`, { cause });
  }
}

/** Connections and checks read it when they need it, and report it then. */
function warnIfUnreadable(path: string, log: Log): void {
  within(caFileSeconds, never, (signal) => readRegularFile(path, { maxBytes: maxCaBytes }, signal)).catch(
    (cause: unknown) => {
      const err = new Error(`${path} cannot be read`, { cause });
      log.warn({ err }, 'The CAs of a file are not trusted');
    },
  );
}

async function listen(config: Config, handlers: ReturnType<typeof routes>, log: Log): Promise<Server> {
  const { address, port, allowedHosts } = config;
  const onError = (error: unknown) => log.error({ err: error }, 'A request could not be answered');
  const server = await serve(handlers, { address, port, allowedHosts }, onError).catch((cause: unknown) => {
    throw new Error(`Could not listen on ${address} port ${port} (HARDENING_PORT)`, { cause });
  });
  const listening = server.address();
  log.info({ address, port: typeof listening === 'object' ? listening?.port : 0 }, 'Listening');
  return server;
}

/** edgeAgent's log filters find a failing device by level. */
const levels = {
  fail: 'error',
  warn: 'warn',
  unknown: 'warn',
  pass: 'info',
  skip: 'info',
  gone: 'info',
} as const;

/** Logs every change of status, and saves the findings for the next process. */
const recorder = (log: Log, state: StateFile, agent: Agent): Sink => ({
  ran({ result: { id }, changes }) {
    for (const { target, previous, finding } of changes) {
      const { status = 'gone', reason, message } = finding ?? {};
      const level = levels[status];
      log[level]({ check: id, target, previous: previous ?? 'none', status, reason, message }, 'Status');
    }
    if (changes.length > 0) saveFindings(state, agent.report());
  },
});

/** The labels edgeHub and edgeAgent use; `instance_number` distinguishes one process from the next. */
function identityOf({ names, module }: Config): TargetIdentity {
  if (!names.device) return {};
  const { iothub = '', device } = names;
  return { iothub, edge_device: device, module_name: module ?? '', instance_number: randomUUID() };
}

/**
 * Fires at SIGTERM, SIGINT or SIGHUP. A later one ends the process at once; within a second it is the same one twice, from the
 * terminal and from npm for instance.
 */
function stoppedBySignal(log: Log): AbortSignal {
  const stopping = new AbortController();
  let since = 0;
  for (const [name, number] of [
    ['SIGTERM', 15],
    ['SIGINT', 2],
    ['SIGHUP', 1],
  ] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) {
        if (performance.now() - since > 1000) process.exit(128 + number);
        return;
      }
      since = performance.now();
      log.info({ signal: name }, 'Stopping');
      stopping.abort(new Error(`${name} was received`));
    });
  }
  return stopping.signal;
}

const usage = `The agent (version ${version}) takes no arguments; environment variables configure it. See README, "Environment".
For a single run, and everything else on a command line: eflow-hardening --help
`;

// The reader of the log may go, a terminal for one; the agent goes on without.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const [argument] = process.argv.slice(2);
if (argument !== undefined) {
  const asked = ['--help', '-h', '--version'].includes(argument);
  process[asked ? 'stdout' : 'stderr'].write(asked ? usage : `Unknown argument ${argument}. ${usage}`);
  process.exitCode = asked ? 0 : 2;
} else {
  main().then(
    // Whatever is still open, such as a lookup that ignores its signal, must not delay the exit.
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`eflow-hardening: ${describeError(error)}\n`);
      process.exit(error instanceof ConfigError ? 2 : 1);
    },
  );
}
