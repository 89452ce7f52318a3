import { formatEndpoint } from '../../endpoint.ts';
import type { ProbeFailure, ProbeTarget } from '../../host/network/types.ts';

/** What to do next about a target that a probe did not reach, directly or through a proxy (`host:port`). */
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
      return `Run \`getent hosts ${host}\` on the device; if that answers, set "dns" in /etc/docker/daemon.json to a server that containers can reach, otherwise mend the device's resolver.`;
    case 'refused':
      return `Allow outbound TCP to ${at} in the firewall and see that a service listens there: \`curl -v telnet://${at}\`.`;
    case 'timed_out':
      if (proxy !== undefined)
        return `See that the proxy ${proxy} runs and carries connections to port ${port}, since many allow 443 alone: \`curl -v --max-time 5 -x http://${proxy} https://${at}\`.`;
      return `Allow outbound TCP to ${at} in every firewall on the way, which may drop it silently, or set https_proxy for this module; try \`curl -v --connect-timeout 5 telnet://${at}\`.`;
    case 'tls_failed':
      return `Look at the certificate with \`openssl s_client -connect ${at} -servername ${host}\`, and at this device's clock.`;
    case 'intercepted':
      return `Exclude ${host} from TLS inspection, or put the inspecting authority into the trust bundle (trust_bundle_cert in /etc/aziot/config.toml, then \`sudo iotedge config apply\`).`;
    case 'http_status':
      return `See what the server says with \`curl -v ${inShell(url)}\`, and correct the target's path if it is not meant to answer.`;
    case 'wrong_content':
      return `Open ${url} in a browser on the device's network: a page that asks to sign in, or says that the site is blocked, shows who has to let ${host} pass.`;
    case 'proxy_failed':
      return `Allow CONNECT to ${at} in the proxy, check this module's https_proxy (http://user:password@host:port where the proxy wants credentials), or put ${host} into no_proxy.`;
  }
}

/** A URL as a shell takes it for one word. */
const inShell = (url: string): string =>
  /^[\w./:%~-]*$/.test(url) ? url : `'${url.replaceAll("'", '%27')}'`;
