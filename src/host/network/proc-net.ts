import type { Listener } from './types.ts';

/** The tables of a network namespace in /proc/PID/net that list sockets with ports. */
export const tables = ['tcp', 'tcp6', 'udp', 'udp6'] as const;
export type Table = (typeof tables)[number];

/** `st` of a socket that receives: LISTEN for TCP, CLOSE (not connected) for UDP (Linux, net/tcp_states.h). */
const receiving: Readonly<Record<Table, string>> = { tcp: '0A', tcp6: '0A', udp: '07', udp6: '07' };

/**
 * The sockets of a table that receive from anywhere (proc_pid_net(5)). `isLittleEndian` is the byte order of the machine, in
 * which the kernel prints each 32-bit word of an address. Lines that are no sockets are ignored.
 */
export function parseProcNet(table: Table, text: string, isLittleEndian: boolean): readonly Listener[] {
  const protocol = table.startsWith('tcp') ? 'tcp' : 'udp';
  return text.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state, , , , uid = ''] = line.trim().split(/ +/);
    if (state !== receiving[table]) return [];
    // A connected UDP socket receives from one peer only.
    if (protocol === 'udp' && !/^0+:0000$/.test(remote)) return [];
    const [, hex, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local) ?? [];
    if (hex === undefined || port === undefined || !/^\d{1,10}$/.test(uid)) return [];
    const address = addressOf(hex, isLittleEndian);
    return { protocol, address, port: Number.parseInt(port, 16), uid: Number(uid) };
  });
}

function addressOf(hex: string, isLittleEndian: boolean): string {
  const bytes = Buffer.from(hex, 'hex');
  if (isLittleEndian) bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.subarray(0, 12).toString('hex') === '00000000000000000000ffff')
    return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16)).join(':');
  // The URL parser shortens an IPv6 address as RFC 5952 says.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}
