import { formatEndpoint } from '../../endpoint.ts';
import type { ProbeFailure, ProbeTarget } from '../../host/network/types.ts';

/** The next step for a target that was not reached, directly or through a proxy (`host:port`). */
export function probeRemedy(
  reason: ProbeFailure | 'wrong_content',
  target: ProbeTarget,
  proxy?: string,
): string {
  const { host, port } = target;
  const at = formatEndpoint(target);
  const url = `https://${at}${target.path ?? ''}`;
  switch (reason) {
    case 'dns_failed':
      return `Run \`getent hosts ${host}\` on the device; if that answers, set "dns" in /etc/docker/daemon.json to a server that containers can reach, otherwise fix the device's resolver.`;
    case 'refused':
      return `Allow outbound TCP to ${at} in the firewall, and check that a service listens there: \`curl -v telnet://${at}\`.`;
    case 'timed_out':
      if (proxy !== undefined)
        return `Check that the proxy ${proxy} runs and allows connections to port ${port} (many allow only 443): \`curl -v --max-time 5 -x http://${proxy} https://${at}\`.`;
      return `Allow outbound TCP to ${at} in every firewall on the way, which may drop it silently, or set https_proxy for this module. Try \`curl -v --connect-timeout 5 telnet://${at}\`.`;
    case 'tls_failed':
      return `Check the certificate with \`openssl s_client -connect ${at} -servername ${host}\`, and this device's clock.`;
    case 'intercepted':
      return `Exclude ${host} from TLS inspection, or add the inspecting CA to the trust bundle (trust_bundle_cert in /etc/aziot/config.toml, then \`sudo iotedge config apply\`).`;
    case 'http_status':
      return `Check what the server answers with \`curl -v ${inShell(url)}\`, and correct the target's path if it is not supposed to answer.`;
    case 'wrong_content':
      return `Open ${url} in a browser on the device's network: a page that asks for a login, or says that the site is blocked, shows who must allow ${host}.`;
    case 'proxy_failed':
      return `Allow CONNECT to ${at} in the proxy, check this module's https_proxy (http://user:password@host:port if the proxy requires credentials), or add ${host} to no_proxy.`;
  }
}

/** A URL as one word for a shell. */
const inShell = (url: string): string =>
  /^[\w./:%~-]*$/.test(url) ? url : `'${url.replaceAll("'", '%27')}'`;
