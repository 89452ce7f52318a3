import type { Origin } from './subjects.ts';
import type { WireReason } from './wire-problems.ts';

/** The next thing to do about a chain. */
export function chainRemedy(reason: WireReason, target: string, origin: Origin): string {
  const address = target.replace('tls://', '');
  const look =
    origin === 'file'
      ? `\`openssl crl2pkcs7 -nocrl -certfile ${target} | openssl pkcs7 -print_certs -noout\``
      : `\`openssl s_client -connect ${address} -showcerts\``;
  const apply =
    origin === 'edgehub' || origin === 'file'
      ? 'then `sudo iotedge config apply`'
      : 'then restart the server that presents it';
  switch (reason) {
    case 'wrong_order':
      return `Put the certificates in order, leaf first, each followed by its issuer, ${apply}. See them with ${look}`;
    case 'broken_link':
      return `Replace the issuer with the one that signed, ${apply}. See the names with ${look}`;
    case 'not_a_ca':
    case 'key_usage':
    case 'path_too_long':
    case 'weak_key':
    case 'weak_signature':
      return `Have the certificate issued again: ${demands[reason]}; ${apply}. See the chain with ${look}`;
    case 'name_mismatch':
      return origin === 'edgehub'
        ? 'Set `hostname` in /etc/aziot/config.toml to the name by which the gateway is reached, then `sudo iotedge config apply`'
        : `Use a name the certificate is for, or have it issued again with this one. See its names with ${look}`;
    case 'untrusted_root':
      return origin === 'edgehub'
        ? 'Set `trust_bundle_cert` in /etc/aziot/config.toml to the root of the Edge CA, then `sudo iotedge config apply`'
        : `Add the root to the trust bundle (\`trust_bundle_cert\` in /etc/aziot/config.toml), or have the server send its intermediate certificates. See the chain with ${look}`;
    case 'intercepted':
      return `Exempt ${address} from TLS inspection in the firewall or proxy. See who issued the certificate with ${look}`;
    case 'quickstart_ca':
      return 'Give IoT Edge an authority of your own: `[edge_ca]` in /etc/aziot/config.toml, then `sudo iotedge config apply`';
  }
}

const demands = {
  not_a_ca: 'issuers need the basic constraint CA:TRUE',
  key_usage: 'authorities need keyCertSign, servers the extended key usage serverAuth',
  path_too_long: 'with a larger path length, or by an authority nearer to the root',
  weak_key: 'with a key of RSA 2048 or P-256 at least',
  weak_signature: 'signed with SHA-256',
};
