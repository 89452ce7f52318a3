import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeError } from '../../../src/errors.ts';
import { createCredentials } from '../../../src/host/edge/credentials.ts';
import { unixHttpServer } from '../../support/servers/tcp.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const now = () => new Date('2026-11-21T20:30:00Z');
const { signal: never } = new AbortController();
const expiry = Date.parse('2026-11-21T21:30:00Z') / 1000;

/** A workload API that answers each path with a body, and what it was asked. */
async function workloadApi(answers: Readonly<Record<string, unknown>>) {
  const path = join(await tempFolder(), 'workload.sock');
  const asked: unknown[] = [];
  await unixHttpServer(path, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { pathname, search } = new URL(request.url ?? '', 'http://localhost');
    asked.push([
      request.method,
      pathname + search,
      chunks.length > 0 ? JSON.parse(String(Buffer.concat(chunks))) : undefined,
    ]);
    const answer = answers[pathname];
    if (answer === undefined) response.statusCode = 500;
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? { message: 'no' }));
  });
  const source = createCredentials(
    {
      IOTEDGE_WORKLOADURI: `unix://${path}`,
      IOTEDGE_IOTHUBHOSTNAME: 'hub.azure-devices.net',
      IOTEDGE_GATEWAYHOSTNAME: 'gateway',
      IOTEDGE_DEVICEID: "edge'1",
      IOTEDGE_MODULEID: 'hardening',
      IOTEDGE_MODULEGENERATIONID: '637',
    },
    now,
  );
  return { source, asked, path };
}

const bundle = { '/trust-bundle': { certificate: 'PEM' } };
const sign = '/modules/hardening/genid/637/sign';

describe('from the workload API', () => {
  test('are the trust bundle and a token that edged signs', async () => {
    const { source, asked } = await workloadApi({ ...bundle, [sign]: { digest: 'a+/=' } });
    const resource = 'hub.azure-devices.net%2Fdevices%2Fedge%271%2Fmodules%2Fhardening';
    expect(source).toMatchObject({ name: 'the workload API', failure: 'workload_api_failed' });
    expect(await source.get(never)).toEqual({
      host: 'hub.azure-devices.net',
      gateway: 'gateway',
      device: "edge'1",
      module: 'hardening',
      token: `SharedAccessSignature sr=${resource}&sig=a%2B%2F%3D&se=${expiry}`,
      ca: 'PEM',
    });
    const data = Buffer.from(`${resource}\n${expiry}`).toString('base64');
    expect(asked).toEqual([
      ['GET', '/trust-bundle?api-version=2018-06-28', undefined],
      ['POST', `${sign}?api-version=2018-06-28`, { keyId: 'primary', algo: 'HMACSHA256', data }],
    ]);
  });

  test.each([
    ['an error', {}, /^GET \/trust-bundle on \S+ was answered 500$/],
    [
      'null',
      { '/trust-bundle': 'null' },
      /^GET \/trust-bundle on \S+ was answered with something other than a JSON object$/,
    ],
    ['an error from signing', bundle, new RegExp(`^POST ${sign} on \\S+ was answered 500$`)],
    ['{} from signing', { ...bundle, [sign]: {} }, /sign on \S+ was answered without a valid "digest"$/],
    [
      'a digest that is no text',
      { ...bundle, [sign]: { digest: 1 } },
      /sign on \S+ was answered without a valid "digest"$/,
    ],
    [
      'half a digest',
      { ...bundle, [sign]: '{"digest":"a' },
      /sign on \S+ was answered with something other than a JSON object$/,
    ],
    [
      'an endless answer',
      { ...bundle, [sign]: 'x'.repeat(2_000_000) },
      /sign on \S+ was answered with more than 1048576 bytes$/,
    ],
  ])('%s is an error that says what was asked', async (_what, answers, error) => {
    const { source } = await workloadApi(answers);
    const reason = await source.get(never).catch((each: unknown) => each);
    expect(describeError(reason)).toMatch(error);
  });

  test('a missing socket is an error that says what was asked', async () => {
    const source = createCredentials({ IOTEDGE_WORKLOADURI: 'unix:///nowhere/workload.sock' }, now);
    const reason = await source.get(never).catch((each: unknown) => each);
    expect(describeError(reason)).toBe(
      'GET /trust-bundle on /nowhere/workload.sock was not answered: no such file or directory',
    );
  });
});

describe('from a connection string', () => {
  const key = Buffer.from('the key').toString('base64');
  const text = `HostName=hub.test;DeviceId=edge;ModuleId=hardening;SharedAccessKey=${key};GatewayHostName=gateway:8883`;

  test.each(['EdgeHubConnectionString', 'IotHubConnectionString'])(
    'in %s are signed with its key',
    async (name) => {
      const file = join(await tempFolder(), 'ca.pem');
      await writeFile(file, 'PEM');
      const source = createCredentials({ [name]: text, EdgeModuleCACertificateFile: file }, now);
      const resource = 'hub.test%2Fdevices%2Fedge%2Fmodules%2Fhardening';
      const signature = createHmac('sha256', 'the key').update(`${resource}\n${expiry}`).digest('base64');
      expect(source).toMatchObject({ name: 'the connection string', failure: 'offline' });
      expect(await source.get(never)).toEqual({
        host: 'hub.test',
        gateway: 'gateway:8883',
        device: 'edge',
        module: 'hardening',
        token: `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}`,
        ca: 'PEM',
      });
    },
  );

  test('without a certificate file trust the authorities of Node.js', async () => {
    expect((await createCredentials({ EdgeHubConnectionString: text }, now).get(never)).ca).toBeUndefined();
  });

  test('with a certificate file that cannot be read are an error that names it', async () => {
    const source = createCredentials(
      { EdgeHubConnectionString: text, EdgeModuleCACertificateFile: '/nowhere/ca.pem' },
      now,
    );
    await expect(source.get(never)).rejects.toThrow(
      'Could not read /nowhere/ca.pem (EdgeModuleCACertificateFile)',
    );
  });
});
