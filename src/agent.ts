import type { Check } from './check.ts';
import type { Host } from './host.ts';
import type { Policy } from './policy.ts';
import type { PolicyInForce } from './policy-in-force.ts';
import { type AgentState, type HubState, type Report, summarise } from './report.ts';
import type { Schedule, Scheduled } from './schedule.ts';
import { type Cause, createWatch, type Ran, type Remembered, type Watch } from './watch.ts';

/** Somebody who is told. A sink never answers back. */
export interface Sink {
  /** After every run of a check. */
  ran?(ran: Ran): void;
  /** Whenever the report has changed; `urgent` when somebody is waiting for it. */
  show?(report: Report, urgent: boolean): void;
}

/** What an agent is made of. */
export interface AgentOptions {
  readonly checks: readonly Check[];
  readonly host: Host;
  readonly policy: PolicyInForce;
  readonly identity: Omit<AgentState, 'hub'>;
  readonly sinks: readonly Sink[];
  readonly schedule: Schedule;
  /** What an earlier process told, by check id. */
  readonly remembered: Readonly<Record<string, Remembered>>;
  hubState(): HubState;
}

/** The loop: a policy in, checks run on its schedule, every report handed to every sink. */
export interface Agent {
  start(): void;
  /** Puts a policy in force. Every check whose parameters it changes runs at once. */
  adopt(next: PolicyInForce): void;
  /** Runs some checks now, or all of them, and gives the report of these alone. */
  runChecks(ids?: readonly string[]): Promise<Report>;
  /** Looks again at some checks, as the schedule does. */
  look(ids: readonly string[]): void;
  report(): Report;
  policy(): PolicyInForce;
  /** Why not every enabled check has run yet; nothing once they all have. */
  notReady(): string | undefined;
  /** Why the loop no longer turns; nothing while it does. */
  stuck(): string | undefined;
  stop(): void;
}

// A busy machine may be a little late; this much later the loop counts as stuck.
const graceMs = 120_000;

/** An agent that does nothing yet: it begins with `start`, or runs what it is asked to. */
export function createAgent(options: AgentOptions): Agent {
  const { checks, host, sinks } = options;
  let inForce = options.policy;
  let scheduled: readonly Scheduled[] = [];
  const watches: readonly Watch[] = checks.map((check) =>
    createWatch({ check, host, remembered: options.remembered[check.id], onRan }),
  );

  function onRan(ran: Ran): void {
    for (const sink of sinks) sink.ran?.(ran);
    show(ran.cause === 'policy' || ran.cause === 'asked');
  }

  const named = (ids: readonly string[]) => watches.filter(({ check }) => ids.includes(check.id));

  function show(urgent: boolean): void {
    const report = reportOf(watches);
    for (const sink of sinks) sink.show?.(report, urgent);
  }

  async function run(some: readonly Watch[], cause: Cause): Promise<void> {
    await Promise.all(some.map((watch) => watch.run(inForce.policy, cause)));
  }

  /** One cron task for each distinct schedule, so that checks which share one make one report. */
  function reschedule(): void {
    for (const task of scheduled) task.stop();
    const { policy } = inForce;
    const enabled = watches.filter(({ check }) => policy.checks[check.id]?.enabled);
    const expressionOf = ({ check }: Watch) => policy.checks[check.id]?.schedule ?? policy.schedule;
    const expressions = [...new Set(enabled.map(expressionOf))];
    scheduled = expressions.map((expression) => {
      const together = enabled.filter((watch) => expressionOf(watch) === expression);
      return options.schedule(expression, policy.jitterSeconds, () => void run(together, 'schedule'));
    });
  }

  function reportOf(some: readonly Watch[]): Report {
    const told = some.flatMap((watch) => {
      const report = watch.report();
      return report ? [[watch.check.id, report] as const] : [];
    });
    const checkReports = Object.fromEntries(told);
    const { source, version, accepted, problems, policy } = inForce;
    return {
      generatedAt: host.now().toISOString(),
      agent: { ...options.identity, hub: options.hubState() },
      policy: { source, version, accepted, problems, note: policy.note },
      summary: summarise(checkReports),
      checks: checkReports,
    };
  }

  const agent: Agent = {
    start() {
      reschedule();
      void run(watches, 'schedule');
    },
    adopt(next) {
      const before = inForce.policy;
      inForce = next;
      if (next.policy !== before) {
        reschedule();
        const touched = watches.filter(({ check }) => changes(check.id, before, next.policy));
        void run(touched, 'policy');
      }
      show(true);
    },
    async runChecks(ids) {
      const some = ids ? named(ids) : watches;
      await run(some, 'asked');
      return reportOf(some);
    },
    look: (ids) => void run(named(ids), 'schedule'),
    report: () => reportOf(watches),
    policy: () => inForce,
    notReady() {
      const waiting = watches.filter((watch) => !watch.report()).map(({ check }) => check.id);
      return waiting.length > 0 ? `waiting for the first run of ${waiting.join(', ')}` : undefined;
    },
    stuck() {
      const late = Math.max(0, ...scheduled.map((task) => task.overdueMs()));
      return late > graceMs ? `the next run is ${Math.round(late / 1000)} s overdue` : undefined;
    },
    stop() {
      for (const task of scheduled) task.stop();
      for (const watch of watches) watch.stop();
    },
  };
  return agent;
}

/** Whether a new policy can change what a check concludes. */
function changes(id: string, before: Policy, after: Policy): boolean {
  const relevant = ({ checks, exceptions }: Policy) =>
    JSON.stringify([checks[id], exceptions.filter(({ check }) => check === id)]);
  return relevant(before) !== relevant(after);
}
