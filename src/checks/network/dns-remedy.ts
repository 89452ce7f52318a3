type DnsReason =
  | 'answers_differ'
  | 'private_answer'
  | 'intermittent'
  | 'refused'
  | 'server_failed'
  | 'slow'
  | 'not_found'
  | 'timed_out';

/** What to do next about a name that does not resolve as it should. */
export function dnsRemedy(reason: DnsReason, name: string): string {
  const host = `\`getent hosts ${name}\``;
  const containers = 'set "dns" in /etc/docker/daemon.json to a server that containers can reach';
  switch (reason) {
    case 'answers_differ':
      return `Ask each server with \`nslookup ${name} SERVER\` and mend the one that is wrong, or take it from "dns" in /etc/docker/daemon.json.`;
    case 'private_answer':
      return `If ${name} is meant to be reached by Private Link, write an exception for private_answer into the policy; otherwise see who answers with \`nslookup ${name}\` on the device, and have its zone or filter mended.`;
    case 'not_found':
      return `Run ${host} on the device; if that answers, ${containers}; otherwise have the network's DNS server forward ${name}, or correct the name in the policy.`;
    case 'refused':
      return `Have the DNS server answer this device's network for ${name}, or ${containers}; ${host} on the device tells whether it answers there.`;
    case 'server_failed':
      return `Look at the DNS server's log: it could not ask further, or the answer failed DNSSEC. Compare with \`nslookup ${name}\` on another network.`;
    case 'timed_out':
      return `Allow UDP and TCP 53 to the DNS server in every firewall on the way, or ${containers}; ${host} on the device tells whether it answers there.`;
    case 'intermittent':
    case 'slow':
      return `See which DNS servers are asked with \`cat /etc/resolv.conf\` on the device, try each with \`nslookup ${name} SERVER\`, and remove those that fail or lag from "dns" in /etc/docker/daemon.json.`;
  }
}
