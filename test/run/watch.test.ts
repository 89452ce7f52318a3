import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Check, Status, Verdict } from '../../src/check.ts';
import { createWatch, type Ran, type Remembered } from '../../src/run/watch.ts';
import { deferred, fakeCheck } from '../support/fixtures/fake-check.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { policyOf } from '../support/fixtures/policies.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-21T20:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

const verdict = (status: Status): Verdict =>
  status === 'warn' || status === 'fail'
    ? { status, reason: 'broken', message: `It is a ${status}`, remedy: 'Mend it' }
    : { status: 'pass', message: 'It is right' };

/** A watch of a check that sees one status after the other. */
function watching(seen: Status[], given: { check?: Partial<Check>; remembered?: Remembered } = {}) {
  const ran: Ran[] = [];
  let runs = 0;
  const examine = async () => {
    runs += 1;
    return verdict(seen.length > 1 ? (seen.shift() ?? 'pass') : (seen[0] ?? 'pass'));
  };
  const check = fakeCheck({ examine, ...given.check });
  const watch = createWatch({
    check,
    host: fakeHost({ now: () => new Date() }),
    remembered: given.remembered,
    onRan: (each) => ran.push(each),
  });
  return {
    watch,
    ran,
    runs: () => runs,
    status: () => watch.report()?.status,
    policy: (document: object = {}) => policyOf({ confirmAfterSeconds: 15, ...document }, [check]),
  };
}

const off = { checks: { fake: { enabled: false } } };

test('before its first run a check reports nothing, not even what is remembered', () => {
  const findings = [
    { target: 'one', status: 'fail' as const, message: 'x', since: '2026-11-01T00:00:00.000Z' },
  ];
  const { watch } = watching([], { remembered: { since: '2026-11-01T00:00:00.000Z', findings } });
  expect(watch.report()).toBeUndefined();
});

test('the first run is reported at once', async () => {
  const { watch, policy, ran } = watching(['fail']);
  await watch.run(policy(), 'schedule');
  expect(watch.report()).toMatchObject({
    title: 'The thing is right',
    status: 'fail',
    since: '2026-11-21T20:00:00.000Z',
    lastRun: '2026-11-21T20:00:00.000Z',
    findings: [{ target: 'one', status: 'fail', reason: 'broken', remedy: 'Mend it' }],
  });
  expect(ran).toMatchObject([{ cause: 'schedule', transitions: 0, changes: [{ previous: undefined }] }]);
});

