import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openStateFile } from '../../src/state/state-file.ts';
import { policyThatGives } from '../support/programs/cli.ts';
import { soon, startAgent } from '../support/programs/device.ts';
import { have, isRoot } from '../support/programs/installed.ts';
import { tempFolder } from '../support/temp-folder.ts';

const able = isRoot && have('mkfs.ext4', 'mount') && existsSync('/dev/loop-control');

describe.skipIf(!able)(
  'a state folder on a disk of its own (root, a loop device and apt-get install e2fsprogs mount)',
  () => {
    let state = '';
    let filling = '';

    beforeEach(async () => {
      const folder = await tempFolder();
      const image = join(folder, 'image');
      const disk = join(folder, 'disk');
      await mkdir(disk);
      await writeFile(image, '');
      await truncate(image, 1_048_576);
      execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', '-O', '^has_journal', image], { stdio: 'pipe' });
      execFileSync('mount', ['-o', 'loop', image, disk]);
      onTestFinished(() => void execFileSync('umount', [disk]));
      state = join(disk, 'state');
      filling = join(disk, 'filling');
      await mkdir(state);
    });

    /** To the last block, which one write of all leaves half empty. */
    const fill = async () => {
      for (const bytes of [4_194_304, 1024]) {
        const more = async () => {
          for (;;) await appendFile(filling, Buffer.alloc(bytes));
        };
        await expect(more()).rejects.toMatchObject({ code: 'ENOSPC' });
      }
    };
    const remountReadOnly = () => execFileSync('mount', ['-o', 'remount,ro', join(state, '..')]);
    const stateFinding = async (get: (path: string) => Promise<{ body: string }>) =>
      JSON.parse((await get('/api/report')).body).checks.stateFolder?.findings[0];

    test('that is full keeps the old file, is reported, and is written once there is room', async () => {
      const before = await openStateFile(state);
      before.set('policy', 'old');
      await before.flush();
      await fill();

      const value = 'x'.repeat(20_000);
      const memory = await openStateFile(state);
      expect(memory.problem()).toMatchObject({
        kind: 'unwritable',
        message: expect.stringContaining('no space left on device'),
      });
      expect(memory.get('policy')).toBe('old');
      memory.set('policy', value);
      await memory.flush();
      expect(memory.problem()).toMatchObject({ kind: 'unwritable' });
      expect(JSON.parse(await readFile(join(state, 'state.json'), 'utf8')).values).toEqual({ policy: 'old' });

      await rm(filling);
      await memory.flush();
      expect(memory.problem()).toBeUndefined();
      expect((await openStateFile(state)).get('policy')).toBe(value);
    });

    test('that is full is a warning of the agent, which goes on', async () => {
      await fill();
      const policy = await policyThatGives('pass');
      const { get, stop } = await startAgent({
        HARDENING_STATE_DIR: state,
        HARDENING_POLICY_FILE: await on(policy),
      });
      await soon(() => get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
      expect(await stateFinding(get)).toMatchObject({ status: 'warn', reason: 'unwritable' });
      expect((await stop()).code).toBe(0);
    });

    test('that is read-only is reported as no access, and the agent goes on', async () => {
      remountReadOnly();
      const policy = await policyThatGives('pass');
      const { get, stop, out } = await startAgent({
        HARDENING_STATE_DIR: state,
        HARDENING_POLICY_FILE: await on(policy),
      });
      await soon(() => get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
      expect(await stateFinding(get)).toMatchObject({
        status: 'skip',
        reason: 'no_access',
        message: expect.stringContaining('read-only file system'),
      });
      expect(out()).toMatch(/Starting without memory .*read-only file system/);
      expect((await stop()).code).toBe(0);
    });

    test('that becomes read-only while the agent runs is a warning', async () => {
      const memory = await openStateFile(state);
      memory.set('policy', 1);
      remountReadOnly();
      await memory.flush();
      expect(memory.problem()).toMatchObject({
        kind: 'unwritable',
        message: expect.stringContaining('read-only file system'),
      });
    });
  },
);

/** A policy file with the check of the state folder switched on. */
async function on(file: string): Promise<string> {
  const policy = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...policy, checks: { ...policy.checks, stateFolder: {} } }));
  return file;
}
