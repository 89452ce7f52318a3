/** The response of a name server: addresses of the requested family, an RFC 1035 response code, `truncated`, or none at all. */
export type DnsAnswer = readonly string[] | keyof typeof responseCodes | 'silence';

const responseCodes = { failed: 2, 'no such name': 3, 'not implemented': 4, refused: 5, truncated: 0 };

/** The first question, RFC 1035 section 4.1.2. */
export function question(query: Buffer): { name: string; type: 'A' | 'AAAA'; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return {
    name: labels.join('.').toLowerCase(),
    type: query.readUInt16BE(at + 1) === 28 ? 'AAAA' : 'A',
    end: at + 5,
  };
}

/** The response to a query, RFC 1035 section 4.1. */
export function reply(query: Buffer, type: 'A' | 'AAAA', answer: Exclude<DnsAnswer, 'silence'>): Buffer {
  const addresses = typeof answer === 'string' ? [] : answer;
  const code = typeof answer === 'string' ? responseCodes[answer] : 0;
  const head = Buffer.from(query);
  // Flags QR, RD and RA; TC for a truncated response.
  head.writeUInt16BE((answer === 'truncated' ? 0x8380 : 0x8180) | code, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((address) => {
    const data = type === 'A' ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type === 'A' ? 1 : 28, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, ...records]);
}

/** The bytes of an IPv6 address, with or without `::`. */
function ipv6Bytes(address: string): Buffer {
  const [before = '', after = ''] = address.split('::');
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const tail = groups(after);
  const all = groups(before);
  while (all.length + tail.length < 8) all.push(0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...all, ...tail].entries()) bytes.writeUInt16BE(group, index * 2);
  return bytes;
}
