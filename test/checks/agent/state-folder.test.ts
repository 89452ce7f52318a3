import { expect, test } from 'vitest';
import { stateFolder } from '../../../src/checks/agent/state-folder.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const signal = new AbortController().signal;
const examine = (problem: ReturnType<ReturnType<typeof fakeHost>['memoryProblem']>) =>
  stateFolder.examine({ target: 'state' }, {}, fakeHost({ memoryProblem: () => problem }), signal);

test('a memory that works passes', async () => {
  expect(await examine(undefined)).toMatchObject({ status: 'pass' });
});

test.each(['damaged', 'newer', 'unwritable'] as const)('a memory that is %s is a warning', async (kind) => {
  const verdict = await examine({ kind, message: 'state.json: why' });
  expect(verdict).toMatchObject({ status: 'warn', reason: kind, message: 'state.json: why' });
  expect(verdict).toHaveProperty('remedy');
});

test('a folder that was not given is no access, and the remedy is the mount', async () => {
  await expect(examine({ kind: 'absent', message: 'EROFS' })).rejects.toMatchObject({
    reason: 'no_access',
    remedy: expect.stringContaining('"Type": "volume"'),
  });
});
