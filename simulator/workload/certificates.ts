import type { Faults } from '../edge-hub/faults.ts';
import { createRoot, dayMs, type Issued } from './pki.ts';

/** The device's certificates: the root, which is the trust bundle, and the Edge CA issued by it. */
export interface DeviceCertificates {
  readonly root: string;
  readonly edgeCa: Issued;
  /** edgeHub's server certificates, one per value of the fault `certificate`. */
  readonly gateway: Readonly<Record<Faults['certificate'], Issued>>;
  /** Issues another valid server certificate for edgeHub. */
  renewGateway(): Promise<Issued>;
}

/** Creates the device's certificates, with edgeHub's issued to a gateway name. */
export async function createCertificates(gateway: string): Promise<DeviceCertificates> {
  const root = await createRoot({ commonName: 'Simulated IoT Edge root CA' });
  const edgeCa = await root.issue({ commonName: 'aziot-edge CA simulator', ca: true });
  const now = Date.now();
  const subject = { commonName: gateway, names: [gateway, 'edgehub'] };
  const otherGateway = 'another-gateway.invalid';
  const [valid, expired, notYetValid, wrongName] = await Promise.all([
    edgeCa.issue(subject),
    edgeCa.issue({ ...subject, notBefore: new Date(now - 90 * dayMs), notAfter: new Date(now - dayMs) }),
    edgeCa.issue({ ...subject, notBefore: new Date(now + dayMs), notAfter: new Date(now + 91 * dayMs) }),
    edgeCa.issue({ commonName: otherGateway, names: [otherGateway] }),
  ]);
  return {
    root: root.certificate,
    edgeCa,
    gateway: { valid, expired, notYetValid, wrongName },
    renewGateway: () => edgeCa.issue(subject),
  };
}
