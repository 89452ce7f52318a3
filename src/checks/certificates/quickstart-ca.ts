import type { Certificate } from '../../host/certificates/types.ts';

/**
 * The names of the CA that IoT Edge creates for itself where `config.toml` has no `[edge_ca]`: `aziot-edge CA
 * DEVICE`, in early versions `iotedged workload ca HOST` (Azure/iotedge: edgelet-http-workload/src/lib.rs,
 * iotedge/src/config/apply.rs). A CA issued over EST has the same name by default, but is not self-signed.
 */
const quickstartName = /(?:^|, )CN=(?:aziot-edge CA|iotedged workload ca)(?:[ ,]|$)/i;

/** Whether this is the self-signed CA of a quickstart installation, which is valid for 90 days. */
export const isQuickstartCa = ({ subject, selfSigned }: Certificate): boolean =>
  selfSigned && quickstartName.test(subject);
