import { expect, test } from 'vitest';
import type { Check } from '../../src/check.ts';
import { checks } from '../../src/checks/index.ts';
import type { Certificate } from '../../src/host/certificates/types.ts';
import { probePhases } from '../../src/host/network/types.ts';
import type { Host } from '../../src/host.ts';
import { defaultPolicy } from '../../src/policy/in-force.ts';
import { runCheck } from '../../src/run/runner.ts';
import { createMetrics } from '../../src/sinks/metrics.ts';
import { certificateWith, presentedWith } from '../support/certificates.ts';
import { samplesOf } from '../support/exposition.ts';
import { fakeHost, memoryOf } from '../support/fake-host.ts';
import { checkReport, reportOf } from '../support/sample-report.ts';

const gib = 2 ** 30;
const year = 31_536_000_000;
const now = new Date('2026-11-21T20:30:00Z');

const chainOf = (name: string, length: number): Certificate[] =>
  Array.from({ length }, (_, i) =>
    certificateWith({
      subject: `CN=${name} ${i}`,
      issuer: `CN=${name} ${i + 1}`,
      notBefore: new Date(now.getTime() - year / 4),
      notAfter: new Date(now.getTime() + year),
      isCa: i > 0,
      ...(i + 1 < length ? { signer: i + 1 } : {}),
    }),
  );

/** What certd keeps, however many modules there are. */
const certificates = ['aziot-edgedca', 'edgeHub-server', 'deviceid', 'est-bootstrap', 'est-identity'];

/** An ordinary device with ten modules, on which every look-up brings all it can bring. */
const device: Partial<Host> = {
  now: () => now,
  names: { iothub: 'example.azure-devices.net', gateway: 'line-4-gateway', device: 'line-4-gateway' },
  sntp: async () => ({ offsetSeconds: 0.01, errorSeconds: 0.02 }),
  chrony: async () => ({ offsetSeconds: 0.01, errorSeconds: 0.02 }),
  clockEvents: () => [],
  findFiles: async () => certificates.map((name) => `/var/lib/aziot/certd/certs/${name}.cer`),
  certificates: async (path) => chainOf(path, 2),
  presentedChain: async ({ host }) => presentedWith(chainOf(host, 3)),
  filesystem: async (measured) => ({
    measured,
    sizeBytes: 64 * gib,
    usedBytes: 40 * gib,
    availableBytes: 24 * gib,
    files: 2 ** 22,
    filesFree: 2 ** 21,
    readOnly: false,
  }),
  probe: async ({ host }) => ({
    seconds: Object.fromEntries(probePhases.map((phase) => [phase, 0.1])),
    ...(host === '8.8.8.8' && { failure: { reason: 'refused', detail: 'It refused' } }),
  }),
  // It fills, and will be full in forty days.
  memory: memoryOf((_, value) =>
    Array.from({ length: 45 * 24 }, (_, hour) => ({
      at: now.getTime() / 1000 - (45 * 24 - 1 - hour) * 3600,
      value: value - ((45 * 24 - 1 - hour) / 24) * 0.6 * gib,
    })),
  ),
  engineUsage: async () => undefined,
  memoryProblem: () => undefined,
  lookUp: async () => ({ addresses: ['192.0.2.1'], seconds: 0.1 }),
};

test('the default policy makes fewer than 250 series on a device with ten modules', async () => {
  const { policy, acceptedAt } = defaultPolicy(checks, now);
  const look = async (check: Check) => {
    const { signal } = new AbortController();
    const { findings } = await runCheck(check, policy.checks[check.id] ?? {}, fakeHost(device), 5, signal);
    expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    const told = findings.map((finding) => ({ ...finding, since: now.toISOString() }));
    return [check.id, checkReport(check.title, told)] as const;
  };
  const report = reportOf(Object.fromEntries(await Promise.all(checks.map(look))));
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
  // Every gauge of every check has brought something, so that the count is honest.
  const names = new Set(series.map(({ name }) => name));
  for (const gauge of checks.flatMap(({ gauges = {} }) => Object.keys(gauges))) {
    expect(names).toContain(`hardening_${gauge}`);
  }
  expect(series.length).toBeLessThan(250);
});
