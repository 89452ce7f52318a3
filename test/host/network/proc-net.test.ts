import { expect, test } from 'vitest';
import { parseProcNet } from '../../../src/host/network/proc-net.ts';

const heading =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (local: string, remote: string, state: string, uid = 0) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 12345 1 0000000000000000 100 0 0 10 0`;
const table = (...lines: string[]) => `${[heading, ...lines].join('\n')}\n`;

test('a TCP socket that listens has its address, port and owner', () => {
  const text = table(line('0100007F:1F90', '00000000:0000', '0A', 1000));
  expect(parseProcNet('tcp', text, true)).toEqual([
    { protocol: 'tcp', address: '127.0.0.1', port: 8080, uid: 1000 },
  ]);
});

test('a TCP socket that is connected does not listen', () => {
  const text = table(
    line('0A00000A:0016', '0B00000A:C001', '01'),
    line('00000000:0016', '00000000:0000', '0A'),
  );
  expect(parseProcNet('tcp', text, true)).toHaveLength(1);
});

test('a UDP socket that is connected receives from one peer only', () => {
  const text = table(
    line('00000000:0035', '00000000:0000', '07'),
    line('0A00000A:C001', '0B00000A:0035', '01'),
  );
  expect(parseProcNet('udp', text, true).map(({ port }) => port)).toEqual([53]);
});

test.each([
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000001000000', '::1'],
  ['0000000000000000FFFF00000100007F', '127.0.0.1'],
  ['B80D0120000000000000000001000000', '2001:db8::1'],
])('the IPv6 address %s is %s', (hex, address) => {
  const text = table(line(`${hex}:0016`, `${'0'.repeat(32)}:0000`, '0A'));
  expect(parseProcNet('tcp6', text, true)[0]?.address).toBe(address);
});

test('a big-endian machine prints its addresses the other way round', () => {
  const text = table(line('7F000001:0016', '00000000:0000', '0A'));
  expect(parseProcNet('tcp', text, false)[0]?.address).toBe('127.0.0.1');
});

test.each([
  ['nothing', ''],
  ['a cut line', table('   0: 00000000:00')],
  ['another file', 'root:x:0:0:root:/root:/bin/bash\n'],
  ['an address of another length', table(line('0000:0016', '00000000:0000', '0A'))],
])('%s lists no socket', (_, text) => {
  expect(parseProcNet('tcp', text, true)).toEqual([]);
});
