import type { Check } from '../check.ts';
import type { Host } from '../host.ts';
import type { PolicyInForce } from '../policy/in-force.ts';
import type { Policy } from '../policy/policy.ts';
import { type AgentState, type Report, summarise } from './report.ts';
import type { Schedule, Scheduled } from './schedule.ts';
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
  /** What an earlier process reported, by check id. */
  readonly remembered: Readonly<Record<string, Remembered>>;
  hub(): HubFacts;
  /** Called when an event makes a check run ahead of its schedule. */
  onTrigger?(check: string, why: string): void;
}

/** The loop: runs the checks on the policy's schedule and hands every report to every sink. */
export interface Agent {
  start(): void;
  subscribe(sink: Sink): void;
  /** Follows a change of the policy in force. Every check whose parameters have changed runs at once. */
  policyChanged(before: PolicyInForce): void;
  /** Runs some checks now, or all of them, and returns the report of these alone. */
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
  const { checks, host, policy: inForce } = options;
  const sinks: Sink[] = [];
  const stopping = new AbortController();
  let scheduled: readonly Scheduled[] = [];
  const watches: readonly Watch[] = checks.map((check) =>
    createWatch({ check, host, remembered: options.remembered[check.id], onRan }),
  );

  function onRan(ran: Ran): void {
    for (const sink of sinks) sink.ran?.(ran);
    show(ran.cause === 'policy' || ran.cause === 'asked');
  }

  function show(urgent: boolean): void {
    const report = reportOf(watches);
    for (const sink of sinks) sink.show?.(report, urgent);
  }

  async function run(some: readonly Watch[], cause: Cause): Promise<void> {
    await Promise.all(some.map((watch) => watch.run(inForce().policy, cause)));
  }

  /** One cron task for each distinct schedule, so that checks which share one make one report. */
  function reschedule(): void {
    for (const task of scheduled) task.stop();
    const { policy } = inForce();
    const enabled = watches.filter(({ check }) => policy.checks[check.id]?.enabled);
    const expressionOf = ({ check }: Watch) => policy.checks[check.id]?.schedule ?? policy.schedule;
    const expressions = [...new Set(enabled.map(expressionOf))];
    scheduled = expressions.map((expression) => {
      const together = enabled.filter((watch) => expressionOf(watch) === expression);
      return options.schedule(expression, policy.jitterSeconds, () => void run(together, 'schedule'));
    });
  }

  function armTriggers(): void {
    for (const watch of watches) {
      const { check } = watch;
      const runNow = (why: string) => {
        options.onTrigger?.(check.id, why);
        void run([watch], 'schedule');
      };
      check.trigger?.(host, runNow, stopping.signal);
    }
  }

  function reportOf(some: readonly Watch[]): Report {
    const reports = some.flatMap((watch) => {
      const report = watch.report();
      return report ? [[watch.check.id, report] as const] : [];
    });
    const byId = Object.fromEntries(reports);
    const { source, version, accepted, problems, policy } = inForce();
    return {
      generatedAt: host.now().toISOString(),
      agent: { ...options.identity, ...options.hub() },
      policy: { source, version, accepted, problems, note: policy.note },
      summary: summarise(byId),
      checks: byId,
    };
  }

  return {
    start() {
      reschedule();
      void run(watches, 'schedule');
      armTriggers();
    },
    subscribe: (sink) => void sinks.push(sink),
    policyChanged({ policy: before }) {
      const { policy } = inForce();
      if (policy !== before) {
        reschedule();
        const touched = watches.filter(({ check }) => changes(check.id, before, policy));
        void run(touched, 'policy');
      }
      show(true);
    },
    async runChecks(ids) {
      const some = watches.filter(({ check }) => ids?.includes(check.id) ?? true);
      await run(some, 'asked');
      return reportOf(some);
    },
    report: () => reportOf(watches),
    notReady() {
      const waiting = watches.filter((watch) => !watch.report()).map(({ check }) => check.id);
      return waiting.length > 0 ? `waiting for the first run of ${waiting.join(', ')}` : undefined;
    },
    stuck() {
      const late = Math.max(0, ...scheduled.map((task) => task.overdueMs()));
      return late > graceMs ? `the next run is ${Math.round(late / 1000)} s overdue` : undefined;
    },
    stop() {
      stopping.abort();
      for (const task of scheduled) task.stop();
      for (const watch of watches) watch.stop();
    },
  };
}

/** Whether a new policy can change what a check concludes. */
function changes(id: string, before: Policy, after: Policy): boolean {
  const relevant = ({ checks, exceptions }: Policy) =>
    JSON.stringify([checks[id], exceptions.filter(({ check }) => check === id)]);
  return relevant(before) !== relevant(after);
}
