import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { CannotTell } from '../../src/check.ts';
import { tpm as check } from '../../src/checks/tpm/tpm.ts';
import type { Endpoint } from '../../src/endpoint.ts';
import { createTpm } from '../../src/host/tpm/tpm.ts';
import type { Tpm } from '../../src/host/tpm/types.ts';
import { runCheck } from '../../src/run/runner.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { bundled, run } from '../support/programs/bundle.ts';
import { have } from '../support/programs/installed.ts';
import { type SoftwareTpm, softwareTpmPrograms, startSoftwareTpm } from '../support/servers/software-tpm.ts';
import { lockOut, provision, removeEndorsementKey } from '../support/servers/tpm-owner.ts';

const never = new AbortController().signal;
const getCapability = '0000017a';
const readPublic = '00000173';

type Ask = (signal?: AbortSignal) => Promise<Tpm>;

/** Over the character device. */
async function overDevice(tpm: SoftwareTpm, seconds = 20): Promise<Ask> {
  return async (signal = never) => {
    const paths = { managed: await tpm.device(), raw: '/nowhere', list: '/nowhere' };
    return createTpm({ paths, seconds })(undefined, signal);
  };
}

/** Over the simulator protocol. */
async function overSimulator(tpm: SoftwareTpm, seconds = 20): Promise<Ask> {
  const endpoint: Endpoint = { host: '127.0.0.1', port: await tpm.simulator() };
  const ask = createTpm({ seconds });
  return (signal = never) => ask(endpoint, signal);
}

/** The processes of this one that ask a TPM. */
const askers = (): string[] =>
  readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '')
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    })
    .filter((command) => command.includes('dist/tpm.js'));

