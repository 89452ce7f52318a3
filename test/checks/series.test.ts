import { expect, test } from 'vitest';
import { CannotTell, type Check } from '../../src/check.ts';
import { checks } from '../../src/checks/index.ts';
import type { Host } from '../../src/host.ts';
import { defaultPolicy } from '../../src/policy/in-force.ts';
import { runCheck } from '../../src/run/runner.ts';
import { createMetrics } from '../../src/sinks/metrics.ts';
import { samplesOf } from '../support/exposition.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { checkReport, reportOf } from '../support/fixtures/sample-report.ts';
import { findSamples, sampleNow as now, sampleNames } from '../support/fixtures/samples.ts';

/** Every series after a run of all checks by the default policy. */
async function seriesOf(hostOf: (check: Check) => Partial<Host>) {
  const { policy, acceptedAt } = defaultPolicy(checks, now);
  const metrics = createMetrics({
    checks,
    build: { version: '1.0.0', revision: 'abcdef0' },
    identity: { iothub: 'a', edge_device: 'b', module_name: 'c', instance_number: 'd' },
    where: 'info',
    total: () => 1,
    hub: () => ({ lastSuccess: now, patches: 1, patchBytes: 1 }),
    policyAcceptedAt: () => acceptedAt,
  });
  const reports = checks.map(async (check) => {
    const { signal } = new AbortController();
    const host = fakeHost({ now: () => now, names: sampleNames, ...hostOf(check) });
    const result = await runCheck(check, policy.checks[check.id] ?? {}, host, 5, signal);
    metrics.count({ result, cause: 'schedule', transitions: 0, changes: [] });
    const confirmed = result.findings.map((finding) => ({ ...finding, since: now.toISOString() }));
    return [check.id, checkReport(check.title, confirmed)] as const;
  });
  return samplesOf(await metrics.render(reportOf(Object.fromEntries(await Promise.all(reports)))));
}

const samples = await findSamples();
const everything = (check: Check) => samples.get(check.id)?.good.host ?? {};
/** What only a mount or the engine's socket gives. */
const mounted: readonly string[] = [
  'containerEngine',
  'containerPosture',
  'filePermissions',
  'listeningPorts',
  'sshSettings',
  'tpm',
];

test('the default policy produces at most 370 series on a device with ten modules, as the template deploys it', async () => {
  const nothing = async (): Promise<never> => {
    throw new CannotTell('no_access', 'It is not mounted');
  };
  const series = await seriesOf((check) =>
    mounted.includes(check.id)
      ? Object.fromEntries(check.uses.map((method) => [method, nothing]))
      : everything(check),
  );
  expect(series.length).toBeLessThanOrEqual(370);
});

test('with access for every check it produces at most 430', async () => {
  const series = await seriesOf(everything);
  // Proves that the count includes every gauge of every check.
  const names = new Set(series.map(({ name }) => name));
  for (const gauge of checks.flatMap(({ gauges = {} }) => Object.keys(gauges))) {
    expect(names).toContain(`hardening_${gauge}`);
  }
  console.log(`${series.length} series`);
  expect(series.length).toBeLessThanOrEqual(430);
});
