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

async function examine(count: number, check: Check) {
  const hostRoot = await tempFolder();
  const folder = join(hostRoot, 'var/lib/aziot/certd/certs');
  mkdirSync(folder, { recursive: true });
  for (let n = 0; n < count; n++) writeFileSync(join(folder, `${n}.cer`), leaf.chain);
  let reads = 0;
  let mountTableReads = 0;
  const files = createFiles({
    hostRoot,
    mountinfo: () => {
      mountTableReads += 1;
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
  const { findings, durationSeconds } = await runCheck(check, params, host, 60, signal);
  const heldMiB = (process.memoryUsage().rss - heldBefore) / 1_048_576;
  return { findings, durationSeconds, heldMiB, reads, mountTableReads };
}

test.each([certificateExpiry, certificateChain])(
  '$id reads each of a thousand certificates once, and the mount table at most once a second',
  async (check) => {
    const { findings, durationSeconds, reads, mountTableReads } = await examine(1000, check);
    expect(findings).toMatchObject([{ status: 'pass', message: expect.stringContaining('All 1000 files') }]);
    expect(reads).toBe(1000);
    expect(mountTableReads).toBeLessThanOrEqual(1 + Math.ceil(durationSeconds));
  },
  60_000,
);

test('ten thousand files are one finding, in memory that does not grow with them', async () => {
  const { findings, reads, heldMiB } = await examine(10_000, certificateExpiry);
  expect(findings).toMatchObject([{ status: 'pass', message: expect.stringContaining('All 10000 files') }]);
  expect(reads).toBe(10_000);
  expect(heldMiB).toBeLessThan(64);
}, 120_000);
