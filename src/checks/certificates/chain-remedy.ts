import { shellQuote } from '../../shell-quote.ts';
import type { Origin } from './subjects.ts';
import type { WireReason } from './wire-problems.ts';

/** The next step for a problem with a chain. */
export function chainRemedy(reason: WireReason, target: string, origin: Origin): string {
  const address = target.replace('tls://', '');
  const command =
    origin === 'file'
      ? `\`openssl crl2pkcs7 -nocrl -certfile ${shellQuote(target)} | openssl pkcs7 -print_certs -noout\``
      : `\`openssl s_client -connect ${shellQuote(address)} -showcerts\``;
  const apply =
    origin === 'edgehub' || origin === 'file'
      ? 'then `sudo iotedge config apply`'
      : 'then restart the server that presents it';
  switch (reason) {
    case 'wrong_order':
      return `Put the certificates in order, leaf first, each followed by its issuer, ${apply}. List them with ${command}`;
    case 'broken_link':
      return `Replace the issuer with the certificate that signed, ${apply}. List their names with ${command}`;
    case 'not_a_ca':
    case 'key_usage':
    case 'path_too_long':
    case 'name_constraints':
    case 'critical_extension':
    case 'weak_key':
    case 'weak_signature':
      return `Have the certificate reissued: ${demands[reason]}; ${apply}. List the chain with ${command}`;
    case 'name_mismatch':
      return origin === 'edgehub'
        ? 'Set `hostname` in /etc/aziot/config.toml to the name that clients use for the gateway, then `sudo iotedge config apply`'
        : `Use a name that the certificate covers, or have it reissued with this name. List its names with ${command}`;
    case 'untrusted_root':
      return origin === 'edgehub'
        ? 'Set `trust_bundle_cert` in /etc/aziot/config.toml to the root of the Edge CA, then `sudo iotedge config apply`'
        : `Add the root to the trust bundle (\`trust_bundle_cert\` in /etc/aziot/config.toml), or configure the server to send its intermediate certificates. List the chain with ${command}`;
    case 'intercepted':
      return `Exempt ${address} from TLS inspection in the firewall or proxy. See who issued the certificate with ${command}`;
    case 'rejected':
      return `Replace the certificate, ${apply}. See what OpenSSL says with \`openssl s_client -connect ${shellQuote(address)} -verify_return_error\``;
    case 'quickstart_ca':
      return 'Give IoT Edge a CA of your own: `[edge_ca]` in /etc/aziot/config.toml, then `sudo iotedge config apply`';
  }
}

const demands = {
  not_a_ca: 'issuers need the basic constraint CA:TRUE',
  key_usage: 'CAs need keyCertSign, servers digitalSignature and serverAuth, and no CA may exclude the use',
  name_constraints: 'with names that its CA allows',
  critical_extension: 'without the critical extension',
  path_too_long: 'with a larger path length, or by a CA closer to the root',
  weak_key: 'with a key of at least RSA 2048 or P-256',
  weak_signature: 'signed with SHA-256',
};
