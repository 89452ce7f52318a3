import { expect, test } from 'vitest';
import { onlyReading } from '../../../src/host/tpm/device.ts';

/** A command without parameters. */
function command(code: number, tag = 0x8001, size = 10): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt16BE(tag);
  bytes.writeUInt32BE(size, 2);
  bytes.writeUInt32BE(code, 6);
  return bytes;
}

function guarded() {
  const sent: Buffer[] = [];
  const device = onlyReading({
    async transmit(bytes) {
      sent.push(bytes);
      return bytes;
    },
    async close() {},
  });
  return { sent, transmit: device.transmit };
}

test('of all commands, standard and of vendors, two reach the TPM', async () => {
  const { sent, transmit } = guarded();
  for (let code = 0; code <= 0x1000; code += 1) {
    for (const vendor of [0, 0x2000_0000]) await transmit(command(vendor + code)).catch(() => {});
  }
  expect(sent).toEqual([command(0x173), command(0x17a)]);
});

test.each([
  ['with sessions, which authorize', command(0x173, 0x8002)],
  ['with another behind it', Buffer.concat([command(0x173), command(0x131)])],
  ['that claims to be longer', command(0x173, 0x8001, 20)],
  ['that is too short', command(0x173).subarray(0, 8)],
])('a reading command %s does not', async (_, bytes) => {
  const { sent, transmit } = guarded();
  await expect(transmit(bytes)).rejects.toThrow('Refused to send');
  expect(sent).toEqual([]);
});
