import type { PolicyInForce } from '../policy/in-force.ts';
import type { Report } from '../run/report.ts';
import { type Reported, reportedProperties, worsened } from '../sinks/reported.ts';

export interface ReporterOptions {
  send(properties: Reported, minIntervalSeconds: number, urgent: boolean): void;
  inForce(): PolicyInForce;
  /** Whether every enabled check has run. */
  complete(): boolean;
}

/** Tells reports to the twin: differences when something has changed, and a heartbeat when nothing has. */
export interface Reporter {
  show(report: Report, urgent: boolean): void;
}

/** A reporter that has told nothing yet: every word of its first report is fresh. */
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
      // With a heartbeat or a new policy the words are told anew, though no status has changed.
      const fresh = due || policy.version !== previous?.policy.av;
      const before = fresh ? undefined : previous;
      const first = !completed && complete();
      completed ||= first;
      const next = reportedProperties(report, policy, completed, beat.moment, before);
      // Neither bad news nor the first whole report waits for the interval that an earlier patch has begun.
      const hurry = urgent || first || worsened(previous, next);
      previous = next;
      send(next, minIntervalSeconds, hurry);
    },
  };
}
