import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { createChrony } from '../../../src/host/clock/chrony.ts';
import { encodeTrackingRequest, isReplyTo, parseTracking } from '../../../src/host/clock/chrony-packet.ts';
import { refusingPort, udpServer } from '../../support/servers/udp.ts';

/** From chronyd 4.3 with its clock 90 s behind its source; `chronyc tracking` said `90.000015259 seconds slow`. */
const captured = Buffer.from(
  '060200000021000500000000000000000000000700000000000000007f0000017f000001000000000000000000000000' +
    '0001000000030000000000006b020ebd3191993110b40002e2a63c2fe2a63c2fff41f431f8f9fc80109c8d8de881e17d' +
    'e880ace40480b3ce',
  'hex',
);
const referenceTime = 1_795_296_957;
const now = () => new Date((referenceTime + 60) * 1000);
const chrony = createChrony({ resolve: async (name) => [name], now });
const soon = () => AbortSignal.timeout(1000);

const patched = (patch: (reply: Buffer) => void) => {
  const reply = Buffer.from(captured);
  patch(reply);
  return reply;
};

/** chronyd's manners: it leaves requests alone that are shorter than their reply. */
async function chronyd(reply: Buffer): Promise<string> {
  const socket = await udpServer((request, from, server) => {
    if (request.length < captured.length || request.readUInt16BE(4) !== 33) return;
    const answer = Buffer.from(reply);
    request.copy(answer, 16, 8, 12);
    server.send(answer, from.port, from.address);
  });
  return `127.0.0.1:${socket.address().port}`;
}

test('a captured tracking reply is read as chronyc reads it', () => {
  const tracking = parseTracking(captured);
  expect(tracking).toEqual({
    referenceId: 0x7f000001,
    stratum: 3,
    leap: 0,
    referenceTimeSeconds: referenceTime,
    currentCorrectionSeconds: expect.closeTo(90.000015259, 8),
    rootDelaySeconds: expect.closeTo(0.000061932, 9),
    rootDispersionSeconds: expect.closeTo(0.000061357, 9),
  });
});

test('a negative correction and a negative exponent are read with their signs', () => {
  // Exponent bits 0x71 are -15, the coefficient is negative too.
  const reply = patched((bytes) => bytes.writeUInt32BE(0xe344342f, 68));
  const correction = -12_307_409 * 2 ** (-15 - 25);
  expect(parseTracking(reply)).toMatchObject({ currentCorrectionSeconds: correction });
});

test('a request is as long as its reply, or chronyd would not answer', () => {
  const request = encodeTrackingRequest(0xdeadbeef);
  expect(request.length).toBe(captured.length);
  expect(request.subarray(0, 20).toString('hex')).toBe('0601000000210000deadbeef0000000000000000');
});

test('only the reply to its own sequence number answers a request', () => {
  expect(isReplyTo(captured, 7)).toBe(true);
  expect(isReplyTo(captured, 8)).toBe(false);
  expect(isReplyTo(captured.subarray(0, 27), 7)).toBe(false);
  expect(isReplyTo(encodeTrackingRequest(7), 7)).toBe(false);
});

test('a clock that chronyd calls slow is behind, to within half the root delay and the dispersion', async () => {
  const sample = await chrony(await chronyd(captured), soon());
  expect(sample.offsetSeconds).toBeCloseTo(-90, 4);
  expect(sample.errorSeconds).toBeCloseTo(0.0000619 / 2 + 0.0000613, 6);
});

describe('nothing is taken from', () => {
  const put16 = (value: number, at: number) => patched((reply) => reply.writeUInt16BE(value, at));
  const put32 = (value: number, at: number) => patched((reply) => reply.writeUInt32BE(value, at));
  test.each([
    ['a chronyd without a source', put16(3, 54), 'is not synchronised'],
    ['stratum 0', put16(0, 52), 'is not synchronised'],
    ['no reference', put32(0, 28), 'is not synchronised'],
    ['a chronyd that follows its own clock', put32(0x7f7f0101, 28), 'follows only the clock itself'],
    ['a source lost 3 hours ago', put32(referenceTime - 10_800, 60), 'for 3.0 h'],
    // Exponent bits 0x10 are 8, coefficient -2^24.
    ['a negative root dispersion', put32(0x11000000, 96), 'reports a negative error'],
    ['another version', patched((reply) => reply.writeUInt8(5, 0)), 'version 5 instead of 6'],
    ['a refusal', put16(2, 8), 'refused to report its tracking state (status 2)'],
    ['another reply', put16(1, 6), 'answered with reply 1 instead of 5'],
    ['a reply cut short', captured.subarray(0, 103), 'answered with 103 bytes instead of 104'],
  ])('%s', async (_what, reply, why) => {
    await expect(chrony(await chronyd(reply), soon())).rejects.toMatchObject({
      name: 'CannotTell',
      reason: 'unreadable',
      message: expect.stringContaining(why),
    });
  });
});

test('a port where nothing listens is not found, as in a container with a network of its own', async () => {
  const port = await refusingPort();
  await expect(chrony(`127.0.0.1:${port}`, soon())).rejects.toMatchObject({
    reason: 'not_found',
    message: `chronyd at 127.0.0.1:${port} did not answer: nothing listens there (ECONNREFUSED)`,
    cause: { code: 'ECONNREFUSED' },
  });
});

test('a silent port is given up when the signal fires', async () => {
  const socket = await udpServer(() => {});
  const asked = chrony(`127.0.0.1:${socket.address().port}`, AbortSignal.timeout(100));
  await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('an address that does not resolve is unreadable: only a port where nothing listens is expected', async () => {
  const unresolved = new CannotTell('dns_failed', 'chrony.test does not resolve: there is no such name');
  const resolve = () => Promise.reject(unresolved);
  await expect(createChrony({ resolve })('chrony.test', soon())).rejects.toMatchObject({
    reason: 'unreadable',
    message: expect.stringContaining('there is no such name'),
    cause: unresolved,
  });
});
