import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngineUsage } from '../../src/host/disk/engine-usage.ts';
import { have, isRoot } from '../support/programs.ts';
import { type Engine, startEngine } from './engine.ts';

const signal = AbortSignal.timeout(120_000);
const mib = 1_048_576;

describe.skipIf(!(isRoot && have('dockerd', 'tar')))(
  'what a real engine keeps (root; apt-get install docker.io)',
  () => {
    let folder = '';
    let engine: Engine;

    /** Imports an image of one file of so many MiB. */
    const importImage = async (tag: string, megabytes: number) => {
      await writeFile(join(folder, 'file'), Buffer.alloc(megabytes * mib, megabytes));
      execFileSync('tar', ['-C', folder, '-cf', join(folder, 'image.tar'), 'file']);
      const stream = await engine.docker.importImage(createReadStream(join(folder, 'image.tar')), {
        repo: tag,
        tag: '1',
      });
      stream.resume();
      await new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject));
    };
    const usage = async () => {
      const found = await createEngineUsage(engine)(signal);
      if (!found) throw new Error('The engine did not answer');
      return found;
    };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hardening-usage-'));
      engine = await startEngine(signal, { network: false });
    }, 60_000);

    afterAll(async () => {
      await engine?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test('nothing at first, then images, volumes and containers, used and unused', async () => {
      const nothing = { bytes: 0, unusedBytes: 0 };
      expect(await usage()).toEqual({
        folder: engine.dataRoot,
        images: nothing,
        containers: nothing,
        volumes: nothing,
        buildCache: nothing,
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
      const inMib = ({ bytes, unusedBytes }: typeof nothing) =>
        [bytes, unusedBytes].map((n) => Math.round(n / mib));
      expect(inMib(images)).toEqual([50, 30]);
      expect(inMib(volumes)).toEqual([6, 4]);
      // It has never run, so what was put into it can go with it.
      expect(inMib(containers)).toEqual([30, 30]);
    });
  },
);
