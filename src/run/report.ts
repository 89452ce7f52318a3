import { type Status, statuses } from '../check.ts';
import type { PolicyInForce, PolicyState } from '../policy/in-force.ts';
import type { ConfirmedFinding } from './confirm.ts';
import { countExceptions, type ExceptionCounts } from './exceptions.ts';

/** The complete state of the agent, the same object for every sink. It serialises to JSON as it is. */
export interface Report {
  readonly generatedAt: string;
  readonly agent: AgentState;
  readonly policy: PolicyState & { readonly exceptions: ExceptionCounts };
  readonly summary: Summary;
  /** By check id, in the order of the registry. A check that has not run yet is absent. */
  readonly checks: Readonly<Record<string, CheckReport>>;
}

/** The agent itself. Moments are ISO 8601, here and below. */
export interface AgentState {
  readonly version: string;
  readonly startedAt: string;
  readonly mode: 'edge' | 'standalone';
  readonly hub: HubState;
  /** Since when the hub is in that state; absent for `none`. */
  readonly hubSince?: string;
  /** Why there is no connection, or what is wrong with it, in a sentence. */
  readonly hubProblem?: string;
}

/** `offline`: the connection was lost or refused, and is retried. `none`: there is no hub to connect to. */
export type HubState = 'connected' | 'connecting' | 'offline' | 'none';

/** How many checks have each status, and how many problems there are. */
export interface Summary extends Readonly<Record<Status, number>> {
  /** The worst status of any check. */
  readonly status: Status;
  /** Findings that warn or fail. */
  readonly problems: number;
  /** Checks that have not run yet. */
  readonly pending: readonly string[];
}

/** One check: its worst status, since when, and its findings in the order of its subjects. */
export interface CheckReport {
  readonly title: string;
  readonly status: Status;
  readonly since: string;
  readonly lastRun: string;
  readonly durationSeconds: number;
  readonly findings: readonly ConfirmedFinding[];
}

/** The worst of some statuses: fail > warn > unknown > pass > skip; `skip` for none. */
export const worst = (some: readonly Status[]): Status =>
  statuses.findLast((status) => some.includes(status)) ?? 'skip';

/** The report of some checks. `pending` are those that have not run yet. */
export function assemble(
  agent: AgentState,
  { source, version, accepted, problems, policy }: PolicyInForce,
  checks: Report['checks'],
  pending: readonly string[],
  now: Date,
): Report {
  const exceptions = countExceptions(policy.exceptions, checks, now);
  return {
    generatedAt: now.toISOString(),
    agent,
    policy: { source, version, accepted, problems, note: policy.note, exceptions },
    summary: summarise(checks, pending),
    checks,
  };
}

/** Counts checks by status, and their problems. `pending` are the checks that have not run yet. */
export function summarise(
  checks: Readonly<Record<string, Pick<CheckReport, 'status' | 'findings'>>>,
  pending: readonly string[] = [],
): Summary {
  const all = Object.values(checks).map(({ status }) => status);
  const count = (status: Status) => all.filter((each) => each === status).length;
  const isProblem = ({ status }: ConfirmedFinding) => status === 'warn' || status === 'fail';
  return {
    status: worst(all),
    pass: count('pass'),
    warn: count('warn'),
    fail: count('fail'),
    unknown: count('unknown'),
    skip: count('skip'),
    problems: Object.values(checks).reduce((sum, { findings }) => sum + findings.filter(isProblem).length, 0),
    pending,
  };
}

/** Findings by severity, worst first. Equal ones keep their order. */
export const worstFirst = <T extends { readonly status: Status }>(findings: readonly T[]): T[] =>
  findings.toSorted((a, b) => statuses.indexOf(b.status) - statuses.indexOf(a.status));
