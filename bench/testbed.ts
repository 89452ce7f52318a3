import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { startSntpServer } from '../simulator/sntp-server.ts';
import { createRoot, type Issued } from '../simulator/workload/pki.ts';
import type { Defer } from './programs/program.ts';

/** The amount of work. */
export interface Size {
  readonly repetitions: number;
  readonly targets: number;
  readonly certificates: number;
  /** GETs per repetition and kind of connection. */
  readonly gets: number;
  /** The least time of the GETs over several connections, per repetition. */
  readonly loadSeconds: number;
  /** Idle time per repetition, as often as there are kinds of programs. */
  readonly idleSeconds: number;
  /** Runs, and scrapes, after which memory is measured. */
  readonly runs: number;
  readonly growth: { readonly few: number; readonly manyCertificates: number; readonly manyTargets: number };
}

export const fullSize: Size = {
  repetitions: 5,
  targets: 100,
  certificates: 500,
  gets: 100,
  loadSeconds: 5,
  idleSeconds: 12,
  runs: 1000,
  // A policy has at most 512 targets.
  growth: { few: 10, manyCertificates: 1000, manyTargets: 500 },
};
/** Shows that every measurement works. Its results are not meaningful. */
export const quickSize: Size = {
  repetitions: 1,
  targets: 5,
  certificates: 10,
  gets: 5,
  loadSeconds: 0,
  idleSeconds: 0.2,
  runs: 5,
  growth: { few: 2, manyCertificates: 10, manyTargets: 5 },
};

/** The servers and files that the programs check: all on loopback and in one temporary folder. */
export interface Testbed {
  readonly size: Size;
  readonly folder: string;
  /** A folder with so many certificates. */
  certificates(kind: 'valid' | 'expired', count: number): string;
  /** The PEM file of the CA that issued the certificates of the TLS targets. */
  readonly authorityFile: string;
  /** TLS servers as `127.0.0.1:port`. */
  readonly targets: readonly string[];
  /** An SNTP server as `127.0.0.1:port`. */
  readonly timeServer: string;
  readonly defer: Defer;
  /** Shows what is being measured. */
  progress(what: string, step: number): void;
}

/** What certd keeps on a device. */
export const typicalCertificates = 4;

export async function createTestbed(
  size: Size,
  defer: Defer,
  progress: Testbed['progress'],
): Promise<Testbed> {
  const folder = await mkdtemp(join(tmpdir(), 'hardening-bench-'));
  defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const time = await startSntpServer();
  defer(time.close);

  progress('servers and certificates', 0);
  const root = await createRoot({ commonName: 'bench root' });
  const authorityFile = join(folder, 'root.pem');
  await writeFile(authorityFile, root.certificate);
  const server = await root.issue({ commonName: 'target', names: ['127.0.0.1'] });
  const targets: string[] = [];
  while (targets.length < Math.max(size.targets, size.growth.manyTargets))
    targets.push(`127.0.0.1:${await listen(server, defer)}`);

  const certificates = (kind: string, count: number) => join(folder, `${kind}-${count}`);
  const { few, manyCertificates } = size.growth;
  const counts = {
    valid: [typicalCertificates, size.certificates, few, manyCertificates],
    expired: [few, manyCertificates],
  };
  const expired = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
  await writeCertificates(
    root,
    counts.valid.map((count) => certificates('valid', count)),
    counts.valid,
  );
  await writeCertificates(
    root,
    counts.expired.map((count) => certificates('expired', count)),
    counts.expired,
    expired,
  );
  const timeServer = `127.0.0.1:${time.port}`;
  return { size, folder, certificates, authorityFile, targets, timeServer, defer, progress };
}

async function listen({ chain, key }: Issued, defer: Defer): Promise<number> {
  const server = createServer({ cert: chain, key }, (socket) => {
    // A client may disconnect right after the handshake.
    socket.on('error', () => undefined);
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  defer(() => server.close());
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

/** Fills each folder with as many certificates as its count. */
async function writeCertificates(
  root: Issued,
  folders: readonly string[],
  counts: readonly number[],
  validity: { readonly notBefore?: Date; readonly notAfter?: Date } = {},
): Promise<void> {
  for (const folder of folders) await mkdir(folder, { recursive: true });
  for (let n = 0; n < Math.max(...counts); n += 1) {
    const { certificate } = await root.issue({ commonName: `certificate ${n}`, ...validity });
    for (const [i, folder] of folders.entries()) {
      if (n < (counts[i] ?? 0)) await writeFile(join(folder, `${n}.pem`), certificate);
    }
  }
}
