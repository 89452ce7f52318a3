import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDevice, type RunningAgent, soon } from '../support/device.ts';

/** A device that wants the check of the state folder too. */
async function device() {
  const made = await createDevice();
  await made.desire({ policy: { checks: { stateFolder: { enabled: true } } } });
  return { ...made, file: join(made.state, 'state.json') };
}

const stateFinding = async ({ get }: RunningAgent) =>
  JSON.parse((await get('/api/report')).body).checks.stateFolder?.findings[0];

test('a folder below /proc, which cannot be made, holds no start up', async () => {
  const { start } = await device();
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

describe('a state file that is not what was written', () => {
  test('is kept aside, told in the twin as a finding, and all is reported anew', async () => {
    const { start, reported, file, state } = await device();
    const first = await start();
    await soon(reported).toMatchObject({ checks: { stateFolder: { status: 'pass' } } });
    await first.stop();
    const whole = await readFile(file);
    const half = whole.subarray(0, whole.length / 2);
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
  ])('but %j under every name does no harm', async (value) => {
    const { start, reported, file, desire } = await device();
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
