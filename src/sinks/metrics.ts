import { Counter, Gauge, Registry } from 'prom-client';
import type { Check, Counter as CheckCounter, Status } from '../check.ts';
import type { ConfirmedFinding } from '../run/confirm.ts';
import type { Report } from '../run/report.ts';
import type { Ran } from '../run/watch.ts';
import { oneLine } from './escape.ts';

/** The device and module, with the label names of edgeHub's and edgeAgent's own metrics. */
export type TargetIdentity = Readonly<
  Partial<Record<'iothub' | 'edge_device' | 'module_name' | 'instance_number', string>>
>;

/** The patches sent to the hub since the start. */
interface SentPatches {
  readonly lastSuccess: Date | undefined;
  readonly patches: number;
  readonly patchBytes: number;
}

export interface MetricsOptions {
  readonly checks: readonly Check[];
  readonly build: { readonly version: string; readonly revision: string };
  readonly identity: TargetIdentity;
  /** `labels` adds the identity to every sample, for Azure's metrics-collector; `info` makes it a single series. */
  readonly where: 'labels' | 'info';
  /** The current total of a check's counter. */
  total(counter: CheckCounter): number;
  /** Undefined without a hub. */
  hub(): SentPatches | undefined;
  policyAcceptedAt(): Date;
}

export interface Metrics {
  readonly contentType: string;
  count(ran: Ran): void;
  /** Changes when the page does although the report has not changed. */
  key(): string;
  /** The page: text format 0.0.4, without sample timestamps or infinities. */
  render(report: Report): Promise<string>;
}

/** The values of `hardening_check_status` and `hardening_finding_status`. */
export const statusNumbers: Readonly<Record<Status, number>> = {
  pass: 0,
  warn: 1,
  fail: 2,
  unknown: 3,
  skip: 4,
};
const legend = '0 pass, 1 warn, 2 fail, 3 unknown, 4 skip';

/** Metrics of reports. Gauges are reset for every page, so that removed targets leave no series. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { checks, where, identity } = options;
  const registry = new Registry();
  if (where === 'labels') registry.setDefaultLabels(identity);
  addConstants(registry, options);
  const runs = addRunCounters(registry, checks);
  const showChecks = addCheckGauges(registry);
  const showReadings = addReadings(registry, checks);
  const showAgent = addAgent(registry, options);
  const counters = checks.flatMap((check) => Object.values(check.counters ?? {}));
  return {
    contentType: registry.contentType,
    count({ result: { id: check, findings }, transitions }) {
      runs.transitions.inc({ check }, transitions);
      if (findings.some(({ status }) => status !== 'skip')) runs.startReasons(check);
      for (const { reason } of findings) if (reason) runs.reasons.inc({ check, reason });
    },
    key: () =>
      JSON.stringify([
        options.hub(),
        options.policyAcceptedAt(),
        counters.map((each) => options.total(each)),
      ]),
    async render(report) {
      showChecks(report);
      showReadings(report);
      showAgent(report);
      return registry.metrics();
    },
  };
}

type Labels = readonly string[];

const gauge = (registry: Registry, name: string, help: string, labels: Labels = []) =>
  new Gauge({ name: `hardening_${name}`, help, labelNames: [...labels], registers: [registry] });

const counter = (registry: Registry, name: string, help: string, labels: Labels = []) =>
  new Counter({ name: `hardening_${name}`, help, labelNames: [...labels], registers: [registry] });

/** A counter whose value comes from `read`. */
const total = (registry: Registry, name: string, help: string, read: () => number) =>
  new Counter({
    name: `hardening_${name}`,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });

function addConstants(registry: Registry, { build, identity, where }: MetricsOptions): void {
  if (where === 'info' && Object.keys(identity).length > 0) {
    gauge(
      registry,
      'target_info',
      'Device and module that these metrics describe.',
      Object.keys(identity),
    ).set(identity, 1);
  }
  gauge(registry, 'build_info', 'Version and revision of the agent.', ['version', 'revision']).set(build, 1);
}

function addRunCounters(registry: Registry, checks: readonly Check[]) {
  const transitions = counter(
    registry,
    'check_transitions_total',
    "Status changes of a check's findings between two runs, confirmed or not.",
    ['check'],
  );
  const reasons = counter(
    registry,
    'finding_reasons_total',
    'Findings with this reason, counted at every run.',
    ['check', 'reason'],
  );
  for (const { id: check } of checks) transitions.inc({ check }, 0);
  const unstarted = new Map(checks.map(({ id, reasons: own }) => [id, own]));
  /** Starts each of a check's own reasons at 0, which a check that has never examined anything does not need. */
  function startReasons(check: string): void {
    for (const reason of unstarted.get(check) ?? []) reasons.inc({ check, reason }, 0);
    unstarted.delete(check);
  }
  return { transitions, reasons, startReasons };
}

