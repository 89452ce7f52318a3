import type { Certificate } from '../../host/certificates/types.ts';

/**
 * The roots that Azure's services use, SHA-256 by name: DigiCert Global Root G2 is IoT Hub's since September 2024, with
 * Microsoft RSA Root Certificate Authority 2017 in reserve (learn.microsoft.com/azure/iot-hub/migrate-tls-certificate);
 * the national clouds may use the others (learn.microsoft.com/azure/security/fundamentals/azure-ca-details). Baltimore,
 * which was IoT Hub's before, expired in May 2025.
 */
const roots: Readonly<Record<string, string>> = {
  'Baltimore CyberTrust Root': '16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb',
  'DigiCert Global Root CA': '4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161',
  'DigiCert Global Root G2': 'cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f',
  'DigiCert Global Root G3': '31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0',
  'DigiCert TLS ECC P384 Root G5': '018e13f0772532cf809bd1b17281867283fc48c6e13be9c69812854a490c1b05',
  'DigiCert TLS RSA4096 Root G5': '371a00dc0533b3721a7eeb40e8419e70799d2b0a0f2c1d80693165f7cec4ad75',
  'Microsoft ECC Root Certificate Authority 2017':
    '358df39d764af9e1b766e9c972df352ee15cfac227af6ad1d70e8e4a6edcba02',
  'Microsoft RSA Root Certificate Authority 2017':
    'c741f70f4b2a8d88bf2e71c14122ef53ef10eba0cfa5e64cfa20f418853073e0',
};

/** Whether a certificate is one of those roots, by its fingerprint. */
export const isIotHubRoot = ({ fingerprint256 }: Certificate): boolean =>
  Object.values(roots).includes(fingerprint256);

/** Whether a distinguished name is that of such a root. A name alone proves nothing. */
export const isNamedAsIotHubRoot = (name: string): boolean =>
  Object.keys(roots).some((root) => `${name}, `.includes(`CN=${root}, `));

/**
 * The names of the CA that IoT Edge creates for itself where `config.toml` has no `[edge_ca]`: `aziot-edge CA
 * DEVICE`, in early versions `iotedged workload ca HOST` (Azure/iotedge: edgelet-http-workload/src/lib.rs,
 * iotedge/src/config/apply.rs). A CA issued over EST has the same name by default, but is not self-signed.
 */
const quickstartName = /(?:^|, )CN=(?:aziot-edge CA|iotedged workload ca)(?:[ ,]|$)/i;

/** Whether this is the self-signed CA of a quickstart installation, which is valid for 90 days. */
export const isQuickstartCa = ({ subject, selfSigned }: Certificate): boolean =>
  selfSigned && quickstartName.test(subject);
