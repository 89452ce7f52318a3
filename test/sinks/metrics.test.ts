import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Counter } from '../../src/check.ts';
import { checks as registry } from '../../src/checks/index.ts';
import type { Report } from '../../src/run/report.ts';
import type { Ran } from '../../src/run/watch.ts';
import { createMetrics, type MetricsOptions } from '../../src/sinks/metrics.ts';
import { collectorAccepts, samplesOf } from '../support/exposition.ts';
import { checkReport, finding, reportOf, sampleReport } from '../support/fixtures/sample-report.ts';
import { have } from '../support/programs/installed.ts';

// The sample report contains only some of the registered checks.
const checks = registry.filter(({ id }) => id in sampleReport.checks);
const identity = {
  iothub: 'example.azure-devices.net',
  edge_device: 'line-4-gateway',
  module_name: 'hardening',
  instance_number: '6f0f3d2e-0000-4000-8000-000000000000',
};
const sent = { lastSuccess: new Date('2026-11-21T20:29:46Z'), patches: 3, patchBytes: 2048 };
/** The counters of clockDrift. */
const totals: Record<string, number> = { clock_steps_total: 1, clock_suspended_seconds_total: 28_800.5 };

const create = (given: Partial<MetricsOptions> = {}) =>
  createMetrics({
    checks,
    build: { version: '1.0.0', revision: 'abcdef0' },
    identity,
    where: 'info',
    total: (counter) => totals[nameOf(counter)] ?? 0,
    hub: () => sent,
    policyAcceptedAt: () => new Date('2026-11-21T12:00:00Z'),
    ...given,
  });
const nameOf = (counter: Counter): string =>
  checks.flatMap(({ counters = {} }) => Object.entries(counters)).find(([, each]) => each === counter)?.[0] ??
  '';
const render = (report: Report = sampleReport, where: 'labels' | 'info' = 'info') =>
  create({ where }).render(report);

const ran = (id: string, reasons: readonly string[], transitions: number): Ran => ({
  result: {
    id,
    startedAt: new Date(),
    durationSeconds: 0,
    findings: [finding(), ...reasons.map((reason) => finding({ status: 'fail', reason }))],
  },
  cause: 'schedule',
  transitions,
  changes: [],
});

test('a report renders to the golden metrics page', async () => {
  const metrics = create();
  metrics.count(ran('outboundReachability', ['refused'], 1));
  metrics.count(ran('certificateExpiry', ['expires_soon', 'no_access'], 0));
  await expect(await metrics.render(sampleReport)).toMatchFileSnapshot('../golden/metrics.txt');
});

