import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRoot, type Issued } from '../../../simulator/workload/pki.ts';
import { maxSignatureChecks } from '../../../src/host/tls/signature-checks.ts';
import { network } from '../../support/fixtures/host-network.ts';
import { proxyServer, refusedPort, silentServer, tlsServer } from '../../support/servers/tcp.ts';

const never = new AbortController().signal;
let root: Issued;
let below: Issued;

beforeAll(async () => {
  root = await createRoot({ commonName: 'Test Root' });
  below = await root.issue({ commonName: 'Test Intermediate', ca: true });
});

const subjects = async (shown: Pick<Issued, 'chain' | 'key'>, given: Parameters<typeof network>[0] = {}) => {
  const { port } = await tlsServer(shown);
  const { certificates } = await network(given).presentedChain({ host: 'hub.test', port }, never);
  return certificates.map(({ subject }) => subject);
};

describe('the presented chain', () => {
  test('is only what the server sent, even when its root is trusted', async () => {
    const leaf = await below.issue({ commonName: 'hub', names: ['hub.test'] });
    expect(await subjects(leaf, { bundle: root.certificate })).toEqual(['CN=hub', 'CN=Test Intermediate']);
  });

  test('has issuers and dates, leaf first', async () => {
    const dates = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2021-01-01T00:00:00Z') };
    const leaf = await below.issue({ commonName: 'hub', names: ['hub.test'], ...dates });
    const { port } = await tlsServer(leaf);
    const { certificates } = await network({}).presentedChain({ host: 'hub.test', port }, never);
    const told = { subject: 'CN=hub', issuer: 'CN=Test Intermediate', ...dates };
    expect(certificates[0]).toMatchObject({ ...told, subjectAltNames: ['DNS:hub.test'], signer: 1 });
  });

  test('ends at a root that the server sends', async () => {
    const leaf = await root.issue({ commonName: 'hub' });
    expect(await subjects({ ...leaf, chain: leaf.chain + root.certificate })).toEqual([
      'CN=hub',
      'CN=Test Root',
    ]);
  });

  test.each([
    ['is for another name', () => root.issue({ commonName: 'leaf', names: ['other.test'] })],
    ['is self-signed', () => createRoot({ commonName: 'leaf' })],
  ])('is read even when it %s', async (_, make) => {
    expect(await subjects(await make())).toEqual(['CN=leaf']);
  });

  test('is read through the proxy', async () => {
    const { port } = await tlsServer(await root.issue({ commonName: 'hub' }));
    const proxy = await proxyServer({ upstreamPort: port });
    const { presentedChain } = network({ httpsProxy: `http://127.0.0.1:${proxy.port}` });
    expect(await presentedChain({ host: 'hub.test', port: 443 }, never)).toMatchObject({
      certificates: [{ subject: 'CN=hub' }],
    });
  });
});

describe('what a presented chain is worth', () => {
  const given = async (shown: Pick<Issued, 'chain' | 'key'>, how: Parameters<typeof network>[0]) => {
    const { port } = await tlsServer(shown);
    return network(how).presentedChain({ host: 'hub.test', port }, never);
  };

  test('is separate from the chain: the name it is for, and the authority it leads to', async () => {
    const leaf = await below.issue({ commonName: 'hub', names: ['hub.test'] });
    const chain = await given(leaf, { bundle: root.certificate });
    expect(chain).toMatchObject({ namesHost: true, authority: { subject: 'CN=Test Root', isCa: true } });
    expect(chain).not.toHaveProperty('trustProblem');
  });

  test('is nothing where the authority is unknown, an intermediate is missing or the name is another', async () => {
    const leaf = await below.issue({ commonName: 'hub', names: ['other.test'] });
    expect(await given(leaf, {})).not.toHaveProperty('authority');
    const alone = { ...leaf, chain: leaf.certificate };
    expect(await given(alone, { bundle: root.certificate })).not.toHaveProperty('authority');
    expect(await given(leaf, { bundle: root.certificate })).toMatchObject({ namesHost: false });
  });

  test('leaves dates out of account', async () => {
    const past = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2021-01-01T00:00:00Z') };
    const leaf = await below.issue({ commonName: 'hub', names: ['hub.test'], ...past });
    expect(await given(leaf, { bundle: root.certificate })).toMatchObject({
      authority: { subject: 'CN=Test Root' },
    });
  });

  test('says why the trust bundle is not among the authorities', async () => {
    const workload = { trustBundle: () => Promise.reject(new Error('no workload API')) };
    expect(await given(below, { workload })).toMatchObject({
      trustProblem: expect.stringContaining('no workload API'),
    });
  });
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s is spoken, with the name as SNI', async (version) => {
  const leaf = await below.issue({ commonName: 'hub', names: ['hub.test'] });
  const asked: string[] = [];
  const server = createServer({
    cert: leaf.chain,
    key: leaf.key,
    minVersion: version,
    maxVersion: version,
    SNICallback: (name, answer) => {
      asked.push(name);
      answer(null);
    },
  });
  server.on('tlsClientError', () => undefined);
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { certificates } = await network({}).presentedChain({ host: 'hub.test', port }, never);
  expect(certificates.map(({ subject }) => subject)).toEqual(['CN=hub', 'CN=Test Intermediate']);
  expect(asked).toEqual(['hub.test']);
});

