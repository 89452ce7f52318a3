import { execFileSync } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allOff } from '../support/fixtures/policies.ts';
import { createDevice, soon } from '../support/programs/device.ts';

test('FIFOs in place of the state and policy files block neither start nor stop', async () => {
  const { start, state, folder } = await createDevice();
  const file = join(folder, 'policy.json');
  await writeFile(file, JSON.stringify({ checks: allOff }));
  execFileSync('mkfifo', [join(state, 'state.json'), join(folder, 'fifo')]);
  const agent = await start({ HARDENING_POLICY_FILE: file });
  await rename(join(folder, 'fifo'), file);
  await soon(agent.out).toMatch(/last good policy stays.*it is not a regular file/);
  const { code, ms } = await agent.stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(5000);
});
