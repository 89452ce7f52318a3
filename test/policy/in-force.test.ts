import { describe, expect, test } from 'vitest';
import { defaultPolicy, evaluate as evaluateOutcome, type PolicyInForce } from '../../src/policy/in-force.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { fakeCheck } from '../support/fixtures/fake-check.ts';

const checks = [fakeCheck()];
const early = new Date('2026-11-21T20:00:00Z');
const late = new Date('2026-11-21T21:00:00Z');
const defaults = defaultPolicy(checks, early);

const twin = (version: number, document: unknown) => ({ source: 'twin', version, document }) as const;

const evaluate = (current: PolicyInForce, requested: ReturnType<typeof twin>, now: Date) =>
  evaluateOutcome(current, requested, readPolicy(requested.document, checks), now);

test('the default is what the empty document means, accepted, without a version', () => {
  expect(defaults).toMatchObject({
    source: 'default',
    version: 0,
    accepted: true,
    problems: [],
    document: {},
    acceptedAt: early,
    policy: { schedule: '*/5 * * * *' },
  });
});

test('an accepted document takes the place of the one before, as it was given', () => {
  const document = { timeoutSeconds: 5 };
  expect(evaluate(defaults, twin(7, document), late)).toMatchObject({
    source: 'twin',
    version: 7,
    accepted: true,
    problems: [],
    document,
    acceptedAt: late,
    policy: { timeoutSeconds: 5 },
  });
});

describe('a document that is refused', () => {
  const good = evaluate(defaults, twin(7, { timeoutSeconds: 5 }), early);
  const refused = evaluate(good, twin(8, { timeoutSecond: 6 }), late);

  test('leaves the last good policy in force, with its document, source and moment', () => {
    expect(refused).toEqual({
      ...good,
      version: 8,
      accepted: false,
      problems: ['timeoutSecond: unknown key, did you mean timeoutSeconds?'],
    });
    expect(refused.policy).toBe(good.policy);
  });

  test('is forgotten with the next good one', () => {
    const mended = evaluate(refused, twin(9, { timeoutSeconds: 6 }), late);
    expect(mended).toMatchObject({ version: 9, accepted: true, problems: [], acceptedAt: late });
  });

  test('and taken back to the one in force makes no new policy, but a new acceptance', () => {
    const back = evaluate(refused, twin(9, { timeoutSeconds: 5 }), late);
    expect(back).toMatchObject({ version: 9, accepted: true, acceptedAt: late });
    expect(back.policy).toBe(good.policy);
  });
});

test('a document that means the same is the same policy, accepted when it first was', () => {
  const next = evaluate(defaults, twin(3, { jitterSeconds: 30 }), late);
  expect(next).toMatchObject({ source: 'twin', version: 3, acceptedAt: early });
  expect(next.policy).toBe(defaults.policy);
});