describe.skipIf(!have(...softwareTpmPrograms))('a TPM (apt-get install swtpm socat)', () => {
  bundled('tpm');
  const ways = [
    ['its device', overDevice],
    ['the simulator protocol', overSimulator],
  ] as const;

  describe.each(ways)('over %s', (_, over) => {
    /** What a TPM says, but for the name of its device. */
    const said = ({ at, ...rest }: Tpm) => rest;

    test('is recognized by the key that Microsoft’s library registers, and is not changed', async () => {
      const tpm = await startSoftwareTpm();
      const registrationId = await provision(tpm);
      const ask = await over(tpm);
      const found = await ask();
      expect(found).toMatchObject({
        manufacturer: 'IBM',
        vendor: 'SW   TPM',
        firmware: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/),
        persistentHandles: [0x8100_0001, 0x8101_0001],
        lockout: { lockedOut: false, failures: 0 },
        endorsementKey: { base32: registrationId },
      });
      expect(said(await ask())).toEqual(said(found));
    });

    test('that nothing was provisioned with stays empty', async () => {
      const tpm = await startSoftwareTpm();
      const ask = await over(tpm);
      for (const _ of [1, 2]) {
        const found = await ask();
        expect(found.persistentHandles).toEqual([]);
        expect(found.endorsementKey).toBeUndefined();
      }
    });

    test('gets no command but the two that only read', async () => {
      const tpm = await startSoftwareTpm();
      await provision(tpm);
      await (await over(tpm))();
      const codes = tpm.commands.map((command) => command.toString('hex', 6, 10));
      expect([...new Set(codes)].sort()).toEqual([readPublic, getCapability]);
      for (const command of tpm.commands) expect(command.toString('hex', 0, 2)).toBe('8001');
    });

    test('that never answers costs its deadline, and its process is gone', async () => {
      const tpm = await startSoftwareTpm();
      const ask = await over(tpm, 1);
      tpm.hangAfter(0);
      await expect(ask()).rejects.toMatchObject({ reason: 'no_answer', message: /not answered within 1 s/ });
      await vi.waitFor(() => expect(askers()).toEqual([]));
    });

    test('is the same after whoever asks it was killed at any command', async () => {
      const tpm = await startSoftwareTpm();
      await provision(tpm);
      const ask = await over(tpm);
      const before = said(await ask());
      const commands = tpm.commands.length;
      for (let answered = 0; answered < commands; answered += 1) {
        const killed = new AbortController();
        const sent = tpm.commands.length;
        tpm.hangAfter(answered);
        const asking = ask(killed.signal);
        await vi.waitFor(() => expect(tpm.commands.length).toBe(sent + answered + 1), { timeout: 10_000 });
        killed.abort(new Error('killed'));
        await expect(asking).rejects.toThrow('killed');
        tpm.hangAfter(Number.POSITIVE_INFINITY);
      }
      expect(said(await ask())).toEqual(before);
    }, 60_000);

    test('is the same after whoever asks it was killed at any time', async () => {
      const tpm = await startSoftwareTpm();
      await provision(tpm);
      const ask = await over(tpm);
      const before = said(await ask());
      for (let milliseconds = 0; milliseconds <= 300; milliseconds += 15) {
        await ask(AbortSignal.timeout(milliseconds)).catch(() => {});
      }
      expect(said(await ask())).toEqual(before);
    }, 60_000);
  });

  test('is found locked out after wrong authorization values', async () => {
    const tpm = await startSoftwareTpm();
    const ask = await overSimulator(tpm);
    await lockOut(tpm, 3);
    const host = fakeHost({ tpm: (_, signal) => ask(signal) });
    const { findings } = await runCheck(check, check.params.parse({}), host, 20, never);
    expect(findings[0]).toMatchObject({
      status: 'fail',
      reason: 'locked_out',
      message: /3 failed authorizations, and 3 lock it out/,
      remedy: /one failure less every 7200 s/,
      readings: expect.arrayContaining([
        { gauge: 'tpm_lockout_failures', value: 3 },
        { gauge: 'tpm_lockout_max_failures', value: 3 },
      ]),
    });
  });

  test('that was cleared of its key is not the one that the policy names', async () => {
    const tpm = await startSoftwareTpm();
    const registrationId = await provision(tpm);
    const ask = await overSimulator(tpm);
    const host = fakeHost({
      tpm: (_, signal) => ask(signal),
      provisioning: async () => ({ way: 'dps-tpm', evidence: 'configuration' }),
    });
    const params = check.params.parse({ endorsementKeySha256: registrationId, registrationId });
    expect(await runCheck(check, params, host, 20, never)).toMatchObject({ findings: [{ status: 'pass' }] });
    await removeEndorsementKey(tpm);
    const { findings } = await runCheck(check, params, host, 20, never);
    expect(findings[0]).toMatchObject({ status: 'fail', reason: 'not_provisioned' });
  });

  test('behind the simulator protocol gets no signal, such as power on', async () => {
    const tpm = await startSoftwareTpm();
    await (await overSimulator(tpm))();
    const frames = tpm.commands.map((command) => {
      const head = Buffer.from([0, 0, 0, 8, 0, 0, 0, 0, command.length]);
      return Buffer.concat([head, command]);
    });
    expect(tpm.simulatorBytes()).toEqual(Buffer.concat(frames));
  });

  test('is asked by a process that ends with the agent, even in the middle of a command', async () => {
    const tpm = await startSoftwareTpm();
    tpm.hangAfter(0);
    const device = await tpm.device();
    // Its standard input is at its end, as after the death of its parent.
    const asker = run([process.execPath, bundled('tpm'), JSON.stringify({ device })], {});
    await asker.ended;
    expect(asker.child.signalCode).toBe('SIGKILL');
    expect(asker.out()).toBe('');
  });

  test('is never waited for by two processes', async () => {
    const tpm = await startSoftwareTpm();
    const ask = await overSimulator(tpm, 1);
    tpm.hangAfter(0);
    const outcomes = await Promise.allSettled([ask(), ask(), ask()]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(CannotTell) });
    }
    expect(tpm.commands.length).toBeLessThanOrEqual(1);
  });
});
