import type { AddressInfo } from 'node:net';
import { formatEndpoint } from '../../../src/endpoint.ts';
import { codeOf } from '../../../src/errors.ts';
import { type DnsAnswer, question, reply } from './dns-message.ts';
import { udpServer } from './udp.ts';

export type { DnsAnswer } from './dns-message.ts';

/** What a name server answers. */
export type Answering = (name: string, type: 'A' | 'AAAA') => DnsAnswer | Promise<DnsAnswer>;

/** Starts a name server on loopback; returns its `address:port`. */
export async function dnsServer(
  answer: Answering,
  at: { address?: string; port?: number } = {},
): Promise<string> {
  const server = await udpServer((query, { address, port }, socket) => {
    const { name, type, end } = question(query);
    void Promise.resolve(answer(name, type)).then((result) => {
      if (result === 'silence') return;
      socket.send(reply(query.subarray(0, end), type, result), port, address);
    });
  }, at);
  const { address, port } = server.address() as AddressInfo;
  return formatEndpoint({ host: address, port });
}

/** Starts name servers at 127.0.0.1, 127.0.0.2 and so on; returns their common port. */
export async function dnsServers(...answers: readonly Answering[]): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    let port = 0;
    try {
      for (const [index, answer] of answers.entries()) {
        const server = await dnsServer(answer, { address: `127.0.0.${index + 1}`, port });
        port = Number(server.split(':')[1]);
      }
      return port;
    } catch (error) {
      // Another process has the port at one of the other addresses.
      if (codeOf(error) !== 'EADDRINUSE' || attempt === 5) throw error;
    }
  }
}
