import type { PolicyInForce } from '../policy/in-force.ts';
import type { Report } from '../run/report.ts';
import { type Reported, reportedProperties, worsened } from '../sinks/reported.ts';

export interface ReporterOptions {
  send(properties: Reported, minIntervalSeconds: number, urgent: boolean): void;
  inForce(): PolicyInForce;
  /** Whether every enabled check has run. */
  complete(): boolean;
}

/** Sends reports to the twin: at every change, and a heartbeat when nothing changes. */
export interface Reporter {
  show(report: Report, urgent: boolean): void;
}

export function createReporter({ send, inForce, complete }: ReporterOptions): Reporter {
  let previous: Reported | undefined;
  let completed = false;
  let beat: { readonly at: number; readonly moment: string } | undefined;
  return {
    show(report, urgent) {
      const policy = inForce();
      const { heartbeatMinutes, minIntervalSeconds } = policy.policy.report;
      const due = !beat || performance.now() - beat.at >= heartbeatMinutes * 60_000;
      if (!beat || due) beat = { at: performance.now(), moment: report.generatedAt };
      // A heartbeat or a new policy updates all texts, even if no status has changed.
      const refresh = due || policy.version !== previous?.policy.av;
      const before = refresh ? undefined : previous;
      const first = !completed && complete();
      completed ||= first;
      const next = reportedProperties(report, policy, completed, beat.moment, before);
      // A worse finding and the first complete report do not wait for the interval.
      const immediate = urgent || first || worsened(previous, next);
      previous = next;
      send(next, minIntervalSeconds, immediate);
    },
  };
}
