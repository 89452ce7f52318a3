import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { CannotTell, type Check, commonReasons, type Verdict } from '../../src/check.ts';
import { runCheck } from '../../src/run/runner.ts';
import { deferred, fakeCheck, subjectsNamed } from '../support/fixtures/fake-check.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';

const { signal: never } = new AbortController();
const hang = () => new Promise<never>(() => {});

const run = (given: Partial<Check>, timeoutSeconds = 10, signal = never) =>
  runCheck(fakeCheck(given), {}, fakeHost({}), timeoutSeconds, signal);

const findingsOf = async (given: Partial<Check>, timeoutSeconds?: number) =>
  (await run(given, timeoutSeconds)).findings;

test('a run reports what it saw, when, and how long it took', async () => {
  const result = await run({});
  expect(result).toMatchObject({ id: 'fake', startedAt: new Date('2026-11-21T20:30:00Z') });
  expect(result.findings).toEqual([{ target: 'one', status: 'pass', message: 'It is right', readings: [] }]);
  expect(result.durationSeconds).toBeGreaterThanOrEqual(0);
});

describe('one bad subject costs one finding', () => {
  test.each<[string, () => Promise<Verdict>, string, string, string]>([
    [
      'throws',
      () => Promise.reject(new Error('broken', { cause: 'why' })),
      'unknown',
      'internal_error',
      'broken: why',
    ],
    ['throws a text', () => Promise.reject('a text'), 'unknown', 'internal_error', 'a text'],
    ['throws nothing', () => Promise.reject(undefined), 'unknown', 'internal_error', 'unknown error'],
    ['hangs', hang, 'unknown', 'timed_out', 'No answer within 0.05 s'],
    [
      'cannot be determined',
      () => Promise.reject(new CannotTell('unreadable', 'Garbage')),
      'unknown',
      'unreadable',
      'Garbage',
    ],
    [
      'gives an own reason',
      () => Promise.reject(new CannotTell('broken', 'Broken')),
      'unknown',
      'broken',
      'Broken',
    ],
    [
      'gives a reason outside the list',
      () => Promise.reject(new CannotTell('odd', 'Odd')),
      'unknown',
      'internal_error',
      'Odd',
    ],
    ['is not accessible', () => Promise.reject(new CannotTell('no_access', 'No')), 'skip', 'no_access', 'No'],
    [
      'does not apply',
      () => Promise.reject(new CannotTell('not_applicable', 'No')),
      'skip',
      'not_applicable',
      'No',
    ],
  ])('that %s', async (_, examineBad, status, reason, message) => {
    const findings = await findingsOf(
      {
        subjects: () => subjectsNamed('before', 'bad', 'after'),
        examine: ({ target }) =>
          target === 'bad' ? examineBad() : fakeCheck().examine({ target }, {}, fakeHost({}), never),
      },
      0.05,
    );
    expect(findings.map(({ status }) => status)).toEqual(['pass', status, 'pass']);
    expect(findings[1]).toEqual({ target: 'bad', status, reason, message });
  });

  test('that throws before it waits', async () => {
    const examine = () => {
      throw new TypeError('x is not a function');
    };
    expect(await findingsOf({ examine })).toMatchObject([{ status: 'unknown', reason: 'internal_error' }]);
  });

  test('that gives no verdict at all', async () => {
    const examine = (async () => undefined) as unknown as Check['examine'];
    expect(await findingsOf({ examine })).toMatchObject([{ status: 'unknown', reason: 'internal_error' }]);
  });
});

test('a lookup that ends with its signal is reported as timed out', async () => {
  const examine: Check['examine'] = async (_subject, _params, _host, signal) => {
    await sleep(60_000, undefined, { signal });
    return { status: 'pass', message: 'never' };
  };
  expect(await findingsOf({ examine }, 0.02)).toMatchObject([{ status: 'unknown', reason: 'timed_out' }]);
});

test('the remedy that would give access is reported', async () => {
  const examine = () => Promise.reject(new CannotTell('no_access', 'No socket', { remedy: 'Mount it' }));
  expect(await findingsOf({ examine })).toMatchObject([{ status: 'skip', remedy: 'Mount it' }]);
});

