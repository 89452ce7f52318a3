import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDevice, type RunningAgent, soon } from '../support/programs/device.ts';

/** A device whose policy also enables the stateFolder check. */
async function createStateDevice() {
  const device = await createDevice();
  await device.desire({ policy: { checks: { stateFolder: { enabled: true } } } });
  return { ...device, file: join(device.state, 'state.json') };
}

const stateFinding = async ({ get }: RunningAgent) =>
  JSON.parse((await get('/api/report')).body).checks.stateFolder?.findings[0];

test('a state folder that cannot be created does not block the start', async () => {
  const { start } = await createStateDevice();
  const agent = await start({ HARDENING_STATE_DIR: '/proc/nowhere' });
  await soon(() => agent.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
  expect(await stateFinding(agent)).toMatchObject({
    status: 'skip',
    reason: 'no_access',
    message: expect.stringContaining('/proc/nowhere'),
    remedy: expect.stringContaining('"Type": "volume"'),
  });
  expect((await agent.stop()).code).toBe(0);
});

describe('a damaged state file', () => {
  test('is moved aside and reported as a finding, and the full report is sent again', async () => {
    const { start, reported, file, state } = await createStateDevice();
    const first = await start();
    await soon(reported).toMatchObject({ checks: { stateFolder: { status: 'pass' } } });
    await first.stop();
    const full = await readFile(file);
    const half = full.subarray(0, full.length / 2);
    await writeFile(file, half);

    const second = await start();
    await soon(reported).toMatchObject({
      checks: { stateFolder: { status: 'warn', findings: [{ target: 'state', reason: 'damaged' }] } },
    });
    expect(await readFile(join(state, 'damaged-state.json'))).toEqual(half);
    expect(second.out()).toMatch(/Starting without memory .*is damaged/);
    await second.stop();

    const third = await start();
    await soon(reported).toMatchObject({ checks: { stateFolder: { status: 'pass', findings: [] } } });
    expect(third.err()).toBe('');
  });

  test.each([
    [null],
    [5],
    [[5]],
    [{ version: 'x', document: 5, series: 5 }],
    [{ diskSpace: { since: 'never', findings: [5] }, checks: 5 }],
  ])('with %j under every name is harmless', async (value) => {
    const { start, reported, file, desire } = await createStateDevice();
    const names = ['policy', 'reported', 'findings', 'history', '__proto__'];
    const values = `{${names.map((name) => `"${name}":${JSON.stringify(value)}`).join()}}`;
    await writeFile(file, `{"version":1,"values":${values}}`);
    const agent = await start();
    await soon(() => agent.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
    const version = await desire({ policy: { note: 'another' } });
    await soon(reported).toMatchObject({ policy: { ac: 200, av: version }, summary: { status: 'fail' } });
    expect(agent.err()).toBe('');
  });
});
