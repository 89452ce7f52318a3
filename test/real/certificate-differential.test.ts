import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, createServer } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Verdict } from '../../src/check.ts';
import { certificateChain } from '../../src/checks/certificates/certificate-chain.ts';
import { createCertificates } from '../../src/host/certificates/certificates.ts';
import type { PresentedChain } from '../../src/host/certificates/types.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { network } from '../support/fixtures/host-network.ts';
import { have } from '../support/programs/installed.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { createChainGenerator, type GeneratedChain } from './certificate-generator.ts';

const { signal } = new AbortController();
const count = 600;
let chains: readonly GeneratedChain[];

beforeAll(() => {
  const generate = createChainGenerator(20_261_121);
  chains = Array.from({ length: count }, (_, number) => generate(number));
});

type ChainVerdict = Verdict<string>;

/** Every reason that a verdict fails for. */
function failures(verdict: ChainVerdict): readonly string[] {
  if (verdict.status === 'pass') return [];
  return [verdict, ...(verdict.also ?? [])].flatMap(({ status, reason }) =>
    status === 'fail' ? [reason] : [],
  );
}

const shown = ({ status, message }: ChainVerdict): string => `${status} ${message}`;

/** X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED. */
const dateErrors = ['9', '10'];

describe.skipIf(!have('openssl'))('files, compared with openssl verify (apt-get install openssl)', () => {
  /** Paths of the leaves that OpenSSL accepts for a purpose, dates left out of account. */
  async function acceptedFor(purpose: readonly string[]): Promise<ReadonlySet<number>> {
    const folder = await tempFolder();
    const write = (name: string, pems: readonly string[]) => {
      writeFileSync(join(folder, name), pems.join(''));
      return join(folder, name);
    };
    const trusted = write(
      'trusted.pem',
      chains.flatMap(({ roots }) => roots.map(({ pem }) => pem)),
    );
    const untrusted = write(
      'untrusted.pem',
      chains.flatMap(({ leaf, others }) => [leaf, ...others].map(({ pem }) => pem)),
    );
    const leaves = chains.map(({ leaf }, i) => write(`${i}.pem`, [leaf.pem]));
    const args = ['verify', ...purpose, '-trusted', trusted, '-untrusted', untrusted, ...leaves];
    const { stderr } = spawnSync('openssl', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    const rejected = new Set<number>();
    let codes: string[] = [];
    for (const line of stderr.split('\n')) {
      codes.push(...(/^error (\d+) at \d+ depth/.exec(line)?.slice(1) ?? []));
      const file = /(\d+)\.pem: verification failed$/.exec(line)?.[1];
      if (file === undefined) continue;
      if (codes.some((code) => !dateErrors.includes(code))) rejected.add(Number(file));
      codes = [];
    }
    return new Set([...chains.keys()].filter((i) => !rejected.has(i)));
  }

  async function verdictOf({ leaf, others }: GeneratedChain): Promise<ChainVerdict> {
    const bytes = Buffer.from([leaf, ...others].map(({ pem }) => pem).join(''));
    const certificates = createCertificates({ read: async () => bytes });
    const params = certificateChain.params.parse({ files: ['/chain.pem'], endpoints: [] });
    const host = fakeHost({ certificates, now: () => new Date() });
    const [subject] = await certificateChain.subjects(params, host, signal);
    if (!subject) throw new Error('The check lists no subject');
    return certificateChain.examine(subject, params, host, signal);
  }

  test(`of ${count} chains, what OpenSSL rejects is reported, and what it accepts does not fail`, async () => {
    const [server, client, any] = await Promise.all([
      acceptedFor(['-purpose', 'sslserver']),
      acceptedFor(['-purpose', 'sslclient']),
      acceptedFor([]),
    ]);
    const different: string[] = [];
    let accepted = 0;
    for (const [i, chain] of chains.entries()) {
      const verdict = await verdictOf(chain);
      const isTls = server.has(i) || client.has(i);
      const openssl = chain.isForTls ? isTls : any.has(i);
      accepted += Number(openssl);
      const fails = failures(verdict).filter((reason) => !chain.decided.includes(reason));
      if (openssl ? fails.length > 0 : verdict.status === 'pass') {
        different.push(`${chain.how} | openssl ${openssl ? 'accepts' : 'rejects'} | ${shown(verdict)}`);
      }
    }
    expect(different).toEqual([]);
    // Proves that the generator makes enough of both.
    expect(accepted).toBeGreaterThan(count / 4);
    expect(accepted).toBeLessThan((count * 3) / 4);
  }, 120_000);
});

test(`presented chains: of ${count}, what Node.js rejects fails, and what it accepts does not`, async () => {
  const certificateOf = ({ leaf, others }: GeneratedChain) =>
    [leaf, ...others].map(({ pem }) => pem).join('');
  const server = createServer({
    SNICallback: (name, answer) => {
      const chain = chains[Number(/^n(\d+)\./.exec(name)?.[1])];
      if (!chain) throw new Error(`No chain has the name ${name}`);
      const key = chain.leaf.keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
      answer(null, createSecureContext({ cert: certificateOf(chain), key }));
    },
  });
  server.on('tlsClientError', () => undefined);
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const bundle = chains.map(({ trusted }) => trusted.pem).join('');
  const { presentedChain } = network({ bundle });

  async function verdictOf(gateway: string, chain: PresentedChain): Promise<ChainVerdict> {
    const params = certificateChain.params.parse({ files: [], endpoints: ['edgehub'] });
    const host = fakeHost({ presentedChain: async () => chain, names: { gateway }, now: () => new Date() });
    const [subject] = await certificateChain.subjects(params, host, signal);
    if (!subject) throw new Error('The check lists no subject');
    return certificateChain.examine(subject, params, host, signal);
  }

  const different: string[] = [];
  const codes = new Map<string, number>();
  // Judged both with the verdict of Node.js and without it, as where a server demands a certificate of the client.
  for (const [i, { how }] of chains.entries()) {
    const endpoint = { host: `n${i}.test`, port };
    const chain = await presentedChain(endpoint, signal);
    const { verification, ...unverified } = chain;
    if (!verification) throw new Error(`${how}: there is no verdict of Node.js`);
    const code = verification.accepted ? 'OK' : verification.code;
    codes.set(code, (codes.get(code) ?? 0) + 1);
    const isDate = code === 'CERT_HAS_EXPIRED';
    const withVerdict = await verdictOf(`n${i}.test:${port}`, chain);
    const without = await verdictOf(`n${i}.test:${port}`, unverified);
    for (const verdict of [withVerdict, without]) {
      const fails = failures(verdict).filter((reason) => reason !== 'wrong_order');
      const rejects = verdict === without ? verdict.status !== 'pass' : fails.length > 0;
      const agrees = isDate || (verification.accepted ? fails.length === 0 : rejects);
      if (!agrees) different.push(`${how} | ${code} | ${verdict === without ? 'own ' : ''}${shown(verdict)}`);
    }
    if (isDate && /nothing wrong$/.test(withVerdict.message))
      different.push(`${how} | ${code} | ${shown(withVerdict)}`);
  }
  expect(different).toEqual([]);
  expect(codes.get('OK')).toBeGreaterThan(count / 5);
  expect(codes.size).toBeGreaterThan(5);
}, 120_000);
