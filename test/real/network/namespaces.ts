import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** The world's addresses, of those reserved for documentation (RFC 5737, RFC 3849). */
export const world4 = '192.0.2.2';
export const world6 = '2001:db8::2';

const device4 = '192.0.2.1';
const device6 = '2001:db8::1';

/** Two network namespaces with a cable between them: a device, and the world as it sees it. */
export interface Namespaces {
  /** Runs a command in the world and waits for it. */
  inWorld(...command: string[]): string;
  /** Runs a command in the device's network and returns its output. */
  onDevice(command: readonly string[], environment?: Record<string, string>): Promise<string>;
  /** Starts a server in the world, or on the device. */
  start(where: 'world' | 'device', command: readonly string[]): void;
  /** Stops every server and removes the namespaces. */
  remove(): Promise<void>;
}

/** Requires root. `addresses` are additional addresses of the world; `nameserver` is the name server of both sides. */
export function createNamespaces(addresses: readonly string[], nameserver: string): Namespaces {
  const names = { device: `hardening-device-${process.pid}`, world: `hardening-world-${process.pid}` };
  const servers: ReturnType<typeof spawn>[] = [];
  const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });

  for (const name of Object.values(names)) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    mkdirSync(join('/etc/netns', name), { recursive: true });
    writeFileSync(join('/etc/netns', name, 'resolv.conf'), `nameserver ${nameserver}\n`);
  }
  const cable = ['link', 'add', 'cable0', 'netns', names.device, 'type', 'veth', 'peer', 'name', 'cable0'];
  ip(...cable, 'netns', names.world);
  const give = (name: string, address: string) =>
    // Otherwise duplicate address detection delays the use of an IPv6 address by a second.
    ip('-n', name, 'addr', 'add', address, 'dev', 'cable0', ...(address.includes(':') ? ['nodad'] : []));
  for (const address of [`${device4}/24`, `${device6}/64`]) give(names.device, address);
  for (const address of [`${world4}/24`, `${world6}/64`, ...addresses.map((each) => `${each}/24`)]) {
    give(names.world, address);
  }
  for (const name of Object.values(names)) ip('-n', name, 'link', 'set', 'cable0', 'up');

  const inside = (name: string, command: readonly string[]) => ['netns', 'exec', name, ...command];
  return {
    inWorld: (...command) => ip(...inside(names.world, command)),

    async onDevice(command, environment = {}) {
      const env = { PATH: process.env.PATH, ...environment };
      const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
      const child = spawn('ip', inside(names.device, command), { env, stdio });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      const [code] = await once(child, 'close');
      if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}`);
      return output;
    },

    start(where, command) {
      servers.push(spawn('ip', inside(names[where], command), { stdio: ['ignore', 'ignore', 'pipe'] }));
    },

    async remove() {
      await Promise.all(
        servers.map(async (server) => {
          if (server.exitCode !== null || server.signalCode !== null) return;
          const over = once(server, 'exit');
          server.kill('SIGTERM');
          const late = setTimeout(2000, 'late');
          if ((await Promise.race([over, late])) === 'late') {
            server.kill('SIGKILL');
            await over;
          }
        }),
      );
      for (const name of Object.values(names)) {
        ip('netns', 'del', name);
        rmSync(join('/etc/netns', name), { recursive: true });
      }
      try {
        if (existsSync('/etc/netns')) rmdirSync('/etc/netns');
      } catch {
        // Other namespaces have settings there.
      }
    },
  };
}
