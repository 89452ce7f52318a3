import * as z from 'zod';
import { CannotTell, defineCheck, type HostFor, type Wrong } from '../../check.ts';
import { type Endpoint, parseEndpoint } from '../../endpoint.ts';
import type { Tpm } from '../../host/tpm/types.ts';
import { linkLocal } from '../params/probe-target.ts';
import { tpmProblems } from './tpm-problems.ts';

const address = z.string().superRefine((text, context) => {
  const endpoint = parseEndpoint(text);
  if (endpoint === 'link-local') context.addIssue(linkLocal);
  else if (typeof endpoint === 'string') {
    context.addIssue('must be host:port or [IPv6]:port, with a port from 1 to 65535');
  }
});

/** Of nothing at all. */
const exampleHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const params = z.strictObject({
  registrationId: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .meta({ description: 'The registration id that this device must have.', examples: ['press-7'] }),
  endorsementKeySha256: z
    .string()
    .regex(
      /^([0-9a-f]{64}|[a-z2-7]{52})$/i,
      'must be a SHA-256 as 64 hexadecimal digits, or as 52 characters of base32',
    )
    .optional()
    .meta({
      description: 'SHA-256 of the public part of the endorsement key (TPM2B_PUBLIC), as hex or base32.',
      examples: [exampleHash],
    }),
  address: address.optional().meta({
    description: 'host:port of a TPM that speaks the simulator protocol, instead of /dev/tpmrm0.',
    examples: ['127.0.0.1:2321'],
  }),
});

/** Asks the TPM who it is, and compares it with the one that the policy names. */
export const tpm = defineCheck({
  id: 'tpm',
  title: 'The TPM answers, and is the one that the policy names',
  params,
  uses: ['tpm', 'provisioning'],
  reasons: [
    'not_present',
    'not_provisioned',
    'key_differs',
    'registration_differs',
    'locked_out',
    'no_answer',
  ],
  gauges: {
    tpm_info: {
      help: 'The TPM that has answered. Always 1.',
      labels: ['target', 'manufacturer', 'vendor', 'firmware'],
    },
    tpm_lockout_failures: {
      help: 'Failed authorizations that count towards the lockout of the TPM.',
      labels: ['target'],
    },
    tpm_lockout_max_failures: { help: 'Failed authorizations that lock the TPM out.', labels: ['target'] },
  },

  needs: ({ address, registrationId }) => [
    address === undefined ? { kind: 'device', path: '/dev/tpmrm0' } : { kind: 'network', what: address },
    ...(registrationId === undefined ? [] : ([{ kind: 'path', path: identityd }] as const)),
  ],

  subjects: () => [{ target: 'tpm' }],

  async examine(_, policy, host, signal) {
    let found: Tpm;
    try {
      found = await host.tpm(endpoint(policy.address), signal);
    } catch (error) {
      const wrong = notPresent(policy, error);
      if (wrong === undefined) throw error;
      return wrong;
    }
    const identity = policy.registrationId === undefined ? undefined : await registered(host, signal);
    const [worst, ...also] = tpmProblems(found, policy, identity);
    const readings = readingsOf(found);
    return worst ? { ...worst, also, readings } : { status: 'pass', message: describe(found), readings };
  },
});

const identityd = '/run/aziot/identityd.sock';

/** The registration id of the identity service. Not known without access to it, or to its configuration. */
async function registered(host: HostFor<'provisioning'>, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await host.provisioning(signal)).registrationId;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CannotTell) return undefined;
    throw error;
  }
}

type Policy = z.output<typeof params>;

function endpoint(text: string | undefined): Endpoint | undefined {
  const parsed = text === undefined ? undefined : parseEndpoint(text);
  return typeof parsed === 'string' ? undefined : parsed;
}

/** A TPM that is not there is wrong where the policy names one; elsewhere the check does not apply. */
function notPresent(
  { registrationId, endorsementKeySha256, address }: Policy,
  error: unknown,
): Wrong<'not_present'> | undefined {
  const isWanted = registrationId ?? endorsementKeySha256 ?? address;
  if (isWanted === undefined || !(error instanceof CannotTell)) return undefined;
  const { reason, message, remedy } = error;
  if (!['no_access', 'not_applicable', 'not_found'].includes(reason)) return undefined;
  return { status: 'fail', reason: 'not_present', message, remedy: remedy ?? findIt(address) };
}

const findIt = (address: string | undefined): string =>
  address === undefined
    ? 'Switch the TPM on in the firmware settings of the machine, or give the VM one, then see whether the kernel has found it: `sudo dmesg | grep -i tpm`'
    : 'See what listens there: `sudo ss -lntp`. A module reaches an address on loopback only with the createOptions "HostConfig": { "NetworkMode": "host" }';

function describe({ at, manufacturer, vendor, firmware, endorsementKey }: Tpm): string {
  const key = endorsementKey
    ? `the SHA-256 of its endorsement key is ${endorsementKey.hex}`
    : 'it keeps no endorsement key yet';
  return `The TPM at ${at}, ${[manufacturer, vendor].join(' ').trim()} with firmware ${firmware}, answers; ${key}`;
}

const readingsOf = ({ manufacturer, vendor, firmware, lockout }: Tpm) =>
  [
    { gauge: 'tpm_info', labels: { manufacturer, vendor, firmware }, value: 1 },
    { gauge: 'tpm_lockout_failures', value: lockout.failures },
    { gauge: 'tpm_lockout_max_failures', value: lockout.maxFailures },
  ] as const;
