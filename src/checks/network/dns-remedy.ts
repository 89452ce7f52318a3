type DnsReason =
  | 'answers_differ'
  | 'private_answer'
  | 'intermittent'
  | 'refused'
  | 'server_failed'
  | 'slow'
  | 'not_found'
  | 'timed_out';

/** The next step for a name that does not resolve as it should. */
export function dnsRemedy(reason: DnsReason, name: string): string {
  const host = `\`getent hosts ${name}\``;
  const containers = 'set "dns" in /etc/docker/daemon.json to a server that containers can reach';
  switch (reason) {
    case 'answers_differ':
      return `Ask each server with \`nslookup ${name} SERVER\` and fix the one that is wrong, or remove it from "dns" in /etc/docker/daemon.json.`;
    case 'private_answer':
      return `If ${name} is used through Private Link, add an exception for private_answer to the policy. Otherwise find out who answers with \`nslookup ${name}\` on the device, and have its zone or filter fixed.`;
    case 'not_found':
      return `Run ${host} on the device. If that answers, ${containers}; otherwise have the network's DNS server forward ${name}, or correct the name in the policy.`;
    case 'refused':
      return `Have the DNS server answer this device's network for ${name}, or ${containers}. ${host} on the device shows whether it answers there.`;
    case 'server_failed':
      return `Check the DNS server's log: its own query failed, or the answer failed DNSSEC validation. Compare with \`nslookup ${name}\` on another network.`;
    case 'timed_out':
      return `Allow UDP and TCP 53 to the DNS server in every firewall on the way, or ${containers}. ${host} on the device shows whether it answers there.`;
    case 'intermittent':
    case 'slow':
      return `List the DNS servers in use with \`cat /etc/resolv.conf\` on the device, test each with \`nslookup ${name} SERVER\`, and remove those that fail or lag from "dns" in /etc/docker/daemon.json.`;
  }
}
