import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bundled } from '../support/programs/bundle.ts';
import { have, isRoot } from '../support/programs/installed.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Opens sockets of every kind in a network of its own, then asks ss and the agent what listens. */
const program = `
const net = require('node:net'), dgram = require('node:dgram'), { execFileSync } = require('node:child_process');
const tcp = (port, host, ipv6Only) => new Promise((done) => net.createServer().listen({ port, host, ipv6Only }, done));
const udp = (type, port, address, peer) => new Promise((done) => {
  const socket = dgram.createSocket({ type });
  socket.bind(port, address, () => (peer ? socket.connect(peer, address, done) : done()));
});
(async () => {
  await tcp(22, '0.0.0.0'); await tcp(8080, '::'); await tcp(8081, '::', true); await tcp(5432, '127.0.0.1');
  await tcp(5433, '::1'); await tcp(9000, '192.0.2.1'); await tcp(9600, '0.0.0.0'); await tcp(65535, '2001:db8::1');
  await udp('udp4', 53, '0.0.0.0'); await udp('udp6', 123, '::'); await udp('udp4', 323, '127.0.0.1');
  await udp('udp4', 5000, '192.0.2.1', 5001); await udp('udp4', 161, '192.0.2.1');
  net.connect(22, '192.0.2.1').on('connect', () => {
    const ss = execFileSync('ss', ['-lntuH'], { encoding: 'utf8' });
    let report = '';
    try { report = execFileSync(process.execPath, [process.argv[1], 'check', 'listeningPorts', '--json'], { encoding: 'utf8' }); }
    catch (error) { report = error.stdout; }
    console.log(JSON.stringify({ ss, report: JSON.parse(report) }));
    process.exit(0);
  });
})();
`;

const network = [
  'ip link set lo up',
  'ip link add wire type veth peer name other',
  'ip addr add 192.0.2.1/24 dev wire',
  'ip -6 addr add 2001:db8::1/64 dev wire nodad',
  'ip link set wire up',
  'ip link set other up',
  'exec "$@"',
].join(' && ');

/** `tcp/22` for each socket in the output of `ss -lntuH` that is not bound to this machine alone. */
const portsOf = (ss: string): string[] => {
  const ports = ss
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([, , , , local = '']) => !/^(127\.|\[::1\])/.test(local))
    .map(([protocol, , , , local = '']) => `${protocol}/${local.slice(local.lastIndexOf(':') + 1)}`);
  return [...new Set(ports)].sort();
};

describe.skipIf(!(isRoot && have('unshare', 'ip', 'ss')))(
  'what listens (root, apt-get install iproute2)',
  () => {
    test('ss and the agent list the same ports', async () => {
      const folder = await tempFolder();
      const { stdout } = await promisify(execFile)(
        'unshare',
        ['-n', 'sh', '-c', network, 'sh', process.execPath, '-e', program, bundled('cli')],
        {
          env: { PATH: process.env.PATH, HARDENING_HOST_ROOT: `${folder}/host`, HARDENING_STATE_DIR: folder },
        },
      );
      const { ss, report } = JSON.parse(stdout);
      const { findings } = report.checks.listeningPorts;
      expect(findings.map(({ target }: { target: string }) => target).sort()).toEqual(portsOf(ss));
      const wrong = findings.filter(({ status }: { status: string }) => status === 'warn');
      expect(wrong.map(({ target }: { target: string }) => target).sort()).toEqual(
        ['tcp/65535', 'tcp/8080', 'tcp/8081', 'tcp/9000', 'udp/123', 'udp/161', 'udp/53'].sort(),
      );
    });
  },
);
