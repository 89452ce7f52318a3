import { EventEmitter } from 'node:events';
import { type AuthenticationProvider, AuthenticationType } from 'azure-iot-common';
import type { MethodMessage } from 'azure-iot-device';
import type { Mqtt } from 'azure-iot-device-mqtt';
import { describe, expect, test } from 'vitest';
import { createTransport, type Methods } from '../../src/hub/transport.ts';

class Provider extends EventEmitter {
  readonly type = AuthenticationType.Token;
  stop(): void {}
}

/** A transport without a connection that collects the responses it would send. */
function transport(methods: Methods = {}) {
  const errors: unknown[] = [];
  const provider = new Provider();
  const { Transport } = createTransport(methods, (error) => void errors.push(error));
  const made: Mqtt = new Transport(provider as unknown as AuthenticationProvider);

  const invoke = (methodName: string, body: string | undefined) =>
    new Promise<{ status: number; payload: unknown }>((resolve) => {
      made.sendMethodResponse = ({ status, payload }, done) => {
        resolve({ status, payload });
        done?.();
      };
      const message = { requestId: '1', methods: { methodName }, body: body && Buffer.from(body) };
      made.emit(`method_${methodName}`, message as unknown as MethodMessage);
    });
  return { made, provider, errors, invoke };
}

const echo: Methods = { echo: async (payload) => ({ status: 200, payload: { payload } }) };

describe('a direct method', () => {
  test.each([
    ['an object', '{"a":[1]}', { a: [1] }],
    ['null', 'null', null],
    ['no payload', '', undefined],
    ['no body', undefined, undefined],
  ])('is called with %s', async (_what, body, payload) => {
    expect(await transport(echo).invoke('echo', body)).toEqual({ status: 200, payload: { payload } });
  });

  test.each(['{', 'undefined', '{"a":1}}'])('with the payload %s gets status 400', async (body) => {
    expect(await transport(echo).invoke('echo', body)).toEqual({
      status: 400,
      payload: { error: 'The payload is not valid JSON' },
    });
  });

  test.each(['ping', 'toString', '__proto__'])(
    'that is unknown, %s, gets status 404 and the available methods',
    async (name) => {
      expect(
        await transport({ ...echo, other: async () => ({ status: 200, payload: 1 }) }).invoke(name, ''),
      ).toEqual({
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
    const { invoke, errors } = transport({ method });
    expect(await invoke('method', '')).toEqual({ status: 500, payload: { error } });
    expect(errors).toEqual([]);
  });

  test.each([
    [120 * 1024, 200],
    [120 * 1024 + 1, 500],
  ])('with a response of %i bytes gets status %i', async (bytes, expected) => {
    const payload = 'x'.repeat(bytes - 2);
    const { status } = await transport({ big: async () => ({ status: 200, payload }) }).invoke('big', '');
    expect(status).toBe(expected);
  });

  test('with a response that is too large gets its size and the limit', async () => {
    const { invoke } = transport({ big: async () => ({ status: 200, payload: 'ä'.repeat(100_000) }) });
    expect((await invoke('big', '')).payload).toEqual({
      error: 'The response has 200002 bytes, the limit is 122880',
    });
  });

  test('whose response cannot be sent is reported as an error', async () => {
    const { made, errors } = transport(echo);
    const sent = new Promise<void>((resolve) => {
      made.sendMethodResponse = (_response, done) => {
        done?.(new Error('not connected'));
        resolve();
      };
    });
    const message = { requestId: '1', methods: { methodName: 'echo' }, body: undefined };
    made.emit('method_echo', message as unknown as MethodMessage);
    await sent;
    await expect.poll(() => errors).toEqual([new Error('not connected')]);
  });
});

test('a token that cannot be renewed ends the session and not the process', () => {
  const { provider, made } = transport();
  const ends: unknown[] = [];
  made.on('disconnect', (error) => ends.push(error));
  const error = new Error('connect ENOENT /var/run/iotedge/workload.sock');
  provider.emit('error', error);
  expect(ends).toEqual([error]);
});
