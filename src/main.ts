import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { type Agent, createAgent } from './agent.ts';
import { checks } from './checks/index.ts';
import { createCloud } from './cloud.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { never, within } from './deadline.ts';
import { describeError } from './errors.ts';
import { createClockWatch } from './host/clock-watch.ts';
import { createHistory } from './host/history.ts';
import { hostFor } from './host-for.ts';
import { serve } from './http.ts';
import { createLog, type Log } from './log.ts';
import { openMemory } from './memory.ts';
import { openPolicyKeeper } from './policy-keeper.ts';
import { historyName, keepForLater, recall } from './remembered.ts';
import { routes } from './routes.ts';
import { schedule } from './schedule.ts';
import { createMetrics, type TargetIdentity } from './sinks/metrics.ts';
import { revision, version } from './version.ts';
import type { Ran } from './watch.ts';

// How long a module that has no saved policy waits for its twin before it starts with another.
const firstTwinSeconds = 10;
// An IoT Edge module is killed ten seconds after SIGTERM; the promise is five.
const lastWordsSeconds = 3;
const lastWriteSeconds = 1;
const heartbeatLookMs = 60_000;
// A year of writes is then nothing to a flash disk, and no more than an hour is lost to a power cut.
const historyEveryMs = 3_600_000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const memory = await openMemory(config.stateDir);
  const history = createHistory({ now: () => new Date(), saved: memory.get(historyName) });
  const clockWatch = createClockWatch(({ kind, seconds }) => {
    log.warn({ seconds }, kind === 'stepped' ? 'The clock was set' : 'The machine slept');
    agent.look(['clockDrift']);
  });
  const { events: clockEvents } = clockWatch;
  const host = hostFor(config, { memoryProblem: memory.problem, clockEvents, history });
  const log = createLog(config.logFormat, config.logLevel);
  log.info({ version, revision, mode: config.mode }, 'Starting');
  const stopping = onSignal(log);

  const forgetful = memory.problem();
  if (forgetful) log.warn({ why: forgetful.message }, 'Starting without memory');
  const connected = config.mode === 'edge';
  const keeper = await openPolicyKeeper({
    checks,
    file: config.policyFile,
    memory,
    connected,
    log,
    now: host.now,
    onChange: (next) => agent.adopt(next),
  }).catch((cause: unknown) => {
    throw new ConfigError(
      `HARDENING_POLICY_FILE is "${config.policyFile}", allowed is a file that can be read, of 1 MiB at most`,
      { cause },
    );
  });
  const metrics = createMetrics(checks, { version, revision }, identity(config), config.metricsIdentity);
  const cloud = connected
    ? createCloud({ checks, keeper, memory, log, now: host.now, agent: () => agent })
    : undefined;
  const count = ({ result: { id, findings }, transitions }: Ran) =>
    metrics.count(
      id,
      findings.flatMap(({ reason }) => reason ?? []),
      transitions,
    );
  const keep = ({ result: { id }, changes }: Ran) => {
    for (const { target, previous, finding } of changes) {
      log.info(
        { check: id, target, previous: previous ?? 'none', status: finding?.status ?? 'gone' },
        'Status',
      );
    }
    if (changes.length > 0) keepForLater(memory, agent.report());
  };
  const agent: Agent = createAgent({
    checks,
    host,
    policy: keeper.inForce(),
    identity: { version, startedAt: host.now().toISOString(), mode: config.mode },
    remembered: recall(memory),
    schedule,
    hubState: () => cloud?.hub.state() ?? 'none',
    sinks: [{ ran: count }, { ran: keep }, ...(cloud ? [cloud.sink] : [])],
  });

  const { device } = config.names;
  const hubFigures = () => cloud?.hub.figures();
  const handlers = routes({ agent, keeper, metrics, device, clockWatch, hubFigures });
  const onError = (error: unknown) => log.error({ err: error }, 'A request could not be answered');
  const server = await serve(handlers, config.address, config.port, onError).catch((cause: unknown) => {
    throw new Error(`Could not listen on ${config.address} port ${config.port} (HARDENING_PORT)`, { cause });
  });
  log.info({ address: config.address, port: listeningPort(server) }, 'Listening');

  cloud?.hub.start();
  if (cloud && keeper.inForce().source !== 'saved') {
    const patience = within(firstTwinSeconds, stopping, () => cloud.firstTwin);
    await patience.catch(() => log.warn({}, 'Starting without having read the twin'));
  }
  if (!stopping.aborted) {
    agent.start();
    clockWatch.start();
  }
  const heartbeat = setInterval(() => cloud?.tell(false), heartbeatLookMs);
  const keepHistory = () => memory.set(historyName, history.snapshot());
  const historian = setInterval(keepHistory, historyEveryMs);

  await new Promise((resolve) => {
    if (stopping.aborted) resolve(undefined);
    else stopping.addEventListener('abort', resolve);
  });
  clearInterval(heartbeat);
  clearInterval(historian);
  clockWatch.stop();
  agent.stop();
  keeper.close();
  server.close();
  server.closeAllConnections();
  await within(lastWordsSeconds, never, async (signal) => cloud?.hub.close(signal)).catch((error: unknown) =>
    log.warn({ err: error }, 'Could not say everything'),
  );
  keepHistory();
  await within(lastWriteSeconds, never, memory.flush).catch((error: unknown) =>
    log.warn({ err: error }, 'Could not save everything'),
  );
  log.info({}, 'Stopped');
}

/** The labels edgeHub and edgeAgent use; `instance_number` tells one process from the next. */
function identity({ names, module }: Config): TargetIdentity {
  if (!names.device) return {};
  const { iothub = '', device } = names;
  return { iothub, edge_device: device, module_name: module ?? '', instance_number: randomUUID() };
}

/**
 * Fires at SIGTERM or SIGINT. A later one ends the process where it stands; within a second it is the same one come
 * twice, from the terminal and from npm for instance.
 */
function onSignal(log: Log): AbortSignal {
  const stopping = new AbortController();
  let since = 0;
  for (const [name, number] of [
    ['SIGTERM', 15],
    ['SIGINT', 2],
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

function listeningPort(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

main().then(
  // Whatever is still open, a look-up that ignores its signal for instance, holds nobody up.
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`eflow-hardening: ${describeError(error)}\n`);
    process.exit(error instanceof ConfigError ? 2 : 1);
  },
);
