import { readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { budgets } from '../bench/budgets.ts';
import { imageFilesIn } from '../bench/programs/image-files.ts';
import { childCpuSeconds, childrenOf, sleeps } from '../bench/programs/proc.ts';
import { bundled } from './support/programs/bundle.ts';
import { createDevice, soon } from './support/programs/device.ts';
import { tempFolder } from './support/temp-folder.ts';

const { imageBytes, startBytes, heapMib, wakeUpsPerMinute, childProcesses } = budgets.test;

describe('the bundles of the image', () => {
  const dist = dirname(bundled('main'));
  const sizeOf = (files: Iterable<string>) =>
    [...files].reduce((sum, file) => sum + statSync(join(dist, file)).size, 0);
  const image = imageFilesIn(dist).filter((file) => file.endsWith('.js'));

  /** The files that are read when one of them is: itself, and what it imports. */
  function loadedWith(file: string, loaded = new Set<string>()): ReadonlySet<string> {
    if (loaded.has(file)) return loaded;
    loaded.add(file);
    const imports = readFileSync(join(dist, file), 'utf8').matchAll(/\b(?:from|import) ?"\.\/([\w-]+\.js)"/g);
    for (const [, imported = ''] of imports) loadedWith(imported, loaded);
    return loaded;
  }

  test('are small, and the agent reads only what it always needs', () => {
    expect(sizeOf(image)).toBeLessThanOrEqual(imageBytes);
    const start = loadedWith('main.js');
    expect(start.size).toBeGreaterThan(1);
    expect(sizeOf(start)).toBeLessThanOrEqual(startBytes);
    const code = [...start].map((file) => readFileSync(join(dist, file), 'utf8')).join('\n');
    expect(code).not.toMatch(/node_modules\/commander\//);
  });

  // Either costs megabytes as soon as it is used.
  test.each([
    ['ICU', /\bIntl\.|\.toLocale\w*\(|\.localeCompare\(/],
    ['undici', /(?<![.\w])fetch\(/],
    ['ES imports of Node.js modules', /\b(?:from|import) ?"(?:node:)?(?:fs|http|net|tls|crypto)"/],
  ])('the agent uses no %s', (_, use) => {
    for (const file of loadedWith('main.js')) {
      expect(readFileSync(join(dist, file), 'utf8').match(use)?.[0], file).toBeUndefined();
    }
  });
});

describe('the module, idle', () => {
  /** A module that has run its checks ten times, and prints its live heap at SIGUSR2. */
  async function idleModule() {
    const hook = join(await tempFolder(), 'heap.cjs');
    await writeFile(
      hook,
      `require('node:v8').setFlagsFromString('--expose-gc');
       const gc = require('node:vm').runInNewContext('gc');
       process.on('SIGUSR2', () => { gc(); process.stderr.write('heap=' + process.memoryUsage().heapUsed + '\\n'); });`,
    );
    const { simulator, start } = await createDevice();
    // Without a policy file, which is polled.
    const agent = await start({ NODE_OPTIONS: `--require ${hook}`, HARDENING_POLICY_FILE: '' });
    await soon(async () => (await agent.get('/readyz')).status).toBe(200);
    for (let run = 0; run < 10; run += 1) {
      expect((await simulator.admin('POST', '/methods/runChecks', {})).body).toMatchObject({ status: 200 });
      await agent.get('/metrics');
    }
    return { agent, pid: agent.child.pid ?? 0 };
  }

  test('keeps a small heap and has started no process', async () => {
    const { agent, pid } = await idleModule();
    process.kill(pid, 'SIGUSR2');
    await soon(agent.err).toMatch(/heap=\d+/);
    const bytes = Number(/heap=(\d+)/.exec(agent.err())?.[1]);
    expect(bytes / 1_048_576).toBeLessThanOrEqual(heapMib);
    expect(childrenOf(pid)).toHaveLength(childProcesses);
    expect(childCpuSeconds(pid)).toBe(0);
  });

  test('is woken rarely', async () => {
    const { pid } = await idleModule();
    // What the runs have left is saved within a minute.
    await setTimeout(61_000);
    const before = sleeps(pid);
    await setTimeout(30_000);
    expect(2 * (sleeps(pid) - before)).toBeLessThanOrEqual(wakeUpsPerMinute);
  }, 150_000);
});
