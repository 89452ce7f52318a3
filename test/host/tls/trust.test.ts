import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { createRoot, type Issued } from '../../../simulator/workload/pki.ts';
import { createWorkload } from '../../../src/host/edge/workload.ts';
import { createTrust } from '../../../src/host/tls/trust.ts';
import { unixHttpServer } from '../../support/servers/tcp.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const never = new AbortController().signal;
let root: Issued;

beforeAll(async () => {
  root = await createRoot({ commonName: 'Edge CA' });
});

const socketPath = async () => join(await tempFolder(), 'workload.sock');
const json = (body: unknown) => JSON.stringify(body);

describe('the workload API', () => {
  test('gives the trust bundle', async () => {
    const path = await socketPath();
    const asked: unknown[] = [];
    await unixHttpServer(path, ({ method, url }, response) => {
      asked.push([method, url]);
      response.end(json({ certificate: root.certificate }));
    });
    expect(await createWorkload(`unix://${path}`).trustBundle(never)).toBe(root.certificate);
    expect(asked).toEqual([['GET', '/trust-bundle?api-version=2018-06-28']]);
  });

  test.each([
    ['an error', 500, json({ message: 'no' }), 'was answered 500'],
    ['no JSON', 200, 'pem', 'was answered with something other than a JSON object'],
    ['JSON of another shape', 200, json({ certificate: 1 }), 'was answered without a valid "certificate"'],
    ['more than a bundle can be', 200, 'x'.repeat(1_100_000), 'more than 1048576 bytes'],
  ])('that answers with %s is unreadable', async (_, status, body, message) => {
    const path = await socketPath();
    await unixHttpServer(path, (__, response) => response.writeHead(status).end(body));
    await expect(createWorkload(`unix://${path}`).trustBundle(never)).rejects.toMatchObject({
      name: 'CannotTell',
      reason: 'unreadable',
      message: expect.stringContaining(message),
    });
  });

  test('without a socket is not_found', async () => {
    const path = await socketPath();
    await expect(createWorkload(`unix://${path}`).trustBundle(never)).rejects.toMatchObject({
      reason: 'not_found',
    });
  });

  test("that never answers rejects with the signal's reason when the signal fires", async () => {
    const path = await socketPath();
    await unixHttpServer(path, () => undefined);
    const bundle = createWorkload(`unix://${path}`).trustBundle(AbortSignal.timeout(100));
    await expect(bundle).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test.each(['http://localhost:1', 'unix://', '/run/workload.sock'])('is not at %s', (uri) => {
    expect(() => createWorkload(uri)).toThrow(`The workload URI must be unix:///path, got "${uri}"`);
  });
});

describe('trust', () => {
  const subjects = ({ authorities }: Awaited<ReturnType<ReturnType<typeof createTrust>>>) =>
    authorities.map(({ subject }) => subject);

  test('holds the default authorities and those of the bundle, and keeps them', async () => {
    let fetches = 0;
    const trustBundle = async () => {
      fetches++;
      return root.certificate;
    };
    const trust = createTrust({ workload: { trustBundle } });
    const [first, meanwhile] = await Promise.all([trust(never), trust(never)]);
    const later = await trust(never);
    expect(subjects(first)).toContain('CN=Edge CA');
    expect(first.authorities.length).toBeGreaterThan(rootCertificates.length / 2);
    expect(first.problem).toBeUndefined();
    expect([meanwhile, later]).toEqual([first, first]);
    expect(fetches).toBe(1);
  });

  test('reads the bundle again after five minutes, because the device renews its CA', async () => {
    const renewed = await createRoot({ commonName: 'Renewed CA' });
    let bundle = root.certificate;
    let time = 0;
    const trust = createTrust({ workload: { trustBundle: async () => bundle }, now: () => time });
    const first = await trust(never);
    bundle = renewed.certificate;
    time = 5 * 60_000 - 1;
    expect(await trust(never)).toBe(first);
    time = 5 * 60_000;
    const later = subjects(await trust(never));
    expect(later).toContain('CN=Renewed CA');
    expect(later).not.toContain('CN=Edge CA');
  });

  test('holds the authorities of every certificate in a file', async () => {
    const file = join(await tempFolder(), 'ca.pem');
    const second = await createRoot({ commonName: 'Second CA' });
    await writeFile(file, `# ours\r\n${root.certificate}\r\nand\n${second.certificate}`);
    const trusted = await createTrust({ caFiles: [file] })(never);
    expect(subjects(trusted)).toEqual(expect.arrayContaining(['CN=Edge CA', 'CN=Second CA']));
  });

  test.each([
    [
      'missing',
      async () => Promise.reject(new Error('no socket')),
      'the trust bundle could not be read: no socket',
    ],
    ['empty', async () => '', 'the trust bundle could not be read: it holds no certificate'],
  ])(
    'goes on with the default authorities when the bundle is %s, says so and tries again',
    async (_, broken, problem) => {
      let trustBundle: () => Promise<string> = broken;
      const trust = createTrust({ workload: { trustBundle: () => trustBundle() } });
      const without = await trust(never);
      expect(without.problem).toBe(problem);
      expect(without.authorities.length).toBeGreaterThan(0);

      trustBundle = async () => root.certificate;
      const whole = await trust(never);
      expect(whole.problem).toBeUndefined();
      expect(subjects(whole)).toContain('CN=Edge CA');
    },
  );

  test('names a file that is missing once', async () => {
    const file = join(await tempFolder(), 'ca.pem');
    const { problem } = await createTrust({ caFiles: [file] })(never);
    expect(problem).toBe(`${file} could not be read: no such file or directory`);
  });

  test('ignores a file that is not a regular file, and does not wait for a writer', async () => {
    const fifo = join(await tempFolder(), 'ca.pem');
    execFileSync('mkfifo', [fifo]);
    const trusted = await createTrust({ caFiles: [fifo] })(never);
    expect(trusted.problem).toBe(`${fifo} could not be read: it is not a regular file`);
    expect(trusted.authorities.length).toBeGreaterThan(0);
  });

  test('stops waiting for the bundle when the signal fires', async () => {
    const path = await socketPath();
    await unixHttpServer(path, () => undefined);
    const trust = createTrust({ workload: createWorkload(`unix://${path}`) });
    await expect(trust(AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
