import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRoot } from '../../simulator/workload/pki.ts';
import type { Check } from '../../src/check.ts';
import { certificateChain } from '../../src/checks/certificates/certificate-chain.ts';
import { certificateExpiry } from '../../src/checks/certificates/certificate-expiry.ts';
import { createCertificates } from '../../src/host/certificates/certificates.ts';
import { createFiles, readMountinfo } from '../../src/host/files/files.ts';
import { runCheck } from '../../src/run/runner.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { tempFolder } from '../support/temp-folder.ts';

const { signal } = new AbortController();
const leaf = await (await createRoot({ commonName: 'root' })).issue({ commonName: 'leaf' });

async function lookAt(count: number, check: Check) {
  const hostRoot = await tempFolder();
  const folder = join(hostRoot, 'var/lib/aziot/certd/certs');
  mkdirSync(folder, { recursive: true });
  for (let n = 0; n < count; n++) writeFileSync(join(folder, `${n}.cer`), leaf.chain);
  let reads = 0;
  let looksAtMounts = 0;
  const files = createFiles({
    hostRoot,
    mountinfo: () => {
      looksAtMounts += 1;
      return readMountinfo();
    },
  });
  const certificates = createCertificates({
    read: (path, during) => {
      reads += 1;
      return files.read(path, during);
    },
  });
  const host = fakeHost({ findFiles: files.find, certificates, now: () => new Date() });
  const params = check.params.parse({ endpoints: [] });
  const heldBefore = process.memoryUsage().rss;
  const cpuBefore = process.cpuUsage();
  const { findings, durationSeconds } = await runCheck(check, params, host, 60, signal);
  const { user, system } = process.cpuUsage(cpuBefore);
  const heldMiB = (process.memoryUsage().rss - heldBefore) / 1_048_576;
  return { findings, durationSeconds, cpuSeconds: (user + system) / 1e6, heldMiB, reads, looksAtMounts };
}

test.each([certificateExpiry, certificateChain])(
  'a thousand certificates take $id less than 2 s of the processor, and one read each',
  async (check) => {
    const { findings, cpuSeconds, durationSeconds, reads, looksAtMounts } = await lookAt(1000, check);
    expect(findings).toMatchObject([{ status: 'pass', message: expect.stringContaining('All 1000 files') }]);
    expect(reads).toBe(1000);
    expect(looksAtMounts).toBeLessThanOrEqual(1 + Math.ceil(durationSeconds));
    expect(cpuSeconds).toBeLessThan(2);
  },
  60_000,
);

test('ten thousand files are one finding, in memory that does not grow with them', async () => {
  const { findings, reads, heldMiB } = await lookAt(10_000, certificateExpiry);
  expect(findings).toMatchObject([{ status: 'pass', message: expect.stringContaining('All 10000 files') }]);
  expect(reads).toBe(10_000);
  expect(heldMiB).toBeLessThan(64);
}, 120_000);
