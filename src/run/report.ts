import { type Status, statuses } from '../check.ts';
import type { PolicyState } from '../policy/in-force.ts';
import type { ConfirmedFinding } from './confirm.ts';

/** The complete state of the agent, the same object for every sink. It serialises to JSON as it is. */
export interface Report {
  readonly generatedAt: string;
  readonly agent: AgentState;
  readonly policy: PolicyState;
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

/** The worst status of any check, and how many checks have each. */
export type Summary = { readonly status: Status } & Readonly<Record<Status, number>>;

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

/** Counts checks by status. */
export function summarise(checks: Readonly<Record<string, Pick<CheckReport, 'status'>>>): Summary {
  const all = Object.values(checks).map(({ status }) => status);
  const count = (status: Status) => all.filter((each) => each === status).length;
  return {
    status: worst(all),
    pass: count('pass'),
    warn: count('warn'),
    fail: count('fail'),
    unknown: count('unknown'),
    skip: count('skip'),
  };
}

/** Findings by severity, worst first. Equal ones keep their order. */
export const worstFirst = <T extends { readonly status: Status }>(findings: readonly T[]): T[] =>
  findings.toSorted((a, b) => statuses.indexOf(b.status) - statuses.indexOf(a.status));
