import type { ProvisioningWay } from './types.ts';

/** By the names that identityd uses, in its configuration and in its answers (aziot-identityd-config). */
const ways: Readonly<Record<string, ProvisioningWay>> = {
  'dps x509': 'dps-x509',
  'dps tpm': 'dps-tpm',
  'dps symmetric_key': 'dps-symmetric',
  'manual x509': 'manual-x509',
  'manual sas': 'manual-symmetric',
};

/** The way of a source and its method; undefined for one that is not known here. */
export function wayOf(
  source: string | undefined,
  method: string | undefined,
): ProvisioningWay | 'none' | undefined {
  if (source === 'none') return 'none';
  const key = `${source} ${method}`;
  return Object.hasOwn(ways, key) ? ways[key] : undefined;
}
