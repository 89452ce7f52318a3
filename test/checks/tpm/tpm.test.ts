import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { tpm } from '../../../src/checks/tpm/tpm.ts';
import { tpmProblems } from '../../../src/checks/tpm/tpm-problems.ts';
import type { Tpm } from '../../../src/host/tpm/types.ts';
import type { Host } from '../../../src/host.ts';
import { runCheck } from '../../../src/run/runner.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();
const hex = 'a5'.repeat(32);
const base32 = 'uws2'.repeat(13);
const other = 'b6'.repeat(32);
const lockout = { lockedOut: false, failures: 2, maxFailures: 32, intervalSeconds: 7200, recoverySeconds: 0 };
const good: Tpm = {
  at: '/dev/tpmrm0',
  manufacturer: 'IFX',
  vendor: 'SLB9670',
  firmware: '7.85.4555.0',
  lockout,
  persistentHandles: [],
  endorsementKey: { hex, base32 },
};
const { endorsementKey: _, ...empty } = good;

const noIdentity: Host['provisioning'] = async () => {
  throw new CannotTell('no_access', 'identityd is not mounted');
};

async function finding(answer: Host['tpm'], policy: object, provisioning = noIdentity) {
  const host = fakeHost({ tpm: answer, provisioning });
  // As in a policy, which has the parameters of every check as well.
  const params = { ...tpm.params.parse(policy), enabled: true, schedule: '0 * * * *' };
  const { findings } = await runCheck(tpm, params, host, 5, signal);
  return findings[0];
}
const of = (found: Tpm, policy: object = {}) => finding(async () => found, policy);
const without = (reason: string, policy: object = {}, remedy?: string) =>
  finding(async () => {
    throw new CannotTell(reason, 'This machine has no TPM', remedy === undefined ? {} : { remedy });
  }, policy);

describe('the key that the policy names', () => {
  test.each([
    ['hex', hex],
    ['hex in capitals', hex.toUpperCase()],
    ['base32', base32],
    ['base32 in capitals', base32.toUpperCase()],
  ])('may be in %s', async (_, endorsementKeySha256) => {
    expect(await of(good, { endorsementKeySha256 })).toMatchObject({ status: 'pass' });
  });

  test.each([
    [other, hex],
    ['a'.repeat(52), base32],
  ])('is compared with that of the TPM in the same notation', async (endorsementKeySha256, found) => {
    expect(await of(good, { endorsementKeySha256 })).toMatchObject({
      status: 'fail',
      reason: 'key_differs',
      message: `The endorsement key of the TPM at /dev/tpmrm0 has the SHA-256 ${found}, and the policy names ${endorsementKeySha256}`,
      remedy: expect.stringContaining(`set endorsementKeySha256 to ${found}`),
    });
  });

  test.each(['a5', `${hex}0`, `g${hex.slice(1)}`, `1${base32.slice(1)}`, ''])(
    '%j is refused',
    (endorsementKeySha256) => {
      expect(tpm.params.safeParse({ endorsementKeySha256 }).success).toBe(false);
    },
  );
});

describe('the registration that the policy names', () => {
  test.each([hex, base32, base32.toUpperCase()])('%s is made from the key', async (registrationId) => {
    expect(await of(good, { registrationId })).toMatchObject({ status: 'pass' });
  });

  test('that is made from another key differs', async () => {
    expect(await of(good, { registrationId: 'press-7' })).toMatchObject({
      status: 'fail',
      reason: 'registration_differs',
      message: expect.stringContaining(`is ${hex} or ${base32}, and the policy names press-7`),
    });
  });

  test.each<[string, Tpm, string, object]>([
    ['equal', good, 'Press-7', { status: 'pass' }],
    ['equal, and the TPM keeps no key', empty, 'press-7', { status: 'pass' }],
    [
      'another',
      good,
      hex,
      {
        status: 'fail',
        reason: 'registration_differs',
        message: `The registration id is press-7, and the policy names ${hex}`,
      },
    ],
  ])(
    'is compared with that of identityd where it is known: %s',
    async (_, found, registrationId, expected) => {
      const provisioning: Host['provisioning'] = async () => ({
        way: 'dps-tpm',
        evidence: 'identityd',
        registrationId: 'press-7',
      });
      expect(await finding(async () => found, { registrationId }, provisioning)).toMatchObject(expected);
    },
  );

  test('is reported beside another key', async () => {
    expect(await of(good, { endorsementKeySha256: other, registrationId: other })).toMatchObject({
      reason: 'key_differs',
    });
    expect(
      tpmProblems(good, { endorsementKeySha256: other, registrationId: other }).map(({ reason }) => reason),
    ).toEqual(['key_differs', 'registration_differs']);
  });
});

