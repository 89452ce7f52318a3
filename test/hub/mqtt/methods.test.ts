import { describe, expect, test } from 'vitest';
import { answerMethod } from '../../../src/hub/mqtt/methods.ts';
import type { Methods } from '../../../src/hub/session.ts';

/** Calls a method as edgeHub does. */
const answer = (methods: Methods, name: string, body: string | undefined) =>
  answerMethod(methods, name, body === undefined ? undefined : Buffer.from(body));

const echo: Methods = { echo: async (payload) => ({ status: 200, payload: { payload } }) };

describe('a direct method', () => {
  test.each([
    ['an object', '{"a":[1]}', { a: [1] }],
    ['null', 'null', null],
    ['no payload', '', undefined],
    ['no body', undefined, undefined],
  ])('is called with %s', async (_what, body, payload) => {
    expect(await answer(echo, 'echo', body)).toEqual({ status: 200, payload: { payload } });
  });

  test.each(['{', 'undefined', '{"a":1}}'])('with the payload %s gets status 400', async (body) => {
    expect(await answer(echo, 'echo', body)).toEqual({
      status: 400,
      payload: { error: 'The payload is not valid JSON' },
    });
  });

  test.each(['ping', 'toString', '__proto__'])(
    'that is unknown, %s, gets status 404 and the available methods',
    async (name) => {
      expect(await answer({ ...echo, other: async () => ({ status: 200, payload: 1 }) }, name, '')).toEqual({
        status: 404,
        payload: { error: `Unknown method ${name}. Available: echo, other` },
      });
    },
  );

  test.each<[string, Methods[string], string]>([
    ['rejects', () => Promise.reject(new Error('no such check')), 'no such check'],
    [
      'throws',
      () => {
        throw new Error('no such check');
      },
      'no such check',
    ],
    ['rejects with a string', () => Promise.reject('nothing'), 'nothing'],
    [
      'returns what JSON cannot represent',
      async () => ({ status: 200, payload: 1n }),
      'Do not know how to serialize a BigInt',
    ],
  ])('that %s gets status 500', async (_what, method, error) => {
    expect(await answer({ method }, 'method', '')).toEqual({ status: 500, payload: { error } });
  });

  test.each([
    [120 * 1024, 200],
    [120 * 1024 + 1, 500],
  ])('with a response of %i bytes gets status %i', async (bytes, expected) => {
    const payload = 'x'.repeat(bytes - 2);
    const { status } = await answer({ big: async () => ({ status: 200, payload }) }, 'big', '');
    expect(status).toBe(expected);
  });

  test('with a response that is too large gets its size and the limit', async () => {
    const big = async () => ({ status: 200, payload: 'ä'.repeat(100_000) });
    expect((await answer({ big }, 'big', '')).payload).toEqual({
      error: 'The response has 200002 bytes, the limit is 122880',
    });
  });
});