test('a failed lookup never passes, whatever its reason', async () => {
  for (const reason of [...commonReasons, 'broken', 'pass', '']) {
    const examine = () => Promise.reject(new CannotTell(reason, 'It failed'));
    const [finding] = await findingsOf({ examine });
    expect(['unknown', 'skip']).toContain(finding?.status);
  }
});

describe('the list of subjects', () => {
  test.each<[string, Check['subjects'], string, string]>([
    ['throws', () => Promise.reject(new Error('broken')), 'unknown', 'internal_error'],
    [
      'throws at once',
      () => {
        throw new CannotTell('no_access', 'No');
      },
      'skip',
      'no_access',
    ],
    ['hangs', hang, 'unknown', 'timed_out'],
    ['is empty', () => [], 'skip', 'not_applicable'],
  ])('that %s makes one finding of the whole check', async (_, subjects, status, reason) => {
    expect(await findingsOf({ subjects }, 0.05)).toMatchObject([{ target: 'fake', status, reason }]);
  });

  test('may be waited for', async () => {
    expect(await findingsOf({ subjects: async () => subjectsNamed('a', 'b') })).toHaveLength(2);
  });
});

test('readings that are no numbers are left out', async () => {
  const reading = (value: number) => ({ gauge: 'things', value });
  const readings = [
    reading(1),
    reading(Number.NaN),
    reading(0),
    reading(Number.POSITIVE_INFINITY),
    reading(-1),
  ];
  const [finding] = await findingsOf({ examine: async () => ({ status: 'pass', message: 'ok', readings }) });
  expect(finding?.readings?.map(({ value }) => value)).toEqual([1, 0, -1]);
});

test.each<[string, Partial<Check>]>([
  ['listing', { subjects: hang }],
  ['examining', { examine: hang }],
  [
    'examining many',
    { subjects: () => subjectsNamed(...Array.from({ length: 100 }, String)), examine: hang },
  ],
])('stopping while %s rejects with its reason, at once', async (_, given) => {
  const stopping = new AbortController();
  const reason = new Error('SIGTERM was received');
  const running = run(given, 60, stopping.signal);
  stopping.abort(reason);
  await expect(running).rejects.toBe(reason);
});

test('stopping begins no further subject', async () => {
  const stopping = new AbortController();
  let begun = 0;
  const running = run(
    {
      subjects: () => subjectsNamed(...Array.from({ length: 100 }, String)),
      examine: () => {
        begun += 1;
        if (begun === 32) stopping.abort(new Error('over'));
        return hang();
      },
    },
    60,
    stopping.signal,
  );
  await expect(running).rejects.toThrow('over');
  await new Promise(setImmediate);
  expect(begun).toBe(32);
});

test('at most 32 subjects are examined at once, and findings keep their order', async () => {
  const targets = Array.from({ length: 100 }, (_, i) => `t${i}`);
  let under = 0;
  let most = 0;
  const findings = await findingsOf({
    subjects: () => subjectsNamed(...targets),
    examine: async ({ target }) => {
      under += 1;
      most = Math.max(most, under);
      // Later subjects are done earlier.
      await sleep(10 - (Number(target.slice(1)) % 10));
      under -= 1;
      return { status: 'pass', message: 'ok' };
    },
  });
  expect(most).toBe(32);
  expect(findings.map(({ target }) => target)).toEqual(targets);
});

test('hanging subjects do not block others: the last of many starts while all before it hang', async () => {
  const gate = deferred<void>();
  const targets = [...Array.from({ length: 40 }, (_, i) => `waits ${i}`), 'last'];
  const findings = await findingsOf({
    subjects: () => subjectsNamed(...targets),
    examine: async ({ target }) => {
      if (target === 'last') gate.resolve();
      await gate.promise;
      return { status: 'pass', message: 'ok' };
    },
  });
  expect(findings.map(({ target, status }) => [target, status])).toEqual(
    targets.map((each) => [each, 'pass']),
  );
});

test('each subject has its own time, however long the others took', async () => {
  const gate = deferred<void>();
  const findings = findingsOf(
    {
      subjects: () => subjectsNamed('hangs', 'answers'),
      examine: async ({ target }) => {
        await (target === 'hangs' ? hang() : gate.promise);
        return { status: 'pass', message: 'ok' };
      },
    },
    0.1,
  );
  gate.resolve();
  expect((await findings).map(({ status }) => status)).toEqual(['unknown', 'pass']);
});
