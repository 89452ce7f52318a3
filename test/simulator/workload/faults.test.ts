import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answerWithin, simulated } from '../../support/servers/simulator.ts';

let simulator: Awaited<ReturnType<typeof simulated>>;
beforeEach(async () => {
  simulator = await simulated();
});
afterEach(() => simulator.close());

/** Requests the trust bundle. */
const call = () =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const socketPath = (simulator.environment.IOTEDGE_WORKLOADURI ?? '').replace('unix://', '');
    const path = '/trust-bundle?api-version=2018-06-28';
    const sent = request({ socketPath, path, agent: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    sent.on('error', reject);
    sent.end();
  });

describe('the fault workload', () => {
  test('slow delays the response', async () => {
    await simulator.admin('PUT', '/faults', { workload: 'slow', workloadDelaySeconds: 3600 });
    expect(
      await answerWithin(
        150,
        call().catch(() => undefined),
      ),
    ).toBe('no answer');
    await simulator.admin('PUT', '/faults', { workloadDelaySeconds: 0.01 });
    expect(await call()).toMatchObject({ status: 200, body: expect.stringContaining('BEGIN CERTIFICATE') });
  });

  test('error returns 500 with a message, as edged does', async () => {
    await simulator.admin('PUT', '/faults', { workload: 'error' });
    expect(await call()).toEqual({ status: 500, body: '{"message":"the fault \\"workload\\" is set"}' });
    await expect(simulator.client()).rejects.toThrow('the fault \\"workload\\" is set');
  });

  test('hangs sends no response', async () => {
    await simulator.admin('PUT', '/faults', { workload: 'hangs' });
    expect(
      await answerWithin(
        150,
        call().catch(() => undefined),
      ),
    ).toBe('no answer');
  });

  test('malformed returns an empty object', async () => {
    await simulator.admin('PUT', '/faults', { workload: 'malformed' });
    expect(await call()).toEqual({ status: 200, body: '{}' });
  });
});