test('Prometheus 3 accepts the content type', () => {
  expect(create().contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
});

// Alert rules and dashboards depend on these names.
test.each([
  ['hardening_check_status', ['check']],
  ['hardening_finding_status', ['check', 'target']],
  ['hardening_finding_reasons_total', ['check', 'reason']],
  ['hardening_check_duration_seconds', ['check']],
  ['hardening_check_last_run_timestamp_seconds', ['check']],
  ['hardening_check_transitions_total', ['check']],
  ['hardening_policy_accepted', []],
  ['hardening_policy_version', []],
  ['hardening_policy_accepted_timestamp_seconds', []],
  ['hardening_hub_connected', []],
  ['hardening_report_last_success_timestamp_seconds', []],
  ['hardening_twin_patches_total', []],
  ['hardening_twin_patch_bytes_total', []],
  ['hardening_build_info', ['version', 'revision']],
  ['hardening_target_info', Object.keys(identity)],
  ['hardening_clock_offset_seconds', ['source']],
  ['hardening_clock_offset_error_seconds', ['source']],
  ['hardening_certificate_not_after_timestamp_seconds', ['target', 'subject']],
  ['hardening_certificate_not_before_timestamp_seconds', ['target', 'subject']],
  ['hardening_filesystem_size_bytes', ['target']],
  ['hardening_filesystem_available_bytes', ['target']],
  ['hardening_filesystem_files', ['target']],
  ['hardening_filesystem_files_free', ['target']],
  ['hardening_filesystem_readonly', ['target']],
  ['hardening_outbound_success', ['target']],
  ['hardening_outbound_duration_seconds', ['target', 'phase']],
])('%s has the labels %j', async (name, labels) => {
  const metrics = create();
  metrics.count(ran('diskSpace', [], 0));
  const samples = samplesOf(await metrics.render(sampleReport)).filter((sample) => sample.name === name);
  expect(samples).not.toEqual([]);
  for (const sample of samples) expect(Object.keys(sample.labels).toSorted()).toEqual(labels.toSorted());
});

test('the status of each check and finding is a number', async () => {
  const samples = samplesOf(await render());
  const value = (name: string, labels: object) =>
    samples.find((each) => each.name === name && JSON.stringify(each.labels) === JSON.stringify(labels))
      ?.value;
  const check = (id: string) => value('hardening_check_status', { check: id });
  expect(Object.keys(sampleReport.checks).map(check)).toEqual(['0', '1', '3', '2']);
  const skipped = { check: 'certificateExpiry', target: '/etc/aziot/est/*.pem' };
  expect(value('hardening_finding_status', skipped)).toBe('4');
});

test("a check's own reasons start at 0 once it has examined something; common ones appear once counted", async () => {
  const metrics = create();
  const ran = (status: 'pass' | 'skip') => {
    const one = { ...finding(), status, ...(status === 'skip' && { reason: 'no_access' }) };
    const result = { id: 'diskSpace', startedAt: new Date(0), durationSeconds: 0, findings: [one] };
    metrics.count({ result, cause: 'schedule', transitions: 0, changes: [] });
  };
  const counted = async () =>
    samplesOf(await metrics.render(reportOf({}))).filter(
      ({ name }) => name === 'hardening_finding_reasons_total',
    );
  expect(await counted()).toEqual([]);
  ran('skip');
  expect((await counted()).map(({ labels, value }) => [labels.reason, value])).toEqual([['no_access', '1']]);
  ran('pass');
  const own = checks.find(({ id }) => id === 'diskSpace')?.reasons ?? [];
  expect((await counted()).map(({ labels, value }) => [labels.reason, value])).toEqual([
    ['no_access', '1'],
    ...own.map((reason) => [reason, '0']),
  ]);
});

test('findings that warn, fail or are unknown have their reason as a label, others have none', async () => {
  const samples = samplesOf(await render()).filter(({ name }) => name === 'hardening_finding_info');
  expect(samples.map(({ labels, value }) => [labels.check, labels.target, labels.reason, value])).toEqual([
    ['certificateExpiry', '/var/lib/aziot/certd/certs/deviceca.cer', 'expires_soon', '1'],
    ['diskSpace', '/data', 'timed_out', '1'],
    ['outboundReachability', 'https://mcr.microsoft.com/v2/', 'refused', '1'],
  ]);
});

test('exceptions are counted by their state', async () => {
  const { policy } = sampleReport;
  const exceptions = { active: 3, over: 1, unused: 0 };
  const samples = samplesOf(await create().render({ ...sampleReport, policy: { ...policy, exceptions } }));
  const counted = samples.filter(({ name }) => name === 'hardening_policy_exceptions');
  expect(counted.map(({ labels, value }) => [labels.state, value])).toEqual([
    ['active', '3'],
    ['over', '1'],
    ['unused', '0'],
  ]);
});

test('what is no longer in the report leaves no series', async () => {
  const metrics = create();
  await metrics.render(sampleReport);
  const page = await metrics.render(reportOf({ diskSpace: checkReport('Space', [finding()]) }));
  expect(page).not.toMatch(/mcr\.microsoft\.com|deviceca|time\.windows\.com|check="clockDrift",target/);
  expect(page).not.toMatch(/hardening_check_status\{check="clockDrift"\}/);
  expect(page).toContain('hardening_finding_status{check="diskSpace",target="/var/lib"} 0');
});

test('an unknown value has no sample', async () => {
  const page = await create({ hub: () => ({ ...sent, lastSuccess: undefined }) }).render(reportOf({}));
  const names = samplesOf(page).map(({ name }) => name);
  expect(names).not.toContain('hardening_report_last_success_timestamp_seconds');
  expect(names).not.toContain('hardening_clock_offset_seconds');
});

test('a value that is not finite has no sample and does not affect others', async () => {
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const readings = values.map((value, i) => ({
    gauge: 'clock_offset_seconds',
    labels: { source: `bad-${i}` },
    value,
  }));
  const good = { gauge: 'clock_offset_seconds', labels: { source: 'good' }, value: 0.5 };
  const report = reportOf({ clockDrift: checkReport('Clock', [finding({ readings: [...readings, good] })]) });
  const page = await render(report);
  expect(page).not.toMatch(/NaN|Inf|bad-/);
  expect(page).toContain('hardening_clock_offset_seconds{source="good"} 0.5');
});

test('totals that are counted elsewhere follow them, and start again with them', async () => {
  let patches = 3;
  let steps = 1;
  const metrics = create({
    hub: () => ({ ...sent, patches, patchBytes: patches * 100 }),
    total: (counter) => (nameOf(counter) === 'clock_steps_total' ? steps : 0.25),
  });
  await metrics.render(sampleReport);
  [patches, steps] = [5, 2];
  const page = await metrics.render(sampleReport);
  expect(page).toContain('hardening_twin_patches_total 5');
  expect(page).toContain('hardening_twin_patch_bytes_total 500');
  expect(page).toContain('hardening_clock_steps_total 2');
  expect(page).toContain('hardening_clock_suspended_seconds_total 0.25');
});

test('without a hub nothing was sent', async () => {
  const page = await create({ hub: () => undefined }).render(sampleReport);
  expect(page).toContain('hardening_twin_patches_total 0');
  expect(page).not.toContain('hardening_report_last_success_timestamp_seconds 1');
});

describe("the identity for Azure's metrics-collector", () => {
  test('labels: on every sample, and no target_info', async () => {
    const samples = samplesOf(await render(sampleReport, 'labels'));
    for (const { labels } of samples) expect(labels).toMatchObject(identity);
    expect(samples.map(({ name }) => name)).not.toContain('hardening_target_info');
  });

  test('info: once', async () => {
    const samples = samplesOf(await render(sampleReport, 'info'));
    const withIdentity = samples.filter(({ labels }) => 'iothub' in labels);
    expect(withIdentity).toEqual([{ name: 'hardening_target_info', labels: identity, value: '1' }]);
  });

  test('is absent in standalone mode', async () => {
    const metrics = create({ identity: {} });
    expect(await metrics.render(sampleReport)).not.toContain('target_info');
  });
});

describe("what Azure's metrics-collector can read", () => {
  const hostile = 'C:\\new "name"\n} 1 # {x="y"} {iothub}\r\u2028\u0000\u20ac';
  const evil = finding({
    target: hostile,
    status: 'fail',
    readings: [{ gauge: 'certificate_not_after_timestamp_seconds', labels: { subject: hostile }, value: 1 }],
  });
  const reports: [string, Report][] = [
    ['the sample report', sampleReport],
    ['hostile names', reportOf({ certificateExpiry: checkReport('Dates', [evil]) })],
  ];
  test.each(
    reports.flatMap(([name, report]) => [[name, 'info', report] as const, [name, 'labels', report] as const]),
  )('every line of %s with %s', async (_, where, report) => {
    const page = await render(report, where);
    // As .NET's ReadLine sees them.
    const lines = page.split(/\r\n|\r|\n/);
    expect(lines.filter((line) => !collectorAccepts(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('hardening_')).length).toBe(samplesOf(page).length);
  });

  test('a target is unchanged, except for control characters', async () => {
    const samples = samplesOf(await render(reportOf({ certificateExpiry: checkReport('Dates', [evil]) })));
    const [first] = samples.filter(({ name }) => name === 'hardening_finding_status');
    expect(first?.labels.target).toBe('C:\\new "name" } 1 # {x="y"} {iothub} \u2028 \u20ac');
  });

  test.each(['a +Inf', 'a 1 1700000000000', 'a 1.0 ', 'a 1 # {trace="x"} 1', '{"a.b"} 1', 'a{b="\\q"} 1'])(
    'it does not accept %j',
    (line) => {
      expect(collectorAccepts(line)).toBe(false);
    },
  );
});

describe.skipIf(!have('promtool'))('promtool check metrics (Debian package prometheus)', () => {
  test.each(['info', 'labels'] as const)('accepts the page with %s', async (where) => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await render(sampleReport, where),
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
