import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Namespaces, world4, world6 } from './namespaces.ts';
import { blackHoles, dns, hub, ports, rejectingRoutes, rejections } from './places.ts';

/** The world's firewall. */
export function firewall(network: Namespaces) {
  const drop = (tables: string, port: number | string) =>
    network.inWorld(tables, '-A', 'INPUT', '-p', 'tcp', '--dport', String(port), '-j', 'DROP');
  const reject = (port: number, how: string, tables = 'iptables') => {
    const matching = ['-A', 'INPUT', '-p', 'tcp', '--dport', String(port), '-j', 'REJECT'];
    network.inWorld(tables, ...matching, '--reject-with', how);
  };
  drop('iptables', ports.dropped);
  drop('iptables', ports.ipv4Dropped);
  drop('ip6tables', ports.ipv6Dropped);
  drop('iptables', `${blackHoles.at(0)}:${blackHoles.at(-1)}`);
  reject(ports.rejected, 'icmp-port-unreachable');
  reject(ports.reset, 'tcp-reset');
  reject(ports.prohibited, 'icmp-admin-prohibited');
  for (const { port, how, tables } of rejections) reject(port, how, tables);
  network.inWorld('iptables', '-A', 'INPUT', '-d', dns.silent, '-p', 'udp', '-j', 'DROP');
}

/** Routes of the device that reject. */
export async function routes(network: Namespaces) {
  for (const { type, networks } of rejectingRoutes) {
    for (const each of networks) await network.onDevice(['ip', 'route', 'add', type, each]);
  }
}

export function nameServers(network: Namespaces) {
  const start = (address: string, ...records: string[]) =>
    network.start('world', [
      'dnsmasq',
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--user=root',
      '--pid-file=',
      '--bind-interfaces',
      `--listen-address=${address}`,
      '--except-interface=lo',
      ...records,
    ]);
  // Eight unused addresses before the working one of the other family.
  const deadFirst = Array.from({ length: 8 }, (_, i) => `192.0.2.${100 + i}`);
  start(
    dns.right,
    '--local=/azure-devices.net/',
    `--host-record=${hub},${world4},${world6}`,
    `--host-record=one.test,${world4}`,
    ...deadFirst.map((address) => `--host-record=dead.test,${address}`),
    `--host-record=dead.test,${world6}`,
  );
  start(dns.lying, `--host-record=${hub},10.0.0.9`);
  start(dns.refusing);
}

export function proxies(network: Namespaces, folder: string) {
  const start = (port: number, ...lines: string[]) => {
    const file = join(folder, `proxy-${port}.conf`);
    const always = [
      `Port ${port}`,
      'Timeout 60',
      `ConnectPort ${ports.https}`,
      `ConnectPort ${ports.dropped}`,
    ];
    writeFileSync(file, [...always, `LogFile "${file}.log"`, ...lines, ''].join('\n'));
    network.start('world', ['tinyproxy', '-d', '-c', file]);
  };
  start(ports.proxy);
  start(ports.closedProxy, 'BasicAuth device s3cret');
}
