import { expect, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { defaultPolicy } from '../../src/policy/in-force.ts';
import { runCheck } from '../../src/run/runner.ts';
import { createMetrics } from '../../src/sinks/metrics.ts';
import { samplesOf } from '../support/exposition.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { checkReport, reportOf } from '../support/fixtures/sample-report.ts';
import { findSamples, sampleNow as now, sampleNames } from '../support/fixtures/samples.ts';

test('the default policy produces at most 350 series on a device with ten modules', async () => {
  const samples = await findSamples();
  const { policy, acceptedAt } = defaultPolicy(checks, now);
  const reports = checks.map(async (check) => {
    const { signal } = new AbortController();
    const good = samples.get(check.id)?.good;
    const host = fakeHost({ now: () => now, names: sampleNames, ...good?.host });
    const { findings } = await runCheck(check, policy.checks[check.id] ?? {}, host, 5, signal);
    const confirmed = findings.map((finding) => ({ ...finding, since: now.toISOString() }));
    return [check.id, checkReport(check.title, confirmed)] as const;
  });
  const report = reportOf(Object.fromEntries(await Promise.all(reports)));
  const metrics = createMetrics({
    checks,
    build: { version: '1.0.0', revision: 'abcdef0' },
    identity: { iothub: 'a', edge_device: 'b', module_name: 'c', instance_number: 'd' },
    where: 'info',
    total: () => 1,
    hub: () => ({ lastSuccess: now, patches: 1, patchBytes: 1 }),
    policyAcceptedAt: () => acceptedAt,
  });
  const series = samplesOf(await metrics.render(report));
  // Proves that the count includes every gauge of every check.
  const names = new Set(series.map(({ name }) => name));
  for (const gauge of checks.flatMap(({ gauges = {} }) => Object.keys(gauges))) {
    expect(names).toContain(`hardening_${gauge}`);
  }
  expect(series.length).toBeLessThanOrEqual(350);
});
