import { expect, test } from 'vitest';
import type { Status } from '../../src/check.ts';
import type { Exception } from '../../src/policy/policy.ts';
import { applyExceptions, countExceptions } from '../../src/run/exceptions.ts';
import type { Finding } from '../../src/run/runner.ts';

const finding: Finding = {
  target: '/var/lib',
  status: 'fail',
  reason: 'space_low',
  message: 'Used 95 %',
  remedy: 'Make room',
  readings: [{ gauge: 'things', value: 7 }],
};
const exception: Exception = { check: 'diskSpace', target: '/var/lib', because: 'it is replaced in May' };

const apply = (given: Partial<Exception>, seen: Partial<Finding> = {}, at = '2027-03-31T12:00:00Z') =>
  applyExceptions('diskSpace', [{ ...finding, ...seen }], [{ ...exception, ...given }], new Date(at))[0];

test('an excepted finding is skipped, with its status, the reason and the end of the exception', () => {
  expect(apply({ until: '2027-03-31' })).toEqual({
    target: '/var/lib',
    status: 'skip',
    reason: 'excepted',
    exceptedReasons: ['space_low'],
    message: 'Excepted until 2027-03-31 because it is replaced in May. Without the exception: Used 95 %',
    readings: finding.readings,
  });
  expect(apply({})?.message).toBe(
    'Excepted permanently because it is replaced in May. Without the exception: Used 95 %',
  );
});

test.each<[string, Partial<Exception>, boolean]>([
  ['the same check and target', {}, true],
  ['the same reason', { reason: 'space_low' }, true],
  ['another reason', { reason: 'inodes_low' }, false],
  ['another check', { check: 'clockDrift' }, false],
  ['another target', { target: '/var' }, false],
  ['a target with another case', { target: '/VAR/LIB' }, false],
  ['no target by a wildcard', { target: '*' }, false],
])('an exception for %s: %o', (_, given, excepts) => {
  expect(apply(given)?.status).toBe(excepts ? 'skip' : 'fail');
});

test.each<[Status, Status]>([
  ['fail', 'skip'],
  ['warn', 'skip'],
  ['unknown', 'unknown'],
  ['pass', 'pass'],
  ['skip', 'skip'],
])('applies to warn and fail only: %s becomes %s', (status, expected) => {
  const result = apply({}, { status });
  expect(result?.status).toBe(expected);
  if (status === expected) expect(result).toEqual({ ...finding, status });
});

test.each([
  ['2027-03-31T00:00:00Z', true],
  ['2027-03-31T23:59:59.999Z', true],
  ['2027-04-01T00:00:00Z', false],
  ['2036-01-01T00:00:00Z', false],
  ['1970-01-01T00:00:00Z', true],
])('until 2027-03-31 holds at %s: %s', (at, holds) => {
  expect(apply({ until: '2027-03-31' }, {}, at)?.status).toBe(holds ? 'skip' : 'fail');
});

test('one that has run out does not hide one that holds', () => {
  const both = [{ ...exception, until: '2020-01-01' }, exception];
  expect(applyExceptions('diskSpace', [finding], both, new Date())[0]?.status).toBe('skip');
});

test('what else is wrong with a target is reported when only the worst is excepted', () => {
  const wrong = (status: 'warn' | 'fail', reason: string) => ({
    status,
    reason,
    message: reason,
    remedy: 'mend',
  });
  const finding = {
    target: '/',
    ...wrong('fail', 'space_low'),
    also: [wrong('warn', 'too_small'), wrong('fail', 'inodes_low')],
  };
  const except = (...reasons: readonly string[]) =>
    applyExceptions(
      'diskSpace',
      [finding],
      reasons.map((reason) => ({ check: 'diskSpace', target: '/', reason, because: 'known' })),
      new Date('2026-11-21T20:30:00Z'),
    );
  expect(except()).toEqual([{ target: '/', ...wrong('fail', 'space_low') }]);
  expect(except('space_low')).toEqual([
    { target: '/', ...wrong('fail', 'inodes_low'), exceptedReasons: ['space_low'] },
  ]);
  expect(except('space_low', 'inodes_low')).toEqual([
    { target: '/', ...wrong('warn', 'too_small'), exceptedReasons: ['space_low', 'inodes_low'] },
  ]);
  expect(except('space_low', 'inodes_low', 'too_small')).toMatchObject([
    { status: 'skip', reason: 'excepted', exceptedReasons: ['space_low', 'too_small', 'inodes_low'] },
  ]);
});

