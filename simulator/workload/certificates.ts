import type { Faults } from '../edge-hub/faults.ts';
import { createRoot, type Issued } from './pki.ts';

const dayMs = 86_400_000;

/** The device's chain: a root, which is the trust bundle, and the Edge CA below it, which issues. */
export interface DeviceCertificates {
  readonly root: string;
  readonly edgeCa: Issued;
  /** edgeHub's server certificates, one for each setting of the `certificate` switch. */
  readonly gateway: Readonly<Record<Faults['certificate'], Issued>>;
}

/** Makes the device's chain, and edgeHub's certificates for a gateway name. */
export async function createCertificates(gateway: string): Promise<DeviceCertificates> {
  const root = await createRoot({ commonName: 'Simulated IoT Edge root CA' });
  const edgeCa = await root.issue({ commonName: 'aziot-edge CA simulator', ca: true });
  const now = Date.now();
  const right = { commonName: gateway, names: [gateway, 'edgehub'] };
  const wrong = 'another-gateway.invalid';
  const [valid, expired, notYetValid, wrongName] = await Promise.all([
    edgeCa.issue(right),
    edgeCa.issue({ ...right, notBefore: new Date(now - 90 * dayMs), notAfter: new Date(now - dayMs) }),
    edgeCa.issue({ ...right, notBefore: new Date(now + dayMs), notAfter: new Date(now + 91 * dayMs) }),
    edgeCa.issue({ commonName: wrong, names: [wrong] }),
  ]);
  return { root: root.certificate, edgeCa, gateway: { valid, expired, notYetValid, wrongName } };
}
