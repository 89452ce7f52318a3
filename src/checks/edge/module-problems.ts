import type { Wrong } from '../../check.ts';
import { shellQuote } from '../../shell-quote.ts';
import { couldNotStart, describeExit, isStop } from './exit-code.ts';
import { endsByItself, findCause, findMissing, removeDead, startAgain } from './module-remedy.ts';
import { longestBackOffSeconds } from './observe-modules.ts';
import type { Restart, WatchedModule } from './watched-module.ts';

/** Everything that can be wrong with a module, the most important first. */
export const moduleReasons = ['dead', 'gave_up', 'restart_loop', 'failed', 'stopped', 'missing'] as const;
/** One of {@link moduleReasons}. */
export type ModuleReason = (typeof moduleReasons)[number];

/** A module, with what the policy says about it. */
export interface JudgedModule {
  readonly name: string;
  readonly module: WatchedModule;
  /** Those that count. */
  readonly restarts: readonly Restart[];
  /** Of the last listing. */
  readonly uptime: number;
  readonly isExpected: boolean;
}

/** The policy's limits. */
export interface RestartLimits {
  readonly restartsWarn: number;
  readonly restartsFail: number;
  readonly windowMinutes: number;
}

type Problem = Wrong<ModuleReason>;

const stoppedSeconds = 300;
// edgeAgent starts a module that ended without an error within 10 s, and aziot-edged starts edgeAgent within 60 s. One that was
// killed has its back-off.
const expectedStoppedSeconds = 120;

/** What is wrong with a module, in the order of {@link moduleReasons}. */
export function moduleProblems(judged: JudgedModule, limits: RestartLimits): readonly Problem[] {
  const { name, module, isExpected } = judged;
  if (isMissing(module)) {
    const message = `${name} is expected, but not in the list of modules`;
    return isExpected ? [{ status: 'fail', reason: 'missing', message, remedy: findMissing }] : [];
  }
  const problems = [
    dead(judged),
    gaveUp(judged),
    restartLoop(judged, limits),
    failed(judged),
    stopped(judged),
  ];
  return problems.filter((problem) => problem !== undefined);
}

/** One listing may lack a module that is there, so one does not count. */
export const isMissing = ({ misses }: WatchedModule): boolean => misses >= 2;

/** For how many seconds a module has not been running, as far as it was seen. */
export const downSeconds = ({
  module: { downSince, lastSeen },
  uptime,
}: Pick<JudgedModule, 'module' | 'uptime'>): number =>
  downSince === undefined ? 0 : (lastSeen ?? uptime) - downSince;

/** `45 s`, from two minutes on `12 min`, from two hours on `5 h`. */
export const inWords = (seconds: number): string =>
  seconds < 120
    ? `${Math.round(seconds)} s`
    : seconds < 7200
      ? `${Math.floor(seconds / 60)} min`
      : `${Math.floor(seconds / 3600)} h`;

function dead({ name, module }: JudgedModule): Problem | undefined {
  if (module.state !== 'dead') return undefined;
  return {
    status: 'fail',
    reason: 'dead',
    message: `${name} is dead: the container engine could not remove its container`,
    remedy: removeDead(name),
  };
}

function gaveUp(judged: JudgedModule): Problem | undefined {
  const { name, module } = judged;
  if (!module.gaveUp || module.state === 'running') return undefined;
  const after = module.exitCode === undefined ? '' : `, last with ${describeExit(module.exitCode)}`;
  return {
    status: 'fail',
    reason: 'gave_up',
    message: `${name} crashed again and again${after}, and has not been started for ${inWords(downSeconds(judged))}: edgeAgent gave up, as it does after 20 tries`,
    remedy: `${findCause(name, module.exitCode)}. Correct the cause, ${startAgain(name)}`,
  };
}

function restartLoop(
  { name, module, restarts }: JudgedModule,
  { restartsWarn, restartsFail, windowMinutes }: RestartLimits,
): Problem | undefined {
  const count = restarts.length;
  if (count < restartsWarn) return undefined;
  const code = restarts.findLast((restart) => restart.code !== undefined)?.code ?? module.exitCode;
  const isInvisible = isInvisibleLoop(name, restarts);
  return {
    status: count >= restartsFail ? 'fail' : 'warn',
    reason: 'restart_loop',
    message: `${name} restarted at least ${times(count)} within ${windowMinutes} min${isInvisible ? invisible : visible(name, code)}`,
    remedy: isInvisible ? endsByItself(name) : findCause(name, code),
  };
}

/** `once`, `3 times` */
export const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

const invisible =
  ', each time at once after it had ended without an error: edgeAgent starts it every 5 s, for ever, and does not count that';

function visible(name: string, code: number | undefined): string {
  const after =
    code === undefined ? '; the exit code was not seen' : `, last seen after ${describeExit(code)}`;
  return name === 'edgeAgent' || isStop(code)
    ? after
    : `${after}; edgeAgent gives up after 20 tries without 10 min of running`;
}

// The first back-off is 10 s; without one, edgeAgent starts a module at its next look, 5 s later at most.
const shortestBackOff = 10;

/**
 * A module that ends with code 0 under `on-failure` or `on-unhealthy` is started again at each look of edgeAgent, without
 * back-off and uncounted. edgeAgent itself is started by aziot-edged.
 */
function isInvisibleLoop(name: string, restarts: readonly Restart[]): boolean {
  const codes = restarts.flatMap(({ code }) => code ?? []);
  const pauses = restarts.flatMap(({ pause }) => pause ?? []);
  const isSeen = codes.length > 0 || pauses.length >= 3;
  return (
    name !== 'edgeAgent' &&
    isSeen &&
    codes.every((code) => code === 0) &&
    pauses.every((pause) => pause < shortestBackOff)
  );
}

function failed(judged: JudgedModule): Problem | undefined {
  const { name, module } = judged;
  const seconds = downSeconds(judged);
  if (!hasFailed(module) || seconds <= longestBackOffSeconds) return undefined;
  const how = module.exitCode === undefined ? '' : ` with ${describeExit(module.exitCode)}`;
  return {
    status: 'fail',
    reason: 'failed',
    message: `${name} failed${how} and has not been started again for ${inWords(seconds)}`,
    remedy: `${findCause(name, module.exitCode)}. Correct the cause, ${startAgain(name)}`,
  };
}

const hasFailed = ({ state, exitCode }: WatchedModule): boolean =>
  (state === 'failed' && !isStop(exitCode)) || (state === 'stopped' && couldNotStart(exitCode));

function stopped(judged: JudgedModule): Problem | undefined {
  const { name, module, isExpected } = judged;
  const isStopped = (module.state === 'stopped' || module.state === 'failed') && !hasFailed(module);
  const enough = isExpected && module.state === 'stopped' ? expectedStoppedSeconds : stoppedSeconds;
  const seconds = downSeconds(judged);
  if (!isStopped || seconds < enough || !(isExpected || module.wasRunning)) return undefined;
  const how = module.exitCode === undefined ? '' : `, with ${describeExit(module.exitCode)}`;
  return {
    status: isExpected ? 'fail' : 'warn',
    reason: 'stopped',
    message: `${name} has been stopped for ${inWords(seconds)}${how}`,
    remedy: `Read why in its log, \`sudo iotedge logs ${shellQuote(name)} --tail 100\`, and start it: \`sudo iotedge restart ${shellQuote(name)}\`. If it was stopped on purpose, an exception in the policy says so`,
  };
}
