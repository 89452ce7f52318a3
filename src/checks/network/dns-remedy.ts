import { shellQuote } from '../../shell-quote.ts';

type DnsReason =
  | 'answers_differ'
  | 'private_answer'
  | 'leads_nowhere'
  | 'intermittent'
  | 'refused'
  | 'server_failed'
  | 'slow'
  | 'not_found'
  | 'timed_out';

const restart = 'run `sudo systemctl restart docker`';

/** The next step for a name that this device does not resolve as it should. */
export function dnsRemedy(reason: DnsReason, name: string): string {
  const ask = `\`getent hosts ${shellQuote(name)}\``;
  const containers = `set "dns" in /etc/docker/daemon.json to a server that containers can reach and ${restart}`;
  switch (reason) {
    case 'answers_differ':
      return `Run ${ask} on the device and \`cat /etc/resolv.conf\` to see its servers. Correct the server that is wrong; if it is one of "dns" in /etc/docker/daemon.json, remove it there and ${restart}; if it is one of "servers" in the policy, remove it there.`;
    case 'private_answer':
      return `If ${name} is used through Private Link, add an exception for private_answer to the policy. Otherwise run ${ask} on the device, and have the zone corrected on the servers that \`cat /etc/resolv.conf\` lists.`;
    case 'leads_nowhere':
      return `Run \`grep -iF ${shellQuote(name)} /etc/hosts\` on the device and remove the line that it finds; otherwise allow ${name} in the filter of the servers that \`cat /etc/resolv.conf\` lists.`;
    case 'not_found':
      return `Run ${ask} on the device. If that answers, ${containers}; otherwise have the network's DNS server forward ${name}, or correct the name in the policy.`;
    case 'refused':
      return `Run ${ask} on the device. If that answers, ${containers}; otherwise have the DNS server answer this device's network for ${name}.`;
    case 'server_failed':
      return `Run ${ask} on the device. If that answers, ${containers}; otherwise check the DNS server's log: its own query failed, or the answer failed DNSSEC validation.`;
    case 'timed_out':
      return `Run ${ask} on the device. If that answers, ${containers}; otherwise allow UDP and TCP 53 to the DNS servers that \`cat /etc/resolv.conf\` lists in every firewall on the way.`;
    case 'intermittent':
    case 'slow':
      return `Run ${ask} on the device several times and \`cat /etc/resolv.conf\` to see its servers. Remove those that fail or lag; if they come from "dns" in /etc/docker/daemon.json, remove them there and ${restart}.`;
  }
}

/** The next step for a server of the policy that does not answer as it should, while this device resolves the name. */
export function serverRemedy(reason: DnsReason, name: string, server: string): string {
  const remove = `or remove ${server} from "servers" of dnsResolution in the policy. This device's own resolver is not affected.`;
  switch (reason) {
    case 'refused':
      return `Check that a DNS server runs at ${server} and answers this device's network for ${name}, ${remove}`;
    case 'timed_out':
      return `Check that ${server} runs, and allow UDP and TCP 53 to it in every firewall on the way, ${remove}`;
    case 'intermittent':
    case 'slow':
      return `Check the load of ${server} and the way to it, ${remove}`;
    default:
      return `Check the log of ${server}: its own query for ${name} failed, or the answer failed DNSSEC validation, ${remove}`;
  }
}
