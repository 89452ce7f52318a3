import type { Answer } from '../../answer.ts';

/** What a check may ask about how the device proves who it is. */
export interface IdentityHost {
  /** How the device is provisioned: by identityd itself where it may be asked, otherwise by its configuration. */
  provisioning(signal: AbortSignal): Answer<Provisioning>;
  /** How certd gets certificates, by its configuration. */
  certificateIssuance(signal: AbortSignal): Answer<CertificateIssuance>;
  /** The host name in identityd's configuration; undefined where it sets none. */
  configuredHostName(signal: AbortSignal): Answer<string | undefined>;
  /** Whether `/etc/aziot/config.toml` is what was applied last. */
  configurationState(signal: AbortSignal): Answer<'applied' | 'newer' | 'never'>;
}

/** A way in which a device gets its identity. A connection string is a symmetric key. */
export type ProvisioningWay = 'dps-x509' | 'dps-tpm' | 'dps-symmetric' | 'manual-x509' | 'manual-symmetric';

/** How the device gets its identity. */
export interface Provisioning {
  readonly way: ProvisioningWay | 'none';
  readonly evidence: 'identityd' | 'configuration';
  readonly registrationId?: string | undefined;
}

/** Where certificates come from. */
export interface CertificateIssuance {
  /** The Edge CA: how it is issued, from a file, or by none of these, which makes it the quickstart's. */
  readonly edgeCa: 'est' | 'local_ca' | 'self_signed' | 'file' | 'none';
  /** EST servers, as `https://host[:port]` without a path or credentials. */
  readonly estServers: readonly string[];
}
