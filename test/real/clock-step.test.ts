import { existsSync, readdirSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startSntpServer } from '../../simulator/sntp-server.ts';
import type { Report } from '../../src/run/report.ts';
import { allOff } from '../support/fixtures/policies.ts';
import { bundled, type Running, run } from '../support/programs/bundle.ts';
import { have, isRoot } from '../support/programs/installed.ts';
import { node } from '../support/programs/node.ts';
import { tempFolder } from '../support/temp-folder.ts';

const library = readdirSync('/usr/lib')
  .map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

/** The bundled agent, whose wall clock and /proc/uptime the test moves while it runs. */
describe.skipIf(!(library && isRoot && have('unshare')))('the bundle (Debian package faketime)', () => {
  let agent: Running;
  let url: string;
  let faketime: string;
  let asleepSeconds: number;
  let silenceServer: () => void;

  beforeEach(async () => {
    const folder = await tempFolder();
    faketime = join(folder, 'faketime');
    asleepSeconds = 0;
    await writeFile(faketime, '+0');
    const server = await startSntpServer();
    silenceServer = () => {
      silenceServer = () => {};
      server.close();
    };
    onTestFinished(() => silenceServer());

    const policy = join(folder, 'policy.json');
    await writeFile(
      policy,
      JSON.stringify({
        schedule: '0 0 1 1 *',
        confirmAfterSeconds: 0,
        timeoutSeconds: 1,
        checks: { ...allOff, clockDrift: { servers: [`127.0.0.1:${server.port}`], chrony: null } },
      }),
    );
    const uptime = join(folder, 'uptime');
    await keepUptime(uptime, () => asleepSeconds);

    const command = [...node, bundled('main')];
    const mounted = ['sh', '-c', 'mount --bind "$0" /proc/uptime && exec "$@"', uptime, ...command];
    agent = run(['unshare', '--mount', ...mounted], {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: faketime,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      HARDENING_POLICY_FILE: policy,
      HARDENING_STATE_DIR: folder,
      HARDENING_ADDRESS: '127.0.0.1',
      HARDENING_PORT: '0',
      HARDENING_LOG_FORMAT: 'json',
    });
    onTestFinished(async () => {
      agent.child.kill('SIGKILL');
      await agent.ended;
    });
    const listening = await until(() => /"port":(\d+)/.exec(agent.out()));
    url = `http://127.0.0.1:${listening[1]}`;
    await until(async () => (await clock())?.status === 'pass');
  });

  const clock = async () => {
    const report = (await (await fetch(`${url}/api/report`)).json()) as Report;
    return report.checks.clockDrift?.findings[0];
  };
  const metrics = async () => (await fetch(`${url}/metrics`)).text();

  test('counts a step of the wall clock and checks the clock at once, long before the next scheduled run', async () => {
    await writeFile(faketime, '+3600');
    await until(async () => (await clock())?.reason === 'drifted');
    expect(await clock()).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(
        /^The clock is 3600 s ahead .*; the clock was set 3600 s ahead \d s ago$/,
      ),
    });
    expect(await metrics()).toContain('hardening_clock_steps_total 1\n');

    await writeFile(faketime, '+0');
    await until(async () => (await clock())?.reason === 'stepped');
    expect(await clock()).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(
        /^The clock was set 3600 s back \d s ago; it is now off by at most 0\.\d+ s/,
      ),
    });
    expect(await metrics()).toContain('hardening_clock_suspended_seconds_total 0\n');
  });

  test('distinguishes sleep from a step, and reports it until a source confirms the clock', async () => {
    silenceServer();
    asleepSeconds = 28_800;
    await writeFile(faketime, '+28800');
    await until(async () => (await clock())?.reason === 'suspended');
    expect(await clock()).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(
        /^The machine slept for 28800 s \(8\.0 h\) until \d s ago, and no time source/,
      ),
    });
    const page = await metrics();
    expect(page).toContain('hardening_clock_steps_total 0\n');
    // The file that stands for /proc/uptime is a little behind at each look.
    const [, slept] = /^hardening_clock_suspended_seconds_total (\S+)$/m.exec(page) ?? [];
    expect(Math.abs(Number(slept) - 28_800)).toBeLessThan(1);
  });
});

/** A file in the form of /proc/uptime that keeps up with the real one, and is ahead of it by so many seconds. */
async function keepUptime(path: string, aheadSeconds: () => number): Promise<void> {
  const file = await open(path, 'w');
  const over = new AbortController();
  const keep = async () => {
    while (!over.signal.aborted) {
      const seconds = Number.parseFloat(await readFile('/proc/uptime', 'utf8')) + aheadSeconds();
      // Always as long, so that no reader sees half of it.
      await file.write(`${seconds.toFixed(2).padEnd(20)}\n`, 0);
      await setTimeout(20);
    }
  };
  await file.write(`${Number.parseFloat(await readFile('/proc/uptime', 'utf8'))}\n`, 0);
  const kept = keep();
  onTestFinished(async () => {
    over.abort();
    await kept;
    await file.close();
  });
}

/** What `look` gives once it gives anything; the test's own time-out ends the wait. */
async function until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    await setTimeout(50);
  }
}
