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
  /** Idle time per repetition. */
  readonly idleSeconds: number;
}

export const fullSize: Size = { repetitions: 5, targets: 100, certificates: 500, gets: 100, idleSeconds: 5 };
/** Shows that every measurement works. Its results are not meaningful. */
export const quickSize: Size = { repetitions: 1, targets: 5, certificates: 10, gets: 5, idleSeconds: 0.2 };

/** The servers and files that the programs check: all on loopback and in one temporary folder. */
export interface Testbed {
  readonly size: Size;
  readonly folder: string;
  /** Two folders: one with `size.certificates` certificates, one with four, the number certd keeps on a device. */
  readonly certificates: { readonly many: string; readonly few: string };
  /** The PEM file of the CA that issued the certificates of the TLS targets. */
  readonly authorityFile: string;
  /** TLS servers as `127.0.0.1:port`. */
  readonly targets: readonly string[];
  /** An SNTP server as `127.0.0.1:port`. */
  readonly timeServer: string;
  readonly defer: Defer;
}

export async function createTestbed(size: Size, defer: Defer): Promise<Testbed> {
  const folder = await mkdtemp(join(tmpdir(), 'hardening-bench-'));
  defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const time = await startSntpServer();
  defer(time.close);

  const root = await createRoot({ commonName: 'bench root' });
  const authorityFile = join(folder, 'root.pem');
  await writeFile(authorityFile, root.certificate);
  const server = await root.issue({ commonName: 'target', names: ['127.0.0.1'] });
  const targets: string[] = [];
  while (targets.length < size.targets) targets.push(`127.0.0.1:${await listen(server, defer)}`);

  const many = join(folder, 'many');
  const few = join(folder, 'few');
  await writeCertificates(root, many, size.certificates);
  await writeCertificates(root, few, 4);
  const certificates = { many, few };
  return { size, folder, certificates, authorityFile, targets, timeServer: `127.0.0.1:${time.port}`, defer };
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

async function writeCertificates(root: Issued, folder: string, count: number): Promise<void> {
  await mkdir(folder);
  for (let n = 0; n < count; n += 1) {
    const { certificate } = await root.issue({ commonName: `certificate ${n}` });
    await writeFile(join(folder, `${n}.pem`), certificate);
  }
}
