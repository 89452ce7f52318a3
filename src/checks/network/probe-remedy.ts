import { formatEndpoint, formatHost } from '../../endpoint.ts';
import type { Probe, ProbeFailure, ProbeTarget } from '../../host/network/types.ts';
import { shellQuote } from '../../shell-quote.ts';
import { isAddress } from '../params/address-kind.ts';
import { dnsRemedy } from './dns-remedy.ts';

/** The next step for a target that was not reached. */
export function probeRemedy(
  reason: ProbeFailure | 'wrong_content',
  target: ProbeTarget,
  probe: Probe,
): string {
  const { host } = target;
  const at = formatEndpoint(target);
  const url = `https://${at}${target.path ?? ''}`;
  switch (reason) {
    case 'dns_failed':
      return dnsRemedy('not_found', host);
    case 'refused':
      return refusedRemedy(probe.failure?.code, target);
    case 'timed_out':
      return timedOutRemedy(target, url, probe);
    case 'tls_failed':
      return `Check that the port speaks TLS, and its certificate, with \`openssl s_client -connect ${shellQuote(at)} -servername ${shellQuote(host)}\`, and this device's clock.`;
    case 'intercepted':
      return `Exclude ${host} from TLS inspection, or add the inspecting CA to the trust bundle (trust_bundle_cert in /etc/aziot/config.toml, then \`sudo iotedge config apply\`).`;
    case 'http_status':
      return `Check what the server answers with \`curl -v ${shellQuote(url)}\`, and correct the target's path if it is not supposed to answer.`;
    case 'wrong_content':
      return `Open ${url} in a browser on the device's network: a page that asks for a login, or says that the site is blocked, shows who must allow ${host}.`;
    case 'proxy_failed':
      return `Allow CONNECT to ${at} in the proxy, check this module's https_proxy (http://user:password@host:port if the proxy requires credentials), or add ${host} to no_proxy.`;
  }
}

/** By the phase that was reached. */
function timedOutRemedy(target: ProbeTarget, url: string, { proxy, seconds }: Probe): string {
  const { host, port } = target;
  const at = formatEndpoint(target);
  const via = proxy === undefined ? '' : ` -x ${shellQuote(`http://${proxy}`)}`;
  const curl = `\`curl -v --max-time 5${via} ${shellQuote(`https://${at}`)}\``;
  if (seconds.resolve !== undefined && seconds.connect === undefined)
    return dnsRemedy('timed_out', proxy === undefined ? host : proxy.replace(/:\d+$/, ''));
  if (seconds.first_byte !== undefined)
    return `Check why the server takes the request and does not answer it: \`curl -v --max-time 60${via} ${shellQuote(url)}\`. If it is only slow, increase timeoutSeconds.`;
  if (seconds.tls !== undefined && proxy !== undefined)
    return `Check that port ${port} of ${host} speaks TLS, and that the proxy ${proxy} passes it on unchanged: ${curl}.`;
  if (seconds.tls !== undefined)
    return `Check that port ${port} of ${host} speaks TLS: ${curl}. If it does elsewhere, find the firewall or transparent proxy on the way that accepts the connection in its place and drops TLS, or the link whose MTU is too small for it.`;
  if (proxy !== undefined)
    return `Check that the proxy ${proxy} runs and allows connections to port ${port} (many allow only 443): ${curl}.`;
  return `Allow outbound TCP to ${at} in every firewall on the way, which may drop it silently, or set https_proxy for this module. Try \`curl -v --connect-timeout 5 ${shellQuote(`telnet://${at}`)}\`.`;
}

/** By the system's error code: a missing route, a route that rejects, a host that is down, or a closed port. */
function refusedRemedy(code: string | undefined, target: ProbeTarget): string {
  const { host } = target;
  const at = formatEndpoint(target);
  const routes = isAddress(host) ? `\`ip route get ${shellQuote(host)}\`` : '`ip route` and `ip -6 route`';
  switch (code) {
    case 'ENETUNREACH':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `Run ${routes} on the device: it has no route to ${formatHost(host)}. Bring the network interface up, or add the missing route or default gateway.`;
    case 'EINVAL':
    case 'EACCES':
      return `Run ${routes} on the device and remove the route that rejects ${formatHost(host)} (blackhole or prohibit); otherwise allow outbound TCP to ${at} in the firewall.`;
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
    case 'ENONET':
      return `Run ${routes} on the device to see the way to ${formatHost(host)}, and check that the host is up; otherwise allow outbound TCP to ${at} in the firewall.`;
    default:
      return `Allow outbound TCP to ${at} in the firewall, and check that a service listens there: \`curl -v ${shellQuote(`telnet://${at}`)}\`.`;
  }
}
