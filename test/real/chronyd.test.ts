import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CannotTell } from '../../src/check.ts';
import { clockDrift } from '../../src/checks/clock/clock-drift.ts';
import { createChrony } from '../../src/host/clock/chrony.ts';
import { createSntp } from '../../src/host/clock/sntp.ts';
import type { TimeSample } from '../../src/host/clock/types.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { have } from '../support/programs/installed.ts';

const absent = !have('chronyd', 'faketime');
const checkNtpTime = '/usr/lib/nagios/plugins/check_ntp_time';

const resolve = async (name: string) => [name];
const sntp = createSntp({ resolve });
const chrony = createChrony({ resolve });

/** How far the server's clock is from the machine's. */
const aheadSeconds = 90;

describe.skipIf(absent)('against chronyd (Debian packages chrony and faketime)', () => {
  const running: ChildProcess[] = [];
  let folder: string;
  let server: string;
  let others: string[];
  let serverCommands: string;
  let clientCommands: string;

  /**
   * None touches the machine's clock (`-x`). The first lives in a false time and serves it to the second; the others
   * serve the machine's own.
   */
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chronyd-'));
    const [ntp, commands, ownCommands, ...more] = await freePorts(5);
    server = `127.0.0.1:${ntp}`;
    others = more.map((port) => `127.0.0.1:${port}`);
    serverCommands = `127.0.0.1:${commands}`;
    clientCommands = `127.0.0.1:${ownCommands}`;
    start(
      'server',
      ['faketime', '-f', `+${aheadSeconds}s`],
      [`port ${ntp}`, `cmdport ${commands}`, 'allow 127.0.0.1', 'local stratum 2'],
    );
    start(
      'client',
      [],
      ['port 0', `cmdport ${ownCommands}`, `server 127.0.0.1 port ${ntp} iburst minpoll 0 maxpoll 0`],
    );
    for (const port of more)
      start(`right-${port}`, [], [`port ${port}`, 'cmdport 0', 'allow 127.0.0.1', 'local stratum 2']);
    await Promise.all([
      ...[server, ...others].map((name) => answering(sntp, name)),
      answering(chrony, clientCommands),
    ]);
  });

  afterAll(async () => {
    const ended = running.map((child) => once(child, 'exit'));
    // faketime stays in front of the program it starts, and a signal to it alone leaves that running.
    for (const { pid } of running) if (pid !== undefined) process.kill(-pid);
    await Promise.all(ended);
    rmSync(folder, { recursive: true });
  });

  function start(name: string, wrapper: string[], lines: string[]) {
    const file = join(folder, `${name}.conf`);
    const always = ['bindaddress 127.0.0.1', 'bindcmdaddress 127.0.0.1', 'bindcmdaddress /'];
    writeFileSync(file, [...lines, ...always, `pidfile ${join(folder, `${name}.pid`)}`, ''].join('\n'));
    const [program = '', ...args] = [
      ...wrapper,
      'chronyd',
      '-x',
      '-d',
      '-U',
      '-u',
      userInfo().username,
      '-f',
      file,
    ];
    running.push(spawn(program, args, { stdio: 'ignore', detached: true }));
  }

  test('SNTP finds the local clock behind a server that is ahead, to within the error it names', async () => {
    const { offsetSeconds, errorSeconds } = await sntp(server, AbortSignal.timeout(2000));
    expect(Math.abs(offsetSeconds + aheadSeconds)).toBeLessThanOrEqual(errorSeconds);
    expect(errorSeconds).toBeLessThan(0.5);
  });

  test('tracking agrees with SNTP about the local clock', async () => {
    const { offsetSeconds } = await chrony(clientCommands, AbortSignal.timeout(2000));
    expect(offsetSeconds).toBeCloseTo(-aheadSeconds, 1);
  });

  test('tracking agrees with what chronyc prints, within the error it names', async () => {
    const [address = '', port = ''] = clientCommands.split(':');
    const { offsetSeconds, errorSeconds } = await chrony(clientCommands, AbortSignal.timeout(2000));
    const printed = execFileSync('chronyc', ['-c', '-h', address, '-p', port, 'tracking'], {
      encoding: 'utf8',
    });
    // Comma-separated: reference id, name, stratum, reference time, then the correction, positive when slow.
    const correction = Number(printed.split(',')[4]);
    // chronyd's error is large with its first samples, and its correction the same at both looks.
    expect(Math.abs(offsetSeconds + correction)).toBeLessThanOrEqual(Math.min(errorSeconds, 0.05));
  });

  test('a chronyd that follows only its own clock is not a source', async () => {
    await expect(chrony(serverCommands, AbortSignal.timeout(2000))).rejects.toMatchObject({
      reason: 'unreadable',
      message: expect.stringContaining('follows only the clock itself'),
    });
  });

  test.skipIf(!existsSync(checkNtpTime))(
    'SNTP agrees with check_ntp_time (Debian package monitoring-plugins-basic), within the error it names',
    async () => {
      for (const name of [server, ...others]) {
        const [host = '', port = ''] = name.split(':');
        const { offsetSeconds, errorSeconds } = await sntp(name, AbortSignal.timeout(2000));
        // It does not tell its own error, which is large on a busy machine: the best of five has next to none.
        const distances = Array.from({ length: 5 }, () => {
          const { stdout } = spawnSync(checkNtpTime, ['-H', host, '-p', port], { encoding: 'utf8' });
          // `NTP OK: Offset 1.2e-06 secs|offset=0.000001s;60.000000;120.000000;`: the server's clock minus ours.
          const theirs = -Number(/Offset (\S+) secs/.exec(stdout)?.[1]);
          return Math.abs(offsetSeconds - theirs);
        });
        expect(Math.min(...distances)).toBeLessThanOrEqual(errorSeconds);
      }
    },
  );

  describe('clockDrift', () => {
    const host = fakeHost({ sntp, chrony, clockEvents: () => [], hypervClock: async () => undefined });
    const examine = (policy: object) =>
      clockDrift.examine(
        { target: 'clock' },
        clockDrift.params.parse({ servers: [], chrony: null, ...policy }),
        host,
        AbortSignal.timeout(10_000),
      );

    test('outvotes one liar of three servers and names it', async () => {
      await expect(examine({ servers: [server, ...others] })).resolves.toMatchObject({
        status: 'pass',
        message: expect.stringMatching(
          `^The clock is off by at most .* s, according to ${others.join(' and ')}; ` +
            `${server} says 90\\.0 s behind \\(± .* s\\), which is outvoted$`,
        ),
      });
    });

    test('believes neither of two servers that disagree', async () => {
      await expect(examine({ servers: [server, ...others.slice(1)] })).rejects.toMatchObject({
        reason: 'sources_disagree',
      });
    });

    test('finds the clock behind when chronyd and its server say so', async () => {
      await expect(examine({ servers: [server], chrony: clientCommands })).resolves.toMatchObject({
        status: 'warn',
        reason: 'drifted',
        message: expect.stringMatching(
          `^The clock is 90\\.0 s behind .*, according to ${server} and chrony$`,
        ),
      });
    });
  });
});

/** Asks until there is an answer, and fails with the last refusal after 20 s. */
async function answering(
  ask: (name: string, signal: AbortSignal) => Promise<TimeSample>,
  name: string,
): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      await ask(name, AbortSignal.timeout(1000));
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      if (error instanceof CannotTell) await setTimeout(50);
    }
  }
}

/** UDP ports that were free a moment ago; chronyd cannot be told to choose its own. */
async function freePorts(count: number): Promise<number[]> {
  const sockets = Array.from({ length: count }, () => createSocket('udp4').bind(0, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket, 'listening')));
  const ports = sockets.map((socket) => socket.address().port);
  for (const socket of sockets) socket.close();
  return ports;
}
