import { expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { never } from '../../../src/deadline.ts';
import { createModuleList } from '../../../src/host/edge/module-list.ts';
import type { EdgeModule } from '../../../src/host/edge/types.ts';

const sensor: EdgeModule = { name: 'sensor', image: 'i', labelsHash: 'h', state: 'running' };

/** A list whose runtime gives these answers, one after another. */
function listing(...answers: (() => Promise<readonly EdgeModule[]>)[]) {
  const clock = { ms: 0, now: new Date('2026-11-21T20:30:00Z') };
  const asked = { count: 0 };
  const modules = createModuleList({
    list: async () => {
      const answer = answers[asked.count];
      asked.count += 1;
      if (!answer) throw new Error('asked too often');
      return answer();
    },
    now: () => clock.now,
    monotonic: () => clock.ms,
    uptime: () => 500 + clock.ms / 1000,
  });
  return { clock, asked, modules };
}

const withSensor = async () => [sensor];

test('all checks share a listing for a minute, also one that is under way', async () => {
  const { clock, asked, modules } = listing(withSensor);
  const [one, other] = await Promise.all([modules(never), modules(never)]);
  expect(other).toBe(one);
  expect(one).toEqual({ listedAt: clock.now, uptimeSeconds: 500, modules: [sensor] });
  clock.ms = 59_000;
  expect(await modules(never)).toBe(one);
  expect(asked.count).toBe(1);
});

test('after a minute the modules are listed again, whatever the wall clock says', async () => {
  const { clock, modules } = listing(withSensor, async () => []);
  await modules(never);
  clock.now = new Date('1970-01-01T00:00:00Z');
  clock.ms = 60_000;
  expect(await modules(never)).toEqual({ listedAt: clock.now, uptimeSeconds: 560, modules: [] });
});

test('a listing that failed is shared by those that wait for it, but not kept', async () => {
  const refuse = async () => {
    throw new CannotTell('unreadable', 'no');
  };
  const { asked, modules } = listing(refuse, withSensor);
  const both = await Promise.allSettled([modules(never), modules(never)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(asked.count).toBe(1);
  expect((await modules(never)).modules).toEqual([sensor]);
});

test('a check that gives up ends only its own wait', async () => {
  let answer = (_: readonly EdgeModule[]) => {};
  const slow = new Promise<readonly EdgeModule[]>((resolve) => {
    answer = resolve;
  });
  const { asked, modules } = listing(() => slow);
  const controller = new AbortController();
  const impatient = modules(controller.signal);
  const patient = modules(never);
  controller.abort(new Error('enough'));
  await expect(impatient).rejects.toThrow('enough');
  answer([sensor]);
  expect((await patient).modules).toEqual([sensor]);
  expect(asked.count).toBe(1);
  await expect(modules(controller.signal)).rejects.toThrow('enough');
});
