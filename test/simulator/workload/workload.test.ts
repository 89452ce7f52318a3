import { createHmac, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../../simulator/index.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ hubPort: 0, adminPort: 0, metricsPort: 0, moduleId: 'mod' });
});
afterAll(() => simulator.close());

const version = 'api-version=2018-06-28';

async function call(method: string, path: string, body?: string, contentType = 'application/json') {
  const socketPath = (simulator.environment.IOTEDGE_WORKLOADURI ?? '').replace('unix://', '');
  return new Promise<{ status: number | undefined; body: Record<string, unknown> }>((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, (response) => {
      json(response).then(
        (answer) => resolve({ status: response.statusCode, body: answer as Record<string, unknown> }),
        reject,
      );
    });
    sent.on('error', reject);
    if (body !== undefined) sent.setHeader('content-type', contentType);
    sent.end(body);
  });
}

describe('the workload API', () => {
  test('returns the trust bundle that verifies edgeHub’s certificate', async () => {
    const { status, body } = await call('GET', `/trust-bundle?${version}`);
    expect(status).toBe(200);
    expect(body).toEqual({ certificate: simulator.rootCertificate });
    expect(await readFile(simulator.rootCertificateFile, 'utf8')).toBe(simulator.rootCertificate);

    const subject = await new Promise((resolve, reject) => {
      const socket = connect(
        { host: 'localhost', port: simulator.hubPort, ca: String(body.certificate) },
        () => {
          resolve(socket.getPeerCertificate().subject.CN);
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });
    expect(subject).toBe('localhost');
  });

  test('signs with the same key every time', async () => {
    const sign = async (text: string) => {
      const data = Buffer.from(text).toString('base64');
      const body = JSON.stringify({ keyId: 'primary', algo: 'HMACSHA256', data });
      return call('POST', `/modules/mod/genid/1/sign?${version}`, body);
    };
    const [one, again, other] = [await sign('a'), await sign('a'), await sign('b')];
    expect(one.status).toBe(200);
    expect(Buffer.from(String(one.body.digest), 'base64')).toHaveLength(
      createHmac('sha256', '').digest().length,
    );
    expect(again.body).toEqual(one.body);
    expect(other.body).not.toEqual(one.body);
  });

  test('issues a server certificate, signed by the Edge CA, with its key', async () => {
    const body = JSON.stringify({ commonName: 'page.local' });
    const issued = await call('POST', `/modules/$mod/genid/1/certificate/server?${version}`, body);
    expect(issued.status).toBe(201);
    expect(issued.body.privateKey).toMatchObject({
      type: 'key',
      bytes: expect.stringContaining('PRIVATE KEY'),
    });

    const [leaf = '', edgeCa = ''] = String(issued.body.certificate).split(
      /(?<=-----END CERTIFICATE-----\n)/,
    );
    const certificate = new X509Certificate(leaf);
    expect(certificate.subjectAltName).toBe('DNS:page.local, DNS:mod');
    expect(certificate.verify(new X509Certificate(edgeCa).publicKey)).toBe(true);
    expect(new X509Certificate(edgeCa).verify(new X509Certificate(simulator.rootCertificate).publicKey)).toBe(
      true,
    );
    expect(new Date(certificate.validTo)).toEqual(new Date(String(issued.body.expiration)));
  });

  test('lists the modules in edged’s format, with the exit status of a failed one', async () => {
    const { body } = await call('GET', `/modules?${version}`);
    const running = { startTime: expect.stringMatching(/Z$/), runtimeStatus: { status: 'running' } };
    expect(body.modules).toMatchObject([
      { name: 'edgeAgent', id: 'id', type: 'docker', config: { env: [] }, status: running },
      { name: 'edgeHub', config: { settings: { image: expect.stringContaining('azureiotedge-hub:') } } },
      { name: 'mod', status: running },
      {
        name: 'plcGateway',
        status: { exitStatus: { statusCode: '139' }, runtimeStatus: { status: 'failed' } },
      },
    ]);
  });

  const sign = `/modules/mod/genid/1/sign?${version}`;
  test.each([
    ['no API version', 'GET', '/modules', undefined, 400, 'api-version not specified'],
    [
      'an API version that does not exist',
      'GET',
      '/modules?api-version=2017-01-01',
      undefined,
      400,
      'invalid api-version',
    ],
    ['an unknown path', 'GET', `/secrets?${version}`, undefined, 404, 'not found'],
    [
      'another module’s key',
      'POST',
      `/modules/edgeAgent/genid/1/sign?${version}`,
      '{"data":""}',
      403,
      'forbidden',
    ],
    [
      'another module’s certificate',
      'POST',
      `/modules/x/genid/1/certificate/server?${version}`,
      '{}',
      403,
      'forbidden',
    ],
    ['the wrong method', 'GET', sign, undefined, 400, 'method not allowed'],
    ['no body', 'POST', sign, undefined, 400, 'request body'],
    ['a body that is not JSON', 'POST', sign, '{', 422, 'JSON'],
    ['a body without data', 'POST', sign, '{}', 422, 'data'],
    ['data that is not base64', 'POST', sign, '{"data":"a b"}', 400, 'base64'],
  ])('rejects %s with an error in edged’s format', async (_what, method, path, body, status, message) => {
    expect(await call(method, path, body)).toEqual({
      status,
      body: { message: expect.stringContaining(message) },
    });
  });

  test('rejects a body with another content type', async () => {
    expect(await call('POST', sign, '{"data":""}', 'text/plain')).toMatchObject({ status: 400 });
  });
});
