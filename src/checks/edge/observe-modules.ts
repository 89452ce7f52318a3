import type { EdgeModule, EdgeModules } from '../../host/edge/types.ts';
import { isStop } from './exit-code.ts';
import type { Restart, WatchedModule, WatchedModules } from './watched-module.ts';

/** What the policy says about watching. */
export interface Watching {
  readonly expected: readonly string[];
  readonly windowSeconds: number;
}

/**
 * edgeAgent waits at most 300 s before it starts a module again, and looks every 5 s (RestartPolicyManager.cs). A minute more
 * for a slow start.
 */
export const longestBackOffSeconds = 360;

// edgeAgent tries 20 times within 80 minutes. So many of them are seen even where the check runs once in a quarter of an hour.
const fewestTries = 5;
const triesSeconds = 90 * 60;
// Clocks that differ by less have not been set in between.
const steadySeconds = 5;
const maxRestarts = 100;

/**
 * What is known after one more listing; `before` itself where it is of the same listing. Time passes by the machine's uptime, so
 * that a step of the clock changes nothing.
 *
 * @param instances of the metrics pages that could be read, by module
 */
export function observeModules(
  before: WatchedModules | undefined,
  listing: EdgeModules,
  instances: ReadonlyMap<string, string>,
  watching: Watching,
): WatchedModules {
  const listedAt = listing.listedAt.getTime();
  const uptime = Math.round(listing.uptimeSeconds);
  if (before?.listedAt === listedAt && before.uptime === uptime) return before;
  const earlier = before && sinceReboot(before, listing);
  const isSteady =
    earlier !== undefined &&
    Math.abs((listedAt - earlier.listedAt) / 1000 - (uptime - earlier.uptime)) < steadySeconds;
  const look: Look = {
    listedAt,
    uptime,
    previous: earlier && { uptime: earlier.uptime, listedAt: isSteady ? earlier.listedAt : undefined },
    keepSeconds: Math.max(watching.windowSeconds, triesSeconds) + 600,
  };

  const modules = new Map<string, WatchedModule>();
  for (const module of listing.modules) {
    const instance = instances.get(module.name)?.slice(0, 64);
    modules.set(module.name, observe(earlier?.modules.get(module.name), module, instance, look));
  }
  for (const name of [...(earlier?.modules.keys() ?? []), ...watching.expected]) {
    if (modules.has(name)) continue;
    const missing = miss(earlier?.modules.get(name) ?? unseen, look);
    const isOver = uptime - (missing.lastSeen ?? uptime) > look.keepSeconds;
    if (!isOver || watching.expected.includes(name)) modules.set(name, missing);
  }
  return { listedAt, uptime, modules };
}

interface Look {
  readonly listedAt: number;
  readonly uptime: number;
  /** The look before; `listedAt` only where the clock was not set in between. */
  readonly previous: { readonly uptime: number; readonly listedAt: number | undefined } | undefined;
  readonly keepSeconds: number;
}

const unseen: WatchedModule = {
  version: '',
  state: 'unknown',
  wasRunning: false,
  restarts: [],
  gaveUp: false,
  rebooted: false,
  misses: 0,
};

/** What was known; where the machine was rebooted since, the next start of each module is marked as no restart. */
function sinceReboot(
  before: WatchedModules,
  { listedAt, uptimeSeconds, modules }: EdgeModules,
): WatchedModules {
  if (Math.round(uptimeSeconds) < before.uptime) return afterReboot(before);
  // The reboot may have been soon after the last look, or the clock was set; what still runs has not been rebooted.
  const bootedAt = listedAt.getTime() - uptimeSeconds * 1000;
  const runsOn = modules.some(
    ({ name, state, startedAt }) =>
      state === 'running' && startedAt?.getTime() === before.modules.get(name)?.startedAt,
  );
  if (bootedAt <= before.listedAt || runsOn) return before;
  const entries = [...before.modules].map(([name, module]) => [name, { ...module, rebooted: true }] as const);
  return { ...before, modules: new Map(entries) };
}

/** Moments of the earlier boot become negative: how long the machine was off does not count. */
function afterReboot({ listedAt, uptime, modules }: WatchedModules): WatchedModules {
  const shifted = (at: number | undefined) => (at === undefined ? undefined : at - uptime);
  const entries = [...modules].map(([name, module]): [string, WatchedModule] => [
    name,
    {
      ...module,
      rebooted: true,
      downSince: shifted(module.downSince),
      lastSeen: shifted(module.lastSeen),
      restarts: module.restarts.map((restart) => ({ ...restart, seenAt: restart.seenAt - uptime })),
    },
  ]);
  return { listedAt, uptime: 0, modules: new Map(entries) };
}

function miss(known: WatchedModule, { uptime, previous }: Look): WatchedModule {
  const lastSeen = known.misses === 0 ? previous?.uptime : known.lastSeen;
  return { ...known, misses: known.misses + 1, lastSeen: lastSeen ?? uptime };
}

