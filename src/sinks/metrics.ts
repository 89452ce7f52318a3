import { Counter, Gauge, Registry } from 'prom-client';
import { type Check, commonReasons, type Status } from '../check.ts';
import type { Report } from '../report.ts';
import { oneLine } from './escape.ts';

/** Who is measured, in the words of edgeHub's and edgeAgent's own metrics. */
export type TargetIdentity = Readonly<
  Partial<Record<'iothub' | 'edge_device' | 'module_name' | 'instance_number', string>>
>;

/** What the report does not say. */
export interface Figures {
  readonly policyAcceptedAt: Date;
  readonly lastReport: Date | undefined;
  readonly twinPatches: number;
  readonly twinPatchBytes: number;
  readonly clockSteps: number;
  readonly clockSuspendedSeconds: number;
}

/** The metrics page and the counts behind it. */
export interface Metrics {
  readonly contentType: string;
  /** Counts one run of a check. */
  count(check: string, reasons: readonly string[], transitions: number): void;
  /** The page: text format 0.0.4, without sample timestamps or infinities. */
  render(report: Report, figures: Figures): Promise<string>;
}

/** Statuses as `hardening_check_status` and `hardening_finding_status` have them. */
export const statusNumbers: Readonly<Record<Status, number>> = {
  pass: 0,
  warn: 1,
  fail: 2,
  unknown: 3,
  skip: 4,
};

/**
 * Metrics of a report. Gauges are set anew for every page, so that nothing stays behind of a target that is gone.
 * With `labels` the identity stands on every sample, for Azure's metrics-collector; with `info` it is one series.
 */
export function createMetrics(
  checks: readonly Check[],
  build: { readonly version: string; readonly revision: string },
  identity: TargetIdentity,
  where: 'labels' | 'info',
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (where === 'labels') registry.setDefaultLabels(identity);
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name: `hardening_${name}`, help, labelNames: [...labelNames], registers });
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: `hardening_${name}`, help, labelNames: [...labelNames], registers });

  const numbers = '0 pass, 1 warn, 2 fail, 3 unknown, 4 skip';
  if (where === 'info' && Object.keys(identity).length > 0) {
    gauge('target_info', 'Whom these metrics are about.', Object.keys(identity)).set(identity, 1);
  }
  gauge('build_info', 'The agent that runs.', ['version', 'revision']).set(build, 1);
  const own = {
    status: gauge('check_status', `Worst finding of a check: ${numbers}.`, ['check']),
    duration: gauge('check_duration_seconds', 'How long the last run of a check took.', ['check']),
    lastRun: gauge('check_last_run_timestamp_seconds', 'When a check last ran.', ['check']),
    transitions: counter(
      'check_transitions_total',
      'Changes of status of the findings of a check from one run to the next, told or not.',
      ['check'],
    ),
    finding: gauge('finding_status', `Status of one finding: ${numbers}.`, ['check', 'target']),
    reasons: counter('finding_reasons_total', 'How often a run gave a reason.', ['check', 'reason']),
    accepted: gauge(
      'policy_accepted',
      '1 when the last policy asked for is in force, 0 when it was refused.',
    ),
    version: gauge('policy_version', 'Version of the last policy asked for, 0 without one.'),
    acceptedAt: gauge('policy_accepted_timestamp_seconds', 'When the policy in force was accepted.'),
    connected: gauge('hub_connected', '1 while the module is connected to edgeHub.'),
    lastReport: gauge(
      'report_last_success_timestamp_seconds',
      'When edgeHub last acknowledged reported properties.',
    ),
    patches: upTo(counter('twin_patches_total', 'Patches of reported properties acknowledged.')),
    patchBytes: upTo(counter('twin_patch_bytes_total', 'Bytes of those patches.')),
    clockSteps: upTo(counter('clock_steps_total', 'How often the clock was set by half a second or more.')),
    clockSuspended: upTo(counter('clock_suspended_seconds_total', 'How long the machine slept.')),
  };
  const readings = new Map(
    checks.flatMap(({ gauges }) =>
      Object.entries(gauges).map(
        ([name, { help, labels }]) => [name, { gauge: gauge(name, help, labels), labels }] as const,
      ),
    ),
  );
  for (const { id, reasons } of checks) {
    own.transitions.inc({ check: id }, 0);
    for (const reason of new Set([...reasons, ...commonReasons])) own.reasons.inc({ check: id, reason }, 0);
  }
  const perReport = [
    own.status,
    own.duration,
    own.lastRun,
    own.finding,
    ...[...readings.values()].map((each) => each.gauge),
  ];

  function show(report: Report): void {
    for (const each of perReport) each.reset();
    for (const [check, { status, durationSeconds, lastRun, findings }] of Object.entries(report.checks)) {
      own.status.set({ check }, statusNumbers[status]);
      own.duration.set({ check }, durationSeconds);
      own.lastRun.set({ check }, seconds(lastRun));
      for (const finding of findings) {
        const target = oneLine(finding.target);
        own.finding.set({ check, target }, statusNumbers[finding.status]);
        for (const { gauge: name, labels = {}, value } of finding.readings ?? []) {
          const known = readings.get(name);
          // Azure's metrics-collector reads no infinities; a NaN would say that there is something to know.
          if (!known || !Number.isFinite(value)) continue;
          const whose = known.labels.includes('target') ? { target } : {};
          const given = Object.entries(labels).map(([label, text]) => [label, oneLine(text)] as const);
          known.gauge.set({ ...whose, ...Object.fromEntries(given) }, value);
        }
      }
    }
    own.accepted.set(report.policy.accepted ? 1 : 0);
    own.version.set(report.policy.version);
    own.connected.set(report.agent.hub === 'connected' ? 1 : 0);
  }

  return {
    contentType: registry.contentType,
    count(check, reasons, transitions) {
      own.transitions.inc({ check }, transitions);
      for (const reason of reasons) own.reasons.inc({ check, reason });
    },
    async render(report, figures) {
      show(report);
      own.acceptedAt.set(figures.policyAcceptedAt.getTime() / 1000);
      // What is not known has no sample; a gauge that was never set would show 0.
      if (figures.lastReport) own.lastReport.set(figures.lastReport.getTime() / 1000);
      else own.lastReport.remove();
      own.patches(figures.twinPatches);
      own.patchBytes(figures.twinPatchBytes);
      own.clockSteps(figures.clockSteps);
      own.clockSuspended(figures.clockSuspendedSeconds);
      return registry.metrics();
    },
  };
}

const seconds = (moment: string): number => Date.parse(moment) / 1000;

/** Brings a counter up to a total that is counted elsewhere. */
function upTo(counter: Counter): (total: number) => void {
  let counted = 0;
  return (total) => {
    counter.inc(total - counted);
    counted = total;
  };
}