describe('a changed status', () => {
  test('is examined again after confirmAfterSeconds, then reported', async () => {
    const { watch, policy, runs, status, ran } = watching(['pass', 'fail', 'fail']);
    await watch.run(policy(), 'schedule');
    await watch.run(policy(), 'schedule');
    expect(status()).toBe('pass');
    await vi.advanceTimersByTimeAsync(14_999);
    expect([runs(), status()]).toEqual([2, 'pass']);
    await vi.advanceTimersByTimeAsync(1);
    expect([runs(), status()]).toEqual([3, 'fail']);
    expect(watch.report()?.since).toBe('2026-11-21T20:00:15.000Z');
    expect(ran.map(({ cause, transitions, changes }) => [cause, transitions, changes.length])).toEqual([
      ['schedule', 0, 1],
      ['schedule', 1, 0],
      ['confirm', 0, 1],
    ]);
  });

  test('that goes back is never reported, though both transitions are counted', async () => {
    const { watch, policy, status, ran } = watching(['pass', 'fail', 'pass']);
    await watch.run(policy(), 'schedule');
    await watch.run(policy(), 'schedule');
    await vi.advanceTimersByTimeAsync(15_000);
    expect(status()).toBe('pass');
    expect(ran.map(({ transitions }) => transitions)).toEqual([0, 1, 1]);
    expect(ran.flatMap(({ changes }) => changes)).toHaveLength(1);
  });

  test('has one confirming run at a time', async () => {
    const { watch, policy, runs } = watching(['pass', 'fail', 'fail']);
    await watch.run(policy(), 'schedule');
    await watch.run(policy(), 'schedule');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(runs()).toBe(3);
  });

  test.each(['asked', 'policy'] as const)('is reported at once when the cause is %s', async (cause) => {
    const { watch, policy, status } = watching(['pass', 'fail']);
    await watch.run(policy(), 'schedule');
    await watch.run(policy(), cause);
    expect(status()).toBe('fail');
  });

  test('is reported at once with confirmAfterSeconds 0', async () => {
    const { watch, policy, status } = watching(['pass', 'fail']);
    await watch.run(policy({ confirmAfterSeconds: 0 }), 'schedule');
    await watch.run(policy({ confirmAfterSeconds: 0 }), 'schedule');
    expect(status()).toBe('fail');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('whose confirming run would come after a stop is not run', async () => {
    const { watch, policy, runs } = watching(['pass', 'fail']);
    await watch.run(policy(), 'schedule');
    await watch.run(policy(), 'schedule');
    watch.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(runs()).toBe(2);
  });
});

test('since stays over runs that see the same', async () => {
  const { watch, policy } = watching(['warn']);
  await watch.run(policy(), 'schedule');
  await vi.advanceTimersByTimeAsync(3_600_000);
  await watch.run(policy(), 'schedule');
  expect(watch.report()).toMatchObject({
    since: '2026-11-21T20:00:00.000Z',
    lastRun: '2026-11-21T21:00:00.000Z',
    findings: [{ since: '2026-11-21T20:00:00.000Z' }],
  });
});

describe('after a restart', () => {
  const since = '2026-11-01T00:00:00.000Z';
  const remembered = { since, findings: [{ target: 'one', status: 'fail' as const, message: 'x', since }] };

  test('a finding that is still there keeps its since', async () => {
    const { watch, policy, ran } = watching(['fail'], { remembered });
    await watch.run(policy(), 'schedule');
    expect(watch.report()).toMatchObject({ status: 'fail', since, findings: [{ since }] });
    expect(ran[0]?.changes).toEqual([]);
  });

  test('one that has gone is confirmed by a second run before that is reported', async () => {
    const { watch, policy, status } = watching(['pass'], { remembered });
    await watch.run(policy(), 'schedule');
    expect(status()).toBe('fail');
    await vi.advanceTimersByTimeAsync(15_000);
    expect(status()).toBe('pass');
  });
});

describe('a check that is switched off', () => {
  test('is reported as skip without touching the machine', async () => {
    const { watch, policy, runs } = watching([]);
    await watch.run(policy(off), 'schedule');
    expect(watch.report()).toMatchObject({
      status: 'skip',
      findings: [{ target: 'fake', reason: 'disabled' }],
    });
    expect(runs()).toBe(0);
  });

  test('takes its findings with it at once', async () => {
    const { watch, policy } = watching(['fail']);
    await watch.run(policy(), 'schedule');
    await watch.run(policy(off), 'policy');
    expect(watch.report()?.findings.map(({ target, status }) => [target, status])).toEqual([
      ['fake', 'skip'],
    ]);
  });
});

test('an excepted finding is reported as skip', async () => {
  const { watch, policy } = watching(['fail']);
  const exceptions = [{ check: 'fake', target: 'one', because: 'it is known' }];
  await watch.run(policy({ exceptions }), 'schedule');
  expect(watch.report()).toMatchObject({ status: 'skip', findings: [{ reason: 'excepted' }] });
});

test('a finding about the policy and its exceptions cannot be excepted', async () => {
  const { watch, policy } = watching(['fail'], { check: { uses: ['policyOutcome'] } });
  const exceptions = [{ check: 'fake', target: 'one', because: 'it is known' }];
  await watch.run(policy({ exceptions }), 'schedule');
  expect(watch.report()).toMatchObject({ status: 'fail', findings: [{ reason: 'broken' }] });
});

describe('while a run is under way', () => {
  /** A watch whose runs the test ends. */
  function held() {
    const runs: ReturnType<typeof deferred<Verdict>>[] = [];
    const signals: AbortSignal[] = [];
    const examine: Check['examine'] = (_subject, _params, _host, signal) => {
      const run = deferred<Verdict>();
      runs.push(run);
      signals.push(signal);
      return run.promise;
    };
    return { ...watching([], { check: { examine } }), runs, signals };
  }

  test('another joins it', async () => {
    const { watch, policy, runs, ran } = held();
    const both = [watch.run(policy(), 'schedule'), watch.run(policy(), 'asked')];
    await vi.waitFor(() => expect(runs).toHaveLength(1));
    runs[0]?.resolve(verdict('pass'));
    await Promise.all(both);
    expect([runs.length, ran.length]).toEqual([1, 1]);
  });

  test('a new policy starts it over, the old run reports nothing, and its callers wait for the new one', async () => {
    const { watch, policy, runs, signals, ran, status } = held();
    const old = watch.run(policy(), 'asked').then(status);
    await vi.waitFor(() => expect(runs).toHaveLength(1));
    const fresh = watch.run(policy({ timeoutSeconds: 5 }), 'policy');
    await vi.waitFor(() => expect(runs).toHaveLength(2));
    expect(signals[0]?.aborted).toBe(true);
    runs[0]?.resolve(verdict('fail'));
    await vi.advanceTimersByTimeAsync(0);
    expect(ran).toEqual([]);
    runs[1]?.resolve(verdict('pass'));
    await fresh;
    expect(await old).toBe('pass');
    expect(ran.map(({ cause }) => cause)).toEqual(['policy']);
    expect(status()).toBe('pass');
  });

  test('stopping ends it without a word', async () => {
    const { watch, policy, runs, ran } = held();
    const run = watch.run(policy(), 'schedule');
    await vi.waitFor(() => expect(runs).toHaveLength(1));
    watch.stop();
    await run;
    expect(ran).toEqual([]);
    expect(watch.report()).toBeUndefined();
  });
});
