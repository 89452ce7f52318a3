// Runs in a namespace of its own, with an /etc of its own: name servers, and getent and the agent's resolver beside each
// other for each case of a JSON file. Writes what both found as JSON.
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { createResolver } from '../../../src/host/network/resolve.ts';
import { type DnsAnswer, question, reply } from '../../support/servers/dns-message.ts';

/** What one name server does. `zone` has the answers by name; any other name does not exist. */
export interface Zone {
  /** Instead of every answer. */
  readonly always?: DnsAnswer;
  /** Whether addresses come over TCP only. */
  readonly truncates?: boolean;
  readonly names: Readonly<Record<string, { readonly A: DnsAnswer; readonly AAAA: DnsAnswer }>>;
}

export interface ResolverCase {
  readonly name: string;
  /** Absent where there is no such file. */
  readonly resolvConf?: string;
  readonly hosts: string;
  /** By address. Nothing listens on any other address. */
  readonly servers: Readonly<Record<string, Zone>>;
}

export interface Resolved {
  /** Sorted; empty where the name does not resolve. */
  readonly addresses: readonly string[];
  /** The servers that were asked and for which name, each time that either changed. */
  readonly asked: readonly string[];
  readonly error?: string;
}

const cases: ResolverCase[] = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const addresses = (process.argv[3] ?? '').split(',');
let zones: ResolverCase['servers'] = {};
let asked: string[] = [];

function answerOf(address: string, query: Buffer, overTcp: boolean): Buffer | undefined {
  const zone = zones[address];
  const { name, type, end } = question(query);
  if (!overTcp && asked.at(-1) !== `${address} ${name}`) asked.push(`${address} ${name}`);
  const known = zone?.always ?? zone?.names[name]?.[type] ?? 'no such name';
  const answer = zone?.truncates && !overTcp && typeof known !== 'string' ? 'truncated' : known;
  return answer === 'silence' ? undefined : reply(query.subarray(0, end), type, answer);
}

async function startServer(address: string) {
  const udp = createSocket('udp4');
  udp.on('message', (query, from) => {
    const response = answerOf(address, query, false);
    if (response) udp.send(response, from.port, from.address);
  });
  udp.bind(53, address);
  await once(udp, 'listening');
  const tcp = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0);
        const response = answerOf(address, received.subarray(2, 2 + length), true);
        received = received.subarray(2 + length);
        const size = Buffer.alloc(2);
        size.writeUInt16BE(response?.length ?? 0);
        if (response) socket.write(Buffer.concat([size, response]));
      }
    });
  });
  tcp.listen(53, address);
  await once(tcp, 'listening');
}

async function byGetent(name: string): Promise<Resolved> {
  asked = [];
  const { stdout } = await promisify(execFile)('getent', ['ahosts', name], { timeout: 30_000 }).catch(
    (error: unknown) => {
      // Exit status 2: the name was not found.
      if (error instanceof Error && 'code' in error && error.code === 2) return { stdout: '' };
      throw error;
    },
  );
  const found = stdout.split('\n').flatMap((line) => line.split(/\s+/)[0] || []);
  return { addresses: [...new Set(found)].sort(), asked };
}

async function byAgent(name: string): Promise<Resolved> {
  asked = [];
  try {
    const { addresses: found } = await createResolver().resolveFully(name, AbortSignal.timeout(30_000));
    return { addresses: [...new Set(found)].sort(), asked };
  } catch (error) {
    return { addresses: [], asked, error: String(error) };
  }
}

for (const address of addresses) await startServer(address);
const results: { getent: Resolved; agent: Resolved }[] = [];
for (const { name, resolvConf, hosts, servers } of cases) {
  zones = servers;
  writeFileSync('/etc/hosts', hosts);
  if (resolvConf === undefined) rmSync('/etc/resolv.conf', { force: true });
  else writeFileSync('/etc/resolv.conf', resolvConf);
  results.push({ getent: await byGetent(name), agent: await byAgent(name) });
}
process.stdout.write(JSON.stringify(results), () => process.exit());
