import { CannotTell, type Wrong } from '../../check.ts';
import type { Component } from './components.ts';
import { lifecycleRemedy, type Reason } from './lifecycle-remedy.ts';
import { compareLines } from './versions.ts';

const dayMs = 86_400_000;

/** A line's support: its last day, `ended` or `open`. */
export type End = string | undefined;

interface Limits {
  readonly now: Date;
  readonly warnDays: number;
  readonly minVersion: string | undefined;
}

type Problem = Wrong<Reason>;

/** What is wrong with a component, worst first. Throws a {@link CannotTell} `not_in_table` for a line without an end. */
export function lifecycleProblems(component: Component, end: End, limits: Limits): readonly Problem[] {
  const problems = [
    incompatibility(component),
    ...supportProblems(component, end, limits),
    belowMinimum(component, limits.minVersion),
  ];
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length === 0 && end === undefined) throw notInTable(component);
  return [
    ...found.filter(({ status }) => status === 'fail'),
    ...found.filter(({ status }) => status === 'warn'),
  ];
}

const notInTable = ({ name, product, line }: Component): CannotTell =>
  new CannotTell('not_in_table', `How long ${name} is supported is not known here`, {
    remedy: `Update this module, or add it to checks.runtimeLifecycle.dates of the policy: "${product} ${line ?? 'VERSION'}": "YYYY-MM-DD"`,
  });

function supportProblems(component: Component, end: End, { now, warnDays }: Limits): (Problem | undefined)[] {
  if (end === undefined || end === 'open') return [];
  const { name } = component;
  if (end === 'ended') {
    const message = `${name} is no longer supported`;
    return [
      { status: 'fail', reason: 'end_of_life', message, remedy: lifecycleRemedy('end_of_life', component) },
    ];
  }
  // The last day is still supported, wherever it ends last.
  const days = Math.floor((lastMoment(end) - now.getTime()) / dayMs);
  if (days < 0) {
    const message = `${name} is no longer supported since ${end}`;
    return [
      { status: 'fail', reason: 'end_of_life', message, remedy: lifecycleRemedy('end_of_life', component) },
    ];
  }
  if (days > warnDays) return [];
  const message = `${name} is supported for ${days === 1 ? '1 more day' : `${days} more days`}, until ${end}`;
  return [{ status: 'warn', reason: 'ends_soon', message, remedy: lifecycleRemedy('ends_soon', component) }];
}

/** The end of a day in UTC. */
const lastMoment = (day: string): number => Date.parse(day) + dayMs;

function belowMinimum(component: Component, minVersion: string | undefined): Problem | undefined {
  const { product, line, name } = component;
  if (minVersion === undefined || line === undefined || (product !== 'iotedge' && product !== 'eflow'))
    return undefined;
  if (compareLines(line, minVersion) >= 0) return undefined;
  return {
    status: 'fail',
    reason: 'below_minimum',
    message: `${name} is older than ${minVersion}, the oldest that the policy allows`,
    remedy: lifecycleRemedy('below_minimum', component),
  };
}

/** aziot-edged asks in version 1.34 of the engine's API up to 1.5, and in 1.41 since 1.6 (edgelet/docker-rs, PR 7510). */
const edgedApi = (line: string): number => (compareLines(line, '1.5') <= 0 ? 34 : 41);

/** The oldest version of its API that an engine answers: 40 since 29.3, 44 in 29.0 to 29.2, 24 since 25, 12 before (moby). */
function oldestApi(engineVersion: string): number {
  const [major = 0, minor = 0] = engineVersion
    .replace(/^v/, '')
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  if (major >= 29) return major > 29 || minor >= 3 ? 40 : 44;
  return major >= 25 ? 24 : 12;
}

function incompatibility(component: Component): Problem | undefined {
  const { version, daemonLine } = component.engine ?? {};
  if (version === undefined || daemonLine === undefined) return undefined;
  if (oldestApi(version) <= edgedApi(daemonLine)) return undefined;
  return {
    status: 'fail',
    reason: 'engine_incompatible',
    message: `The container engine ${version} answers no API before 1.${oldestApi(version)}, and IoT Edge ${daemonLine} asks in 1.${edgedApi(daemonLine)}: modules will not start`,
    remedy: lifecycleRemedy('engine_incompatible', component),
  };
}
