import * as z from 'zod';
import { CannotTell, defineCheck } from '../../check.ts';
import { parseEndpoint, secretParameter } from '../../endpoint.ts';
import { linkLocal } from '../params/probe-target.ts';
import { warnsFirst } from '../params/thresholds.ts';
import { describeEvent, latestEvent, withEvent } from './events.ts';
import { hypervHint } from './hyperv-hint.ts';
import { askAll } from './sources.ts';
import { type Judgement, judge } from './verdict.ts';

const noPlaceholder = 'placeholders are not expanded here: write the name itself';

const address = z.string().superRefine((text, context) => {
  const endpoint = parseEndpoint(text, 123);
  if (/[{}]/.test(text)) context.addIssue(noPlaceholder);
  else if (endpoint === 'link-local') context.addIssue(linkLocal);
  else if (typeof endpoint === 'string') {
    context.addIssue('must be host, host:port or [IPv6]:port, with a port from 1 to 65535');
  }
});

const httpsUrl = z.string().superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem) context.addIssue(problem);
});

/** A password or a signature would appear in messages, in the acknowledgement and in metrics. */
function urlProblem(text: string): string | undefined {
  if (/[{}]/.test(text)) return noPlaceholder;
  const authority = /^https:\/\/([^/?#]*)/i.exec(text)?.[1];
  if (authority?.includes('@')) return 'must not hold a user name or password';
  const secret = secretParameter(text);
  if (secret !== undefined) return `must not hold a secret (${secret})`;
  if (authority === undefined || !URL.canParse(text)) return 'must be an https:// URL';
  const endpoint = parseEndpoint(authority, 443);
  if (endpoint === 'link-local') return linkLocal;
  return typeof endpoint === 'string' ? `must be an https:// URL, but this has a ${endpoint}` : undefined;
}

const params = z
  .strictObject({
    servers: z
      .array(address)
      .max(16)
      .default(['time.windows.com'])
      .describe('SNTP servers: host, host:port or [IPv6]:port.'),
    https: z
      .array(httpsUrl)
      .max(16)
      .default([])
      .describe('URLs whose Date header is a time source, for networks that block UDP port 123.'),
    // `false` is for the twin, where null removes the key.
    chrony: z
      .union([address, z.literal(false), z.null()])
      .default('127.0.0.1:323')
      .describe("chronyd's command address; false for none."),
    warnSeconds: z.number().positive().default(10).describe('Warns when the clock is off by this much.'),
    failSeconds: z.number().positive().default(300).describe('Fails when the clock is off by this much.'),
  })
  .refine(...warnsFirst('warnSeconds', 'above', 'failSeconds'));

/**
 * Compares all time sources. Each gives an interval for the offset; the range that a majority of them share is used, and
 * only its distance from zero counts as drift, so a coarse source raises no false alarm. A step or sleep is reported for
 * a while.
 */
export const clockDrift = defineCheck({
  id: 'clockDrift',
  title: 'The clock agrees with its time sources',
  params,
  uses: ['sntp', 'chrony', 'httpDate', 'hypervClock', 'clockEvents', 'clockTotals', 'watchClock'],
  reasons: ['drifted', 'stepped', 'suspended', 'no_source', 'sources_disagree'],
  gauges: {
    clock_offset_seconds: {
      help: 'Local clock minus the time of the source; positive when the local clock is ahead.',
      labels: ['source'],
    },
    clock_offset_error_seconds: {
      help: 'The true offset lies within this distance of clock_offset_seconds, if the source is right.',
      labels: ['source'],
    },
  },
  counters: {
    clock_steps_total: {
      help: 'How often the clock was set by half a second or more.',
      total: ({ clockTotals }) => clockTotals().steps,
    },
    clock_suspended_seconds_total: {
      help: 'How long the machine slept.',
      total: ({ clockTotals }) => clockTotals().suspendedSeconds,
    },
  },

  needs: ({ servers, https, chrony }) =>
    [
      ...servers.map((server) => `UDP (NTP) to ${server}`),
      ...https,
      ...(chrony ? [`UDP to chronyd at ${chrony}, from the host's network`] : []),
    ].map((what) => ({ kind: 'network', what })),

  subjects: ({ servers, https, chrony }) =>
    servers.length + https.length > 0 || chrony ? [{ target: 'clock' }] : [],

  async examine(_clock, policy, host, signal) {
    const [answers, hint] = await Promise.all([askAll(policy, host, signal), hypervHint(host, signal)]);
    const event = latestEvent(host.clockEvents(), policy.warnSeconds);
    const judgement = hinted(withEvent(judge(answers, policy), event), hint);
    if (judgement instanceof CannotTell) throw judgement;
    return judgement;
  },

  trigger: ({ watchClock }, runNow, signal) =>
    watchClock((event) => runNow(`The ${describeEvent(event)}`), signal),
});

function hinted(judgement: Judgement, hint: string): Judgement {
  if (judgement instanceof CannotTell) {
    const { reason, message, cause, remedy = '' } = judgement;
    return new CannotTell(reason, message, { cause, remedy: remedy + hint });
  }
  return judgement.status === 'pass' ? judgement : { ...judgement, remedy: judgement.remedy + hint };
}