describe('a server that demands a certificate of the client', () => {
  const demanding = async (version: 'TLSv1.2' | 'TLSv1.3', served: Issued) => {
    const server = createServer({
      cert: served.chain,
      key: served.key,
      maxVersion: version,
      minVersion: version,
      requestCert: true,
      rejectUnauthorized: true,
    });
    server.on('tlsClientError', () => undefined);
    onTestFinished(() => void server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s is read all the same', async (version) => {
    const past = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2021-01-01T00:00:00Z') };
    const port = await demanding(
      version,
      await below.issue({ commonName: 'est', names: ['hub.test'], ...past }),
    );
    const chain = await network({ bundle: root.certificate }).presentedChain(
      { host: 'hub.test', port },
      never,
    );
    expect(chain).toMatchObject({
      certificates: [{ subject: 'CN=est', ...past }, { subject: 'CN=Test Intermediate' }],
      namesHost: true,
      authority: { subject: 'CN=Test Root' },
    });
    // Over TLS 1.2 the handshake fails before there is a verdict.
    expect('verification' in chain).toBe(version === 'TLSv1.3');
  });
});

describe('the verdict of the TLS library', () => {
  const verdictOn = async (served: Pick<Issued, 'chain' | 'key'>, bundle: string) => {
    const { port } = await tlsServer(served);
    return (await network({ bundle }).presentedChain({ host: 'hub.test', port }, never)).verification;
  };

  test('is given with its name and in words', async () => {
    const leaf = await below.issue({ commonName: 'hub', names: ['hub.test'] });
    expect(await verdictOn(leaf, root.certificate)).toEqual({ accepted: true });
    expect(await verdictOn(leaf, '')).toEqual({
      accepted: false,
      code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      clause: 'its issuer is not trusted',
    });
  });

  test('and the authority are those of an intermediate where only that one is trusted', async () => {
    const leaf = await below.issue({ commonName: 'hub', names: ['hub.test'] });
    const { port } = await tlsServer(leaf);
    const chain = await network({ bundle: below.certificate }).presentedChain(
      { host: 'hub.test', port },
      never,
    );
    expect(chain).toMatchObject({
      authority: { subject: 'CN=Test Intermediate', selfSigned: false },
      verification: { accepted: false, code: 'UNABLE_TO_GET_ISSUER_CERT' },
    });
    const { authority } = await network({ bundle: below.certificate + root.certificate }).presentedChain(
      { host: 'hub.test', port },
      never,
    );
    expect(authority).toMatchObject({ subject: 'CN=Test Root' });
  });
});

test('of a chain full of CAs with one name, a bounded number of signatures is checked', async () => {
  const leaf = await createRoot({ commonName: 'hub' });
  const signer = await (await createRoot({ commonName: 'R' })).issue({ commonName: 'R', ca: true });
  const served = await signer.issue({ commonName: 'hub' });
  const imposters = await Promise.all(Array.from({ length: 80 }, () => createRoot({ commonName: 'R' })));
  const { port } = await tlsServer({
    key: served.key,
    chain: served.certificate + imposters.map(({ certificate }) => certificate).join(''),
  });
  const verify = vi.spyOn(X509Certificate.prototype, 'verify');
  onTestFinished(() => verify.mockRestore());
  const { certificates, trustProblem } = await network({ bundle: leaf.certificate }).presentedChain(
    { host: 'hub.test', port },
    never,
  );
  expect(certificates).toHaveLength(81);
  expect(verify.mock.calls.length).toBeLessThanOrEqual(maxSignatureChecks);
  expect(trustProblem).toBe('its chain has 81 certificates, more than are followed');
});

test('a server that cannot be reached is unreachable, with why', async () => {
  const port = await refusedPort();
  await expect(network({}).presentedChain({ host: 'hub.test', port }, never)).rejects.toMatchObject({
    name: 'CannotTell',
    reason: 'unreachable',
    message: `hub.test:${port} could not be reached: 127.0.0.1:${port} refused the connection (ECONNREFUSED)`,
  });
});

test.each<[string, TlsOptions]>([
  ['old version alone', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }],
  ['cipher that nobody has', { maxVersion: 'TLSv1.2', ciphers: 'PSK' }],
])('a server with an %s is unreachable, in words that do not change', async (_, options) => {
  const { chain: cert, key } = await root.issue({ commonName: 'hub' });
  const server = createServer({ cert, key, ...options });
  server.on('tlsClientError', () => undefined);
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(network({}).presentedChain({ host: 'hub.test', port }, never)).rejects.toMatchObject({
    reason: 'unreachable',
    message: expect.stringMatching(/could not be reached: The TLS handshake failed: [\w ]+ \(ERR_SSL_\w+\)$/),
  });
});

test('a silent server is abandoned at the deadline, with what was waited for', async () => {
  const { port, asked } = await silentServer();
  const chain = network({}).presentedChain({ host: 'hub.test', port }, asked);
  await expect(chain).rejects.toMatchObject({
    reason: 'timed_out',
    message: `No answer to the TLS handshake with hub.test:${port}, which accepted the TCP connection`,
  });
  await expect(chain).rejects.toHaveProperty('cause', asked.reason);
});

test("a silent server is abandoned when the agent stops, with the signal's reason", async () => {
  const { port, asked } = await silentServer();
  const stopping = new AbortController();
  const reason = new Error('stopping');
  asked.addEventListener('abort', () => stopping.abort(reason));
  const chain = network({}).presentedChain({ host: 'hub.test', port }, stopping.signal);
  await expect(chain).rejects.toBe(reason);
});
