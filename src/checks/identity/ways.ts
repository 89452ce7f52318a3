import type { ProvisioningWay } from '../../host/identity/types.ts';

/** What people call each way, and what it is good for. */
export const ways: Readonly<Record<ProvisioningWay, { readonly name: string; readonly worth: string }>> = {
  'dps-x509': {
    name: 'DPS with X.509',
    worth: 'one group enrolment serves a fleet, and certificates can be renewed by EST',
  },
  'dps-tpm': {
    name: 'DPS with a TPM',
    worth: 'the key cannot leave the machine, and each has its own enrolment',
  },
  'dps-symmetric': {
    name: 'DPS with a symmetric key',
    worth: 'the key can be copied from the device, and one group key opens a whole fleet',
  },
  'manual-x509': {
    name: 'a certificate, manually',
    worth: 'it suits single devices: each is registered by hand, and moving to another IoT Hub is manual too',
  },
  'manual-symmetric': {
    name: 'a symmetric key, manually',
    worth: 'the key can be copied from the device, lies in its configuration, and is never renewed',
  },
};