function addCheckGauges(registry: Registry): (report: Report) => void {
  const status = gauge(registry, 'check_status', `Worst status of a check's findings: ${legend}.`, ['check']);
  const duration = gauge(registry, 'check_duration_seconds', 'Duration of the last run of a check.', [
    'check',
  ]);
  const lastRun = gauge(
    registry,
    'check_last_run_timestamp_seconds',
    'Unix time of the last run of a check.',
    ['check'],
  );
  const finding = gauge(registry, 'finding_status', `Status of a finding: ${legend}.`, ['check', 'target']);
  const info = gauge(registry, 'finding_info', 'The reason of a finding that warns, fails or is unknown.', [
    'check',
    'target',
    'reason',
  ]);
  return (report) => {
    for (const each of [status, duration, lastRun, finding, info]) each.reset();
    for (const [check, result] of Object.entries(report.checks)) {
      status.set({ check }, statusNumbers[result.status]);
      duration.set({ check }, result.durationSeconds);
      lastRun.set({ check }, Date.parse(result.lastRun) / 1000);
      for (const { target, status: one, reason } of result.findings) {
        const labels = { check, target: oneLine(target) };
        finding.set(labels, statusNumbers[one]);
        if (reason !== undefined && one !== 'pass' && one !== 'skip') info.set({ ...labels, reason }, 1);
      }
    }
  };
}

function addReadings(registry: Registry, checks: readonly Check[]): (report: Report) => void {
  const gauges = new Map(
    checks.flatMap(({ gauges = {} }) =>
      Object.entries(gauges).map(([name, { help, labels }]) => {
        return [name, { gauge: gauge(registry, name, help, labels), labels }] as const;
      }),
    ),
  );
  const set = ({ target, readings = [] }: ConfirmedFinding) => {
    for (const { gauge: name, labels = {}, value } of readings) {
      const known = gauges.get(name);
      // Azure's metrics-collector cannot read infinities, and NaN would look like a value.
      if (!known || !Number.isFinite(value)) continue;
      const targetLabel = known.labels.includes('target') ? { target: oneLine(target) } : {};
      const otherLabels = Object.entries(labels).map(([label, text]) => [label, oneLine(text)] as const);
      known.gauge.set({ ...targetLabel, ...Object.fromEntries(otherLabels) }, value);
    }
  };
  return (report) => {
    for (const each of gauges.values()) each.gauge.reset();
    for (const { findings } of Object.values(report.checks)) findings.forEach(set);
  };
}

/** Policy and hub, and the counters that checks define. */
function addAgent(registry: Registry, options: MetricsOptions): (report: Report) => void {
  const { checks, hub, policyAcceptedAt } = options;
  const accepted = gauge(
    registry,
    'policy_accepted',
    '1 if the last requested policy is in force, 0 if it was rejected.',
  );
  const version = gauge(
    registry,
    'policy_version',
    'Version of the last requested policy, 0 if there is none.',
  );
  const acceptedAt = gauge(
    registry,
    'policy_accepted_timestamp_seconds',
    'Unix time at which the policy in force was accepted.',
  );
  const exceptions = gauge(
    registry,
    'policy_exceptions',
    'Exceptions of the policy in force: active, over (their last day has passed) or unused (nothing matched them).',
    ['state'],
  );
  const connected = gauge(registry, 'hub_connected', '1 if the module is connected to edgeHub, else 0.');
  const lastReport = gauge(
    registry,
    'report_last_success_timestamp_seconds',
    'Unix time of the last acknowledgement of reported properties.',
  );
  total(
    registry,
    'twin_patches_total',
    'Patches of reported properties that were acknowledged.',
    () => hub()?.patches ?? 0,
  );
  total(
    registry,
    'twin_patch_bytes_total',
    'Size of the acknowledged patches of reported properties, in bytes.',
    () => hub()?.patchBytes ?? 0,
  );
  for (const [name, each] of checks.flatMap(({ counters = {} }) => Object.entries(counters))) {
    total(registry, name, each.help, () => options.total(each));
  }
  return ({ policy, agent }) => {
    accepted.set(policy.accepted ? 1 : 0);
    version.set(policy.version);
    acceptedAt.set(policyAcceptedAt().getTime() / 1000);
    for (const [state, count] of Object.entries(policy.exceptions)) exceptions.set({ state }, count);
    connected.set(agent.hub === 'connected' ? 1 : 0);
    // Without a value there must be no sample; a gauge that was never set shows 0.
    const lastSuccess = hub()?.lastSuccess;
    if (lastSuccess) lastReport.set(lastSuccess.getTime() / 1000);
    else lastReport.remove();
  };
}