test('exceptions are counted by what they do: those that apply, those that have ended, those that match nothing', () => {
  const applied = {
    diskSpace: { findings: [{ target: '/var/lib', reason: 'excepted', exceptedReasons: ['space_low'] }] },
    clockDrift: { findings: [] },
  };
  const exceptions = [
    exception,
    { ...exception, until: '2026-11-20' },
    { ...exception, target: '/data' },
    { ...exception, check: 'clockDrift' },
    { ...exception, until: '2026-11-21' },
  ];
  const now = new Date('2026-11-21T23:59:59Z');
  expect(countExceptions(exceptions, applied, now)).toEqual({ active: 2, over: 1, unused: 2 });
});

test('an exception for a check that has not run yet is not called unused', () => {
  expect(countExceptions([exception], {}, new Date('2026-11-21T20:30:00Z'))).toEqual({
    active: 1,
    over: 0,
    unused: 0,
  });
});

test('of two exceptions for one target, only the one whose reason was found is in use', () => {
  const exceptions = ['inodes_low', 'space_low'].map((reason) => ({ ...exception, reason }));
  const now = new Date('2026-11-21T20:30:00Z');
  const findings = applyExceptions('diskSpace', [finding], exceptions, now);
  expect(findings[0]?.status).toBe('skip');
  expect(countExceptions(exceptions, { diskSpace: { findings } }, now)).toEqual({
    active: 1,
    over: 0,
    unused: 1,
  });
});

test('an exception for the worst that is wrong with a target is in use while the rest is reported', () => {
  const exceptions = [{ ...exception, reason: 'space_low' }];
  const now = new Date('2026-11-21T20:30:00Z');
  const also = [{ status: 'warn', reason: 'too_small', message: 'Small', remedy: 'Grow it' }] as const;
  const findings = applyExceptions('diskSpace', [{ ...finding, also }], exceptions, now);
  expect(findings[0]?.reason).toBe('too_small');
  expect(countExceptions(exceptions, { diskSpace: { findings } }, now)).toMatchObject({
    active: 1,
    unused: 0,
  });
});

test('an exception for something else that is wrong with a target is in use behind the worst', () => {
  const exceptions = [{ ...exception, reason: 'too_small' }];
  const now = new Date('2026-11-21T20:30:00Z');
  const also = [{ status: 'warn', reason: 'too_small', message: 'Small', remedy: 'Grow it' }] as const;
  const findings = applyExceptions('diskSpace', [{ ...finding, also }], exceptions, now);
  expect(findings[0]).toMatchObject({ status: 'fail', reason: 'space_low' });
  expect(countExceptions(exceptions, { diskSpace: { findings } }, now)).toMatchObject({
    active: 1,
    unused: 0,
  });
});

test('controls belong to what is reported, not to what is excepted', () => {
  const finding: Finding = {
    target: 'plc',
    status: 'fail',
    reason: 'privileged',
    message: 'privileged',
    controls: ['CIS Docker 1.6 5.5'],
    also: [{ status: 'warn', reason: 'host_network', message: 'host network', remedy: 'mend' }],
  };
  const exception = {
    check: 'containerPosture',
    target: 'plc',
    reason: 'privileged',
    because: 'raw sockets',
  };
  const [reported] = applyExceptions('containerPosture', [finding], [exception], new Date());
  expect(reported).toMatchObject({ reason: 'host_network' });
  expect(reported).not.toHaveProperty('controls');
});
