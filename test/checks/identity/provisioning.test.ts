import { expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { provisioning } from '../../../src/checks/identity/provisioning.ts';
import type { CertificateIssuance, Provisioning } from '../../../src/host/identity/types.ts';
import { runCheck } from '../../../src/run/runner.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();

interface Device {
  readonly way?: Provisioning['way'];
  readonly issuance?: Partial<CertificateIssuance>;
  readonly hostName?: string;
  readonly gateway?: string;
  readonly state?: 'applied' | 'newer' | 'never';
  readonly policy?: object;
  /** What is not given. */
  readonly without?: readonly (
    | 'provisioning'
    | 'certificateIssuance'
    | 'configuredHostName'
    | 'configurationState'
  )[];
}

async function run({
  way = 'dps-x509',
  issuance = {},
  hostName,
  gateway = 'press-7',
  state = 'applied',
  ...more
}: Device) {
  const refuse = async (): Promise<never> => {
    throw new CannotTell('no_access', 'It is not mounted', { remedy: 'Mount it' });
  };
  const host = fakeHost({
    names: { gateway },
    provisioning: async () => ({ way, evidence: 'identityd' }),
    certificateIssuance: async () => ({ edgeCa: 'est', estServers: [], ...issuance }),
    configuredHostName: async () => hostName,
    configurationState: async () => state,
    ...Object.fromEntries((more.without ?? []).map((method) => [method, refuse])),
  });
  const params = provisioning.params.parse(more.policy ?? {});
  const { findings } = await runCheck(provisioning, params, host, 5, signal);
  return Object.fromEntries(findings.map((finding) => [finding.target, finding]));
}

const said = async (device: Device) =>
  Object.fromEntries(
    Object.entries(await run(device)).map(([target, { status, reason }]) => [
      target,
      [status, reason].filter(Boolean).join(' '),
    ]),
  );

test.each<[Provisioning['way'], object, string]>([
  ['dps-x509', {}, 'pass'],
  ['dps-tpm', {}, 'pass'],
  ['manual-x509', {}, 'pass'],
  ['dps-symmetric', {}, 'fail not_allowed'],
  ['manual-symmetric', {}, 'fail not_allowed'],
  ['dps-symmetric', { allowed: ['dps-symmetric'] }, 'pass'],
  ['dps-x509', { allowed: ['dps-tpm'] }, 'fail not_allowed'],
  ['none', {}, 'fail not_provisioned'],
])('%s with the policy %j is %s', async (way, policy, expected) => {
  expect((await said({ way, policy })).identity).toBe(expected);
});

test.each([
  ['newer', 'warn not_applied'],
  ['never', 'warn not_applied'],
  ['applied', 'pass'],
] as const)('a configuration that is %s', async (state, expected) => {
  expect((await said({ state })).identity).toBe(expected);
});

test('whether a configuration was applied is not needed to judge the rest', async () => {
  expect((await said({ without: ['configurationState'] })).identity).toBe('pass');
  expect((await said({ way: 'dps-symmetric', state: 'newer' })).identity).toBe('fail not_allowed');
});

test.each([
  ['none', 'warn quickstart_ca'],
  ['self_signed', 'warn quickstart_ca'],
  ['est', 'pass'],
  ['local_ca', 'pass'],
  ['file', 'pass'],
] as const)('an Edge CA by %s', async (edgeCa, expected) => {
  expect((await said({ issuance: { edgeCa } })).edgeCa).toBe(expected);
});

test.each<[string, string]>([
  ['press-7', 'pass'],
  ['press-7.plant.example', 'pass'],
  ['10.0.0.7', 'pass'],
  ['2001:db8::7', 'pass'],
  ['a'.repeat(63), 'pass'],
  [`${'a'.repeat(31)}.${'b'.repeat(32)}`, 'pass'],
  [`${'a'.repeat(32)}.${'b'.repeat(32)}`, 'warn bad_hostname'],
  ['Press-7', 'warn bad_hostname'],
  ['press_7', 'warn bad_hostname'],
  ['7press', 'warn bad_hostname'],
  ['press-', 'warn bad_hostname'],
  ['press..plant', 'warn bad_hostname'],
  ['', 'warn bad_hostname'],
])('the host name %j', async (hostName, expected) => {
  expect((await said({ hostName })).hostname).toBe(expected);
  expect((await said({ gateway: hostName, without: ['configuredHostName'] })).hostname).toBe(
    hostName === '' ? 'warn bad_hostname' : expected,
  );
});

test.each<[readonly string[], string | undefined]>([
  [[], undefined],
  [['https://est.plant'], 'pass'],
  [['http://est.plant:8085'], 'fail not_https'],
  [['https://a.plant', 'http://b.plant'], 'fail not_https'],
])('certificates from %j', async (estServers, expected) => {
  expect((await said({ issuance: { estServers } })).est).toBe(expected);
});

test('each source costs only what it alone tells', async () => {
  expect(await said({ without: ['provisioning'] })).toEqual({
    identity: 'skip no_access',
    edgeCa: 'pass',
    hostname: 'pass',
  });
  expect(await said({ without: ['certificateIssuance'] })).toEqual({
    identity: 'pass',
    edgeCa: 'skip no_access',
    hostname: 'pass',
  });
});
