import * as z from 'zod';
import { CannotTell, defineCheck } from '../../check.ts';
import { isHostName, isLinkLocal, parseEndpoint } from '../../endpoint.ts';
import { isAddress } from '../params/address-kind.ts';
import { expandAll, placeholderProblem, withSampleNames } from '../params/placeholders.ts';
import { linkLocal } from '../params/probe-target.ts';
import { dnsReasons, judge } from './dns-verdict.ts';
import { slowest, viewOf } from './dns-views.ts';

const hostName = z
  .string()
  .superRefine((text, context) => {
    const sample = withSampleNames(text);
    const problem =
      placeholderProblem(text) ??
      (isHostName(sample) && !isAddress(sample) ? undefined : 'is not a host name that can resolve');
    if (problem) context.addIssue(problem);
  })
  .describe('A host name, or a placeholder.');

const server = z
  .string()
  .superRefine((text, context) => {
    const problem = serverProblem(text);
    if (problem) context.addIssue(problem);
  })
  .describe('IP, IPv4:port or [IPv6]:port');

function serverProblem(text: string): string | undefined {
  if (isLinkLocal(text)) return linkLocal;
  if (isAddress(text)) return undefined;
  const endpoint = parseEndpoint(text, 53);
  if (endpoint === 'link-local') return linkLocal;
  const isServer = typeof endpoint !== 'string' && isAddress(endpoint.host);
  return isServer ? undefined : 'must be IP, IPv4:port or [IPv6]:port';
}

/** Resolves names as this device does, and by other servers for comparison. */
export const dnsResolution = defineCheck({
  id: 'dnsResolution',
  title: 'The names this device needs resolve quickly and to the right addresses',
  params: z.strictObject({
    names: z
      .array(hostName)
      .max(64)
      .default(['{iothub}'])
      .describe('Host names that must resolve, or placeholders for them.'),
    servers: z
      .array(server)
      .max(8)
      .default([])
      .describe('Servers to compare with the answers of this device.'),
    warnSeconds: z.number().positive().max(5).default(1).describe('Most time for one lookup.'),
  }),
  uses: ['lookUp', 'modules'],
  reasons: dnsReasons,
  gauges: {
    dns_lookup_seconds: {
      help: "Time of the slowest lookup of the last run by this device's own resolver; absent when it gave no answer.",
      labels: ['target'],
    },
  },

  needs: ({ servers }) => [
    { kind: 'network', what: 'the DNS servers of this network' },
    ...servers.map((each) => ({ kind: 'network' as const, what: `the DNS server ${each}` })),
  ],

  subjects: ({ names }, host, signal) => expandAll(names, host, signal),

  async examine({ target: name, cannotTell }, { servers, warnSeconds }, host, signal) {
    if (cannotTell) throw cannotTell;
    if (isAddress(name)) {
      throw new CannotTell('not_applicable', `${name} is an address and needs no lookup`);
    }
    const ask = (by: string | undefined) =>
      viewOf({ name, server: by, slowSeconds: warnSeconds }, host, signal);
    const [own, others] = await Promise.all([ask(undefined), Promise.all(servers.map(ask))]);
    const readings =
      own.answers.length > 0 ? [{ gauge: 'dns_lookup_seconds' as const, value: slowest(own) }] : [];
    return { ...judge(name, own, others, warnSeconds), readings };
  },
});
