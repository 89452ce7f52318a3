import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { startSntpServer } from '../simulator/sntp-server.ts';
import { createRoot, type Issued } from '../simulator/workload/pki.ts';
import type { Defer } from './program.ts';

/** How much is done. */
export interface Size {
  readonly repetitions: number;
  readonly targets: number;
  readonly certificates: number;
  /** GETs of one repetition, of one kind. */
  readonly gets: number;
  /** How long programs are watched doing nothing, in one repetition. */
  readonly idleSeconds: number;
}

export const usual: Size = { repetitions: 5, targets: 100, certificates: 500, gets: 100, idleSeconds: 5 };
/** Shows that everything can be measured; its figures mean nothing. */
export const quick: Size = { repetitions: 1, targets: 5, certificates: 10, gets: 5, idleSeconds: 0.2 };

/** What the programs look at, all of it on loopback and in one temporary folder. */
export interface World {
  readonly size: Size;
  readonly folder: string;
  /** A folder with as many certificates as `size` says, and one with four, as certd has on a device. */
  readonly certificates: { readonly many: string; readonly few: string };
  /** The authority of the TLS targets, PEM. */
  readonly authorityFile: string;
  /** TLS servers, `127.0.0.1:port`. */
  readonly targets: readonly string[];
  /** An SNTP server, `127.0.0.1:port`. */
  readonly timeServer: string;
  readonly defer: Defer;
}

export async function createWorld(size: Size, defer: Defer): Promise<World> {
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
    // Who has seen the certificate may go without a word.
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