describe('a TPM without a key', () => {
  test.each([{ endorsementKeySha256: hex }, { registrationId: hex }])(
    'is not the one of %j',
    async (policy) => {
      expect(await of(empty, policy)).toMatchObject({ status: 'fail', reason: 'not_provisioned' });
    },
  );

  test('is right where the policy names none', async () => {
    expect(await of(empty)).toMatchObject({
      status: 'pass',
      message:
        'The TPM at /dev/tpmrm0, IFX SLB9670 with firmware 7.85.4555.0, answers; it keeps no endorsement key yet',
    });
  });
});

describe('no TPM', () => {
  test.each(['not_applicable', 'no_access'])(
    'is skipped as %s where the policy names none',
    async (reason) => {
      expect(await without(reason)).toMatchObject({ status: 'skip', reason });
    },
  );

  test.each([
    [{ endorsementKeySha256: hex }, '`sudo dmesg | grep -i tpm`'],
    [{ registrationId: 'press-7' }, '`sudo dmesg | grep -i tpm`'],
    [{ address: '127.0.0.1:2321' }, '"NetworkMode": "host"'],
  ])('fails where the policy has %j', async (policy, remedy) => {
    for (const reason of ['not_applicable', 'no_access', 'not_found']) {
      expect(await without(reason, policy)).toMatchObject({
        status: 'fail',
        reason: 'not_present',
        remedy: expect.stringContaining(remedy),
      });
    }
    expect(await without('no_access', policy, 'Pass it')).toMatchObject({ remedy: 'Pass it' });
  });

  test.each(['no_answer', 'unreadable'])('%s is unknown, whatever the policy names', async (reason) => {
    expect(await without(reason, { registrationId: 'press-7' })).toMatchObject({ status: 'unknown', reason });
  });
});

describe('a TPM that is locked out', () => {
  test.each([
    [7200, 'one failure less every 7200 s'],
    [0, 'does not count down by itself'],
  ])('fails, with what ends it for an interval of %i s', async (intervalSeconds, expected) => {
    const locked = { ...lockout, lockedOut: true, failures: 32, intervalSeconds };
    expect(await of({ ...good, lockout: locked })).toMatchObject({
      status: 'fail',
      reason: 'locked_out',
      remedy: expect.stringContaining(expected),
    });
  });

  test('that merely counts failures passes, and says how many', async () => {
    expect(await of(good)).toMatchObject({
      status: 'pass',
      readings: expect.arrayContaining([
        { gauge: 'tpm_lockout_failures', value: 2 },
        { gauge: 'tpm_lockout_max_failures', value: 32 },
      ]),
    });
  });
});

describe('the address', () => {
  test('that the policy names is the one that is asked', async () => {
    const asked: unknown[] = [];
    const answer: Host['tpm'] = async (address) => {
      asked.push(address);
      return good;
    };
    await finding(answer, { address: '[::1]:2321' });
    await finding(answer, {});
    expect(asked).toEqual([{ host: '::1', port: 2321 }, undefined]);
  });

  test.each(['127.0.0.1', 'host:0', 'host:99999', '[fe80::1]:2321', 'a b:1', ''])(
    '%j is refused',
    (address) => {
      expect(tpm.params.safeParse({ address }).success).toBe(false);
    },
  );
});