function observe(
  known: WatchedModule | undefined,
  module: EdgeModule,
  instance: string | undefined,
  look: Look,
): WatchedModule {
  const version = `${(module.imageHash ?? module.image).slice(-24)} ${module.labelsHash}`;
  const startedAt = module.startedAt?.getTime();
  const wasRunning = known?.wasRunning === true || module.state === 'running';
  // An expected module that was not listed yet has no version.
  if (!known?.version)
    return { ...unseen, version, startedAt, wasRunning, ...downOf(undefined, module, look) };
  if (known.version !== version) {
    const downSince = module.state === 'running' ? undefined : look.uptime;
    return { ...unseen, version, startedAt, wasRunning, state: module.state, downSince };
  }
  const started = startedAt !== undefined && startedAt !== known.startedAt;
  // A container that was created again has not been started yet.
  const current = { startedAt: startedAt ?? known.startedAt, wasRunning, misses: 0, lastSeen: undefined };
  if (started) {
    const restart =
      known.startedAt === undefined || known.rebooted ? [] : [restartOf(known, module, startedAt, look)];
    return {
      ...known,
      ...current,
      ...downOf(known, module, look),
      restarts: recent([...known.restarts, ...restart], look),
      gaveUp: false,
      rebooted: false,
      instance: undefined,
      newInstance: undefined,
    };
  }
  const { restarts, ...instances } = observeInstance(known, instance, look);
  const next: WatchedModule = {
    ...known,
    ...current,
    ...downOf(known, module, look),
    ...instances,
    restarts: recent(restarts, look),
  };
  return { ...next, gaveUp: known.gaveUp || hasGivenUp(next, look) };
}

const recent = (restarts: readonly Restart[], { uptime, keepSeconds }: Look): readonly Restart[] =>
  restarts.filter(({ seenAt }) => uptime - seenAt <= keepSeconds).slice(-maxRestarts);

/** State, and since when it is not running. */
function downOf(
  known: WatchedModule | undefined,
  { state, startedAt, exit }: EdgeModule,
  { listedAt, uptime, previous }: Look,
): Pick<WatchedModule, 'state' | 'downSince' | 'exitCode'> {
  if (state === 'running') return { state, downSince: undefined, exitCode: known?.exitCode };
  if (state === 'unknown') return { state, downSince: known?.downSince, exitCode: known?.exitCode };
  const exitCode = exit?.code ?? known?.exitCode;
  const isSameRun = startedAt === undefined || startedAt.getTime() === known?.startedAt;
  if (known?.downSince !== undefined && isSameRun) return { state, downSince: known.downSince, exitCode };
  const ago = exit ? Math.max(0, (listedAt - exit.at.getTime()) / 1000) : 0;
  // Of a module seen for the first time, only the clock tells; of others, it does where it was not set since the last look.
  const believed = !known || (previous?.listedAt !== undefined && ago <= uptime - previous.uptime);
  return { state, downSince: uptime - (believed ? Math.round(Math.min(ago, uptime)) : 0), exitCode };
}

function restartOf(
  known: WatchedModule,
  { state, exit }: EdgeModule,
  startedAt: number,
  { uptime, previous }: Look,
): Restart {
  const wasDown = known.downSince !== undefined;
  // While it runs, the time of the exit is that of the run before.
  const exact = state === 'running' && exit ? (startedAt - exit.at.getTime()) / 1000 : -1;
  const seen = wasDown && previous ? previous.uptime - (known.downSince ?? 0) : undefined;
  return {
    seenAt: uptime,
    startedAt: Math.round(startedAt / 1000),
    pause: exact >= 0 ? Math.round(exact * 10) / 10 : seen,
    code: wasDown ? known.exitCode : undefined,
  };
}

/**
 * A component with a new instance has restarted. That its start had not been listed yet is seen at the next look, so it counts
 * only then.
 */
function observeInstance(
  known: WatchedModule,
  read: string | undefined,
  { listedAt, uptime }: Look,
): Pick<WatchedModule, 'instance' | 'newInstance' | 'restarts'> {
  const restarted = known.newInstance !== undefined;
  const instance = known.newInstance ?? known.instance ?? read;
  const restarts = restarted
    ? [...known.restarts, { seenAt: uptime, startedAt: Math.round(listedAt / 1000) }]
    : known.restarts;
  return { instance, newInstance: read === instance ? undefined : read, restarts };
}

function hasGivenUp({ state, downSince, exitCode, restarts }: WatchedModule, { uptime }: Look): boolean {
  if (state !== 'failed' || downSince === undefined || restarts.length < fewestTries) return false;
  // One that was killed after its crashes was stopped on purpose.
  const wasStopped = isStop(exitCode) && !restarts.some(({ code }) => code === exitCode);
  return !wasStopped && uptime - downSince > longestBackOffSeconds;
}
