import type { Wrong } from '../../check.ts';
import type { Tpm } from '../../host/tpm/types.ts';

/** What the policy says of the TPM. */
export interface Expected {
  readonly registrationId?: string | undefined;
  /** In hex or base32. */
  readonly endorsementKeySha256?: string | undefined;
}

type TpmWrong = Wrong<'not_provisioned' | 'key_differs' | 'registration_differs' | 'locked_out'>;

/**
 * Everything that is wrong with a TPM, most important first.
 *
 * @param identity the registration id that the identity service uses; where it is not known, the ids that are made from the
 *   endorsement key count.
 */
export function tpmProblems(tpm: Tpm, expected: Expected, identity?: string): readonly TpmWrong[] {
  return [
    notProvisioned(tpm, expected, identity),
    keyDiffers(tpm, expected),
    registrationDiffers(tpm, expected, identity),
    lockedOut(tpm),
  ].filter((problem) => problem !== undefined);
}

/** Without its key, a TPM can be neither the one that the policy names nor another. */
function notProvisioned(
  { at, endorsementKey }: Tpm,
  { registrationId, endorsementKeySha256 }: Expected,
  identity: string | undefined,
): TpmWrong | undefined {
  const needsKey = endorsementKeySha256 ?? (identity === undefined ? registrationId : undefined);
  if (endorsementKey || needsKey === undefined) return undefined;
  return {
    status: 'fail',
    reason: 'not_provisioned',
    message: `The TPM at ${at} keeps no endorsement key at 0x81010001, so nothing has been provisioned with it`,
    remedy:
      'Name the TPM as the attestation in /etc/aziot/config.toml and let IoT Edge create the key: `sudo iotedge config apply`',
  };
}

function keyDiffers({ at, endorsementKey }: Tpm, { endorsementKeySha256 }: Expected): TpmWrong | undefined {
  const wanted = endorsementKeySha256?.toLowerCase();
  if (wanted === undefined || !endorsementKey) return undefined;
  const { hex, base32 } = endorsementKey;
  if (wanted === hex || wanted === base32) return undefined;
  const found = wanted.length === hex.length ? hex : base32;
  return {
    status: 'fail',
    reason: 'key_differs',
    message: `The endorsement key of the TPM at ${at} has the SHA-256 ${found}, and the policy names ${wanted}`,
    remedy: `Find out whether the TPM was replaced or cleared, or the VM was cloned. If this one is right, enrol its key with the provisioning service, then set endorsementKeySha256 to ${found}`,
  };
}

function registrationDiffers(
  { endorsementKey }: Tpm,
  { registrationId }: Expected,
  identity: string | undefined,
): TpmWrong | undefined {
  const computed = endorsementKey ? [endorsementKey.hex, endorsementKey.base32] : [];
  const ids = identity === undefined ? computed : [identity];
  // The provisioning service does not distinguish their case.
  const wanted = registrationId?.toLowerCase();
  if (wanted === undefined || ids.length === 0 || ids.some((id) => id.toLowerCase() === wanted))
    return undefined;
  const whose =
    identity === undefined ? 'The registration id made from the endorsement key' : 'The registration id';
  return {
    status: 'fail',
    reason: 'registration_differs',
    message: `${whose} is ${ids.join(' or ')}, and the policy names ${wanted}`,
    remedy:
      'Find out whether the TPM was replaced or cleared, or the VM was cloned. If this device is right, correct registrationId in the policy',
  };
}

function lockedOut({ at, lockout }: Tpm): TpmWrong | undefined {
  const { lockedOut, failures, maxFailures, intervalSeconds } = lockout;
  if (!lockedOut) return undefined;
  const wait =
    intervalSeconds > 0
      ? `It counts one failure less every ${intervalSeconds} s`
      : 'It does not count down by itself: its owner must clear the lockout with the lockout authorization';
  return {
    status: 'fail',
    reason: 'locked_out',
    message: `The TPM at ${at} is locked out: ${failures} failed authorizations, and ${maxFailures} lock it out`,
    remedy: `Find what uses wrong authorization values: \`sudo journalctl -u aziot-tpmd -u aziot-keyd\`. ${wait}`,
  };
}
