import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngineUsage } from '../../src/host/disk/engine-usage.ts';
import { have, isRoot } from '../support/programs/installed.ts';
import { type Engine, startEngine } from './engine.ts';

const signal = AbortSignal.timeout(120_000);
const mib = 1_048_576;

describe.skipIf(!(isRoot && have('dockerd', 'tar')))(
  'disk usage of a real engine (root; apt-get install docker.io)',
  () => {
    let folder = '';
    let engine: Engine;

    /** Imports an image that holds one file. */
    const importImage = async (tag: string, mebibytes: number) => {
      await writeFile(join(folder, 'file'), Buffer.alloc(mebibytes * mib, mebibytes));
      execFileSync('tar', ['-C', folder, '-cf', join(folder, 'image.tar'), 'file']);
      const stream = await engine.docker.importImage(createReadStream(join(folder, 'image.tar')), {
        repo: tag,
        tag: '1',
      });
      stream.resume();
      await new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject));
    };
    const usage = async () => {
      const result = await createEngineUsage(engine)(signal);
      if (!result) throw new Error('The engine did not answer');
      return result;
    };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hardening-usage-'));
      engine = await startEngine(signal, { network: false });
    }, 60_000);

    afterAll(async () => {
      await engine?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test('is zero at first, then counts used and unused images, volumes and containers', async () => {
      const zero = { bytes: 0, unusedBytes: 0 };
      expect(await usage()).toEqual({
        folder: engine.dataRoot,
        images: zero,
        containers: zero,
        volumes: zero,
        buildCache: zero,
      });

      await importImage('used', 20);
      await importImage('unused', 30);
      const HostConfig = { NetworkMode: 'none', Binds: ['kept:/data'] };
      const container = await engine.docker.createContainer({ Image: 'used:1', Cmd: ['/file'], HostConfig });
      await engine.docker.createVolume({ Name: 'left' });
      await writeFile(join(engine.dataRoot, 'volumes/left/_data/file'), Buffer.alloc(4 * mib));
      await writeFile(join(engine.dataRoot, 'volumes/kept/_data/file'), Buffer.alloc(2 * mib));
      const archive = createReadStream(join(folder, 'image.tar'));
      await container.putArchive(archive, { path: '/' });

      const { images, containers, volumes } = await usage();
      const inMib = ({ bytes, unusedBytes }: typeof zero) =>
        [bytes, unusedBytes].map((n) => Math.round(n / mib));
      expect(inMib(images)).toEqual([50, 30]);
      expect(inMib(volumes)).toEqual([6, 4]);
      // The container has never run, so all of its data counts as unused.
      expect(inMib(containers)).toEqual([30, 30]);
    });
  },
);
