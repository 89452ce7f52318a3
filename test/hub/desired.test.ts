import { beforeEach, describe, expect, test } from 'vitest';
import { createDesiredCopy, type DesiredCopy } from '../../src/hub/desired.ts';

let desired: DesiredCopy;
beforeEach(() => {
  desired = createDesiredCopy();
});

test('there is neither a document nor a version before the first read', () => {
  expect(desired.version()).toBeUndefined();
  expect(desired.document()).toEqual({});
});

describe('a document that was read', () => {
  test('replaces the copy, with its version', () => {
    expect(desired.replace({ policy: { a: 1 }, $version: 4 })).toBe(true);
    expect(desired.document()).toEqual({ policy: { a: 1 }, $version: 4 });
    expect(desired.version()).toBe(4);
  });

  test.each([
    ['without a version, as edgeHub makes one up while it is offline,', {}],
    ['with a version that is not a number', { $version: '9' }],
  ])('%s changes nothing', (_what, document) => {
    desired.replace({ policy: { a: 1 }, $version: 4 });
    expect(desired.replace(document)).toBe(false);
    expect(desired.document()).toEqual({ policy: { a: 1 }, $version: 4 });
  });

  test('without a version is ignored as the first one, too', () => {
    expect(desired.replace({})).toBe(false);
    expect(desired.version()).toBeUndefined();
  });

  test('with a version but without a policy is applied', () => {
    desired.replace({ policy: {}, $version: 4 });
    expect(desired.replace({ $version: 5 })).toBe(true);
    expect(desired.document()).toEqual({ $version: 5 });
  });

  test('with a lower version is applied: the twin was recreated', () => {
    desired.replace({ policy: { a: 1 }, $version: 4 });
    expect(desired.replace({ policy: { a: 0 }, $version: 1 })).toBe(true);
    expect(desired.patch({ policy: { b: 0 }, $version: 2 })).toBe('applied');
    expect(desired.document()).toEqual({ policy: { a: 0, b: 0 }, $version: 2 });
  });

  test('with the same version is applied again', () => {
    desired.replace({ $version: 4 });
    expect(desired.replace({ $version: 4 })).toBe(true);
  });
});

describe('a patch', () => {
  beforeEach(() => {
    desired.replace({ policy: { servers: ['a', 'b', 'c'], old: 1 }, $version: 4 });
  });

  test('with the next version is merged, arrays are replaced whole', () => {
    expect(desired.patch({ policy: { servers: ['z'], old: null }, $version: 5 })).toBe('applied');
    expect(desired.document()).toEqual({ policy: { servers: ['z'] }, $version: 5 });
  });

  test.each([
    ['a repeat', { policy: null, $version: 4 }, 'old'],
    ['an older one', { policy: null, $version: 3 }, 'old'],
    ['one without a version', { policy: null }, 'old'],
    ['one with a gap before it', { policy: null, $version: 6 }, 'gap'],
  ])('%s changes nothing', (_what, patch, answer) => {
    expect(desired.patch(patch)).toBe(answer);
    expect(desired.document()).toEqual({ policy: { servers: ['a', 'b', 'c'], old: 1 }, $version: 4 });
  });

  test('before the first read is a gap', () => {
    expect(createDesiredCopy().patch({ a: 1, $version: 2 })).toBe('gap');
  });
});
