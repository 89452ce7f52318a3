import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, onTestFinished, test } from 'vitest';
import { have, isRoot } from '../support/programs/installed.ts';
import { seeded, seedOf } from '../support/random.ts';
import type { Resolved, ResolverCase } from './network/resolver-bench.ts';
import { randomCase, serverAddresses } from './network/resolver-cases.ts';

const able = isRoot && have('unshare', 'mount', 'ip', 'getent');

describe.skipIf(!able)(
  'names as the system resolves them (root, apt-get install util-linux iproute2)',
  () => {
    test('getent and the agent find the same addresses and ask the same servers in the same order', async () => {
      const random = seeded(seedOf('RESOLVER_SEED'));
      const cases = [
        ...Array.from({ length: 300 }, () => randomCase(random, { silence: false })),
        ...Array.from({ length: 8 }, () => randomCase(random, { silence: true })),
      ];
      const results = await inNamespace(cases);
      const differing = cases.flatMap((each, index) => {
        const { getent, agent } = results[index] ?? {};
        // With `rotate`, glibc starts at a server that it chooses by chance.
        const compared = each.resolvConf?.includes('rotate') ? ['addresses'] : ['addresses', 'asked'];
        return JSON.stringify(getent, compared) === JSON.stringify(agent, compared)
          ? []
          : [{ ...each, getent, agent }];
      });
      expect(differing).toEqual([]);
      // Both outcomes are well represented.
      const found = results.filter(({ agent }) => agent.addresses.length > 0).length;
      expect(found).toBeGreaterThan(cases.length / 5);
      expect(found).toBeLessThan((cases.length * 4) / 5);
    }, 300_000);
  },
);

async function inNamespace(cases: readonly ResolverCase[]): Promise<{ getent: Resolved; agent: Resolved }[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hardening-resolver-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await build({
    entryPoints: [fileURLToPath(new URL('network/resolver-bench.ts', import.meta.url))],
    outfile: join(folder, 'bench.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
  });
  await writeFile(join(folder, 'cases.json'), JSON.stringify(cases));
  await mkdir(join(folder, 'etc'));
  await writeFile(join(folder, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  await writeFile(join(folder, 'etc/host.conf'), 'multi on\n');
  const script = [
    'ip link set lo up',
    // Glibc searches its domain where resolv.conf names none.
    'echo gateway.plant.example > /proc/sys/kernel/hostname',
    `mount --bind '${folder}/etc' /etc`,
    `exec '${process.execPath}' '${folder}/bench.mjs' '${folder}/cases.json' ${serverAddresses.join(',')}`,
  ].join(' && ');
  const { stdout } = await promisify(execFile)('unshare', ['--net', '--mount', '--uts', 'sh', '-c', script], {
    maxBuffer: 64 * 1_048_576,
  });
  return JSON.parse(stdout);
}
