import type { Check } from '../check.ts';
import type { Host } from '../host.ts';
import type { PolicyInForce } from '../policy/in-force.ts';
import type { Policy } from '../policy/policy.ts';
import { type AgentState, assemble, type Report } from './report.ts';
import type { Schedule } from './schedule.ts';
import { createTimetable } from './timetable.ts';
import { type Cause, createWatch, type Ran, type Remembered, type Watch } from './watch.ts';

/** A receiver of results. A sink never answers back. */
export interface Sink {
  /** Called after every run of a check. */
  ran?(ran: Ran): void;
  /** Called whenever the report has changed; `urgent` when somebody is waiting for it. */
  show?(report: Report, urgent: boolean): void;
}

/** What the report says of the hub. */
export type HubFacts = Pick<AgentState, 'hub' | 'hubSince' | 'hubProblem'>;

export interface AgentOptions {
  readonly checks: readonly Check[];
  readonly host: Host;
  /** The policy in force now. */
  policy(): PolicyInForce;
  readonly identity: Omit<AgentState, keyof HubFacts>;
  readonly schedule: Schedule;
  /** Of the delay that spreads a fleet: from 0 to less than 1. */
  readonly random?: () => number;
  /** What an earlier process reported, by check id. */
  readonly remembered: Readonly<Record<string, Remembered>>;
  hub(): HubFacts;
  /** Called when an event makes a check run ahead of its schedule, now or at the end of its gap. */
  onTrigger?(check: string, why: string): void;
}

/** The loop: runs the checks on the policy's schedule and hands every report to every sink. */
export interface Agent {
  start(): void;
  subscribe(sink: Sink): void;
  /** Follows a change of the policy in force. Every check whose parameters have changed runs at once, whatever its gap. */
  policyChanged(before: PolicyInForce): void;
  /** Runs some checks now, or all of them, whatever their gap, and returns the report of these alone. */
  runChecks(ids?: readonly string[]): Promise<Report>;
  report(): Report;
  /** Why not every enabled check has run yet; undefined once they all have. */
  notReady(): string | undefined;
  /** Why the loop has stopped; undefined while it turns. */
  stuck(): string | undefined;
  stop(): void;
}

// A busy machine may be a little late; this much later the loop counts as stuck.
const graceMs = 120_000;

/** An idle agent: it runs checks once it is started, or when it is asked to. */
export function createAgent(options: AgentOptions): Agent {
  const { checks, host, policy: inForce, schedule, random = Math.random } = options;
  const sinks: Sink[] = [];
  const stopping = new AbortController();
  const watches: readonly Watch[] = checks.map((check) =>
    createWatch({ check, host, remembered: options.remembered[check.id], onRan }),
  );

  const timetable = createTimetable({
    watches,
    schedule,
    random,
    run: (some) => void run(some, 'schedule'),
  });

  function onRan(ran: Ran): void {
    for (const sink of sinks) sink.ran?.(ran);
    show(ran.cause === 'policy' || ran.cause === 'asked');
  }

  function show(urgent: boolean): void {
    const report = reportOf(watches);
    for (const sink of sinks) sink.show?.(report, urgent);
  }

  async function run(some: readonly Watch[], cause: Cause): Promise<void> {
    if (cause !== 'schedule') timetable.began(some);
    await Promise.all(some.map((watch) => watch.run(inForce().policy, cause)));
  }

  function armTriggers(): void {
    for (const watch of watches) {
      const { check } = watch;
      const runNow = (why: string) => {
        if (timetable.runSoon(watch)) options.onTrigger?.(check.id, why);
      };
      check.trigger?.(host, runNow, stopping.signal);
    }
  }

  function reportOf(some: readonly Watch[]): Report {
    const reports = some.flatMap((watch) => {
      const report = watch.report();
      return report ? [[watch.check.id, report] as const] : [];
    });
    const agent = { ...options.identity, ...options.hub() };
    return assemble(agent, inForce(), Object.fromEntries(reports), waiting(some), host.now());
  }

  return {
    start() {
      timetable.follow(inForce().policy);
      timetable.runAll();
      armTriggers();
    },
    subscribe: (sink) => void sinks.push(sink),
    policyChanged({ policy: before }) {
      const { policy } = inForce();
      if (policy !== before) timetable.follow(policy);
      // A refused policy changes nothing but what is reported about it.
      const touched = ({ check }: Watch) =>
        check.uses.includes('policyOutcome') || changes(check.id, before, policy);
      void run(watches.filter(touched), 'policy');
      show(true);
    },
    async runChecks(ids) {
      const some = watches.filter(({ check }) => ids?.includes(check.id) ?? true);
      await run(some, 'asked');
      return reportOf(some);
    },
    report: () => reportOf(watches),
    notReady() {
      const ids = waiting(watches);
      return ids.length > 0 ? `waiting for the first run of ${ids.join(', ')}` : undefined;
    },
    stuck() {
      const late = timetable.overdueMs();
      return late > graceMs ? `the next run is ${Math.round(late / 1000)} s overdue` : undefined;
    },
    stop() {
      stopping.abort();
      timetable.stop();
      for (const watch of watches) watch.stop();
    },
  };
}

/** The checks that have not run yet. */
const waiting = (watches: readonly Watch[]): string[] =>
  watches.filter((watch) => !watch.report()).map(({ check }) => check.id);

/** Whether a new policy can change what a check concludes. */
function changes(id: string, before: Policy, after: Policy): boolean {
  const relevant = ({ checks, exceptions }: Policy) =>
    JSON.stringify([checks[id], exceptions.filter(({ check }) => check === id)]);
  return relevant(before) !== relevant(after);
}
