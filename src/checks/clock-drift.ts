import { z } from 'zod';
import { CannotTell, defineCheck, type Host, type Reading, type Verdict } from '../check.ts';
import { isTimeout, withDeadline } from '../deadline.ts';
import { causeOf, describe, type Estimate, estimate, inSeconds, list } from './clock-words.ts';
import { agreement, distanceFromZero } from './intervals.ts';

/**
 * How long one source may take. A quarter of the default time for the whole subject, so that a silent source is
 * given up while there is time to judge by those that answered; enough for a datagram to be sent three times.
 */
const sourceSeconds = 5;

const remedy =
  'Look at what the clock follows with `chronyc sources -v` and set it at once with `chronyc makestep`; on EFLOW, ' +
  'from the Windows host: `Invoke-EflowVmCommand "sudo chronyc makestep"`, and check the clock of the host itself';

const address = z
  .string()
  .regex(/^(?:[^\s:/[\]]+|\[[\da-fA-F:.]+\])(?::\d+)?$/, 'Not of the form host, host:port or [IPv6]:port')
  .refine((text) => {
    const port = Number(/:(\d+)$/.exec(text.replace(/^\[.*\]/, ''))?.[1] ?? 1);
    return port >= 1 && port <= 65_535;
  }, 'The port is not between 1 and 65535');

const params = z
  .strictObject({
    servers: z.array(address).max(16).default(['time.windows.com']),
    https: z
      .array(z.url({ protocol: /^https$/, error: 'Not an https:// URL' }))
      .max(16)
      .default([]),
    chrony: address.nullable().default('127.0.0.1:323'),
    warnSeconds: z.number().positive().default(10),
    failSeconds: z.number().positive().default(300),
  })
  .refine(({ warnSeconds, failSeconds }) => warnSeconds <= failSeconds, {
    path: ['warnSeconds'],
    message: 'warnSeconds is greater than failSeconds',
  });
type Params = z.output<typeof params>;

/**
 * Weighs all time sources together. Each says that the offset lies in an interval; what a majority's intervals have
 * in common is believed, and only its distance from zero counts as drift, so a coarse source raises no false alarm.
 */
export const clockDrift = defineCheck({
  id: 'clockDrift',
  title: 'The clock agrees with its time sources',
  params,
  reasons: ['drifted', 'no_source', 'sources_disagree'],
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

  needs: ({ servers, https, chrony }) =>
    [
      ...servers.map((server) => `UDP (NTP) to ${server}`),
      ...https,
      ...(chrony ? [`UDP to chronyd at ${chrony}, from the host's network`] : []),
    ].map((what) => ({ kind: 'network', what })),

  subjects: ({ servers, https, chrony }) =>
    servers.length + https.length > 0 || chrony ? [{ target: 'clock' }] : [],

  async examine(_clock, policy, host, signal) {
    const answers = await Promise.all(sourcesOf(policy, host).map((source) => askOne(source, signal)));
    signal.throwIfAborted();

    const estimates = answers.flatMap((answer) => ('low' in answer ? [answer] : []));
    const failures = answers.flatMap((answer) => ('low' in answer ? [] : [answer]));
    if (estimates.length === 0) {
      throw new CannotTell(
        'no_source',
        `No time source answered: ${failures.map(({ why }) => why).join('; ')}`,
        {
          cause: new AggregateError(failures.map(({ cause }) => cause)),
          remedy:
            'Let the device reach an NTP server on UDP port 123, or name an https:// address under "https"',
        },
      );
    }
    const asides = failures.filter(({ expected }) => !expected).map(({ why }) => `; ${why}`);
    return judge(estimates, policy, asides.join(''));
  },
});

interface Source {
  readonly name: string;
  readonly ask: (signal: AbortSignal) => Promise<{ offsetSeconds: number; errorSeconds: number }>;
}

interface Failure {
  readonly why: string;
  readonly cause: unknown;
  /** Not worth a word while others answer. */
  readonly expected: boolean;
}

const sourcesOf = ({ servers, https, chrony }: Params, host: Host): Source[] => [
  ...[...new Set(servers)].map((name) => ({ name, ask: (signal: AbortSignal) => host.sntp(name, signal) })),
  ...[...new Set(https)].map((name) => ({ name, ask: (signal: AbortSignal) => host.httpDate(name, signal) })),
  ...(chrony ? [{ name: 'chrony', ask: (signal: AbortSignal) => host.chrony(chrony, signal) }] : []),
];

async function askOne({ name, ask }: Source, signal: AbortSignal): Promise<Estimate | Failure> {
  try {
    return estimate(name, await withDeadline(sourceSeconds, signal, ask));
  } catch (cause) {
    const why = isTimeout(cause) ? `${name} did not answer within ${sourceSeconds} s` : causeOf(name, cause);
    // chronyd listens on the machine's loopback, where a container with a network of its own cannot reach it.
    const expected = name === 'chrony' && cause instanceof CannotTell && cause.reason === 'not_found';
    return { why, cause, expected };
  }
}

function judge(estimates: readonly Estimate[], policy: Params, asides: string): Verdict<'drifted'> {
  const readings = estimates.flatMap(readingsOf);
  const agreed = agreement(estimates);
  if (!agreed) return judgeDisagreement(estimates, policy, asides, readings);

  const names = list(agreed.members.map(({ name }) => name));
  const dissent = agreed.others.map((other) => `; ${describe(other)}, and is outvoted`).join('');
  const status = statusOf(distanceFromZero(agreed), policy);
  if (status === 'pass') {
    const bound = inSeconds(Math.max(-agreed.low, agreed.high));
    return {
      status,
      message: `The clock is off by at most ${bound}, according to ${names}${dissent}${asides}`,
      readings,
    };
  }
  const offset = (agreed.low + agreed.high) / 2;
  const size = `${inSeconds(Math.abs(offset))} ${offset > 0 ? 'ahead' : 'behind'}`;
  const message = `The clock is ${size} (± ${inSeconds((agreed.high - agreed.low) / 2)}), according to ${names}${dissent}${asides}`;
  return { status, reason: 'drifted', message, remedy, readings };
}

/** Without a majority there is still a verdict when the clock is wrong whichever source is right: the mildest. */
function judgeDisagreement(
  estimates: readonly Estimate[],
  policy: Params,
  asides: string,
  readings: readonly Reading[],
): Verdict<'drifted'> {
  const least = Math.min(...estimates.map(distanceFromZero));
  const said = `${estimates.map(describe).join('; ')}${asides}`;
  const status = statusOf(least, policy);
  if (status === 'pass') {
    throw new CannotTell('sources_disagree', `No majority of the time sources agrees: ${said}`, {
      remedy: 'Name at least three independent time sources, so that a wrong one is outvoted',
    });
  }
  const message = `The clock is at least ${inSeconds(least)} off, whichever of its sources is right: ${said}`;
  return { status, reason: 'drifted', message, remedy, readings };
}

const statusOf = (driftSeconds: number, { warnSeconds, failSeconds }: Params): 'pass' | 'warn' | 'fail' => {
  if (driftSeconds >= failSeconds) return 'fail';
  return driftSeconds >= warnSeconds ? 'warn' : 'pass';
};

const readingsOf = ({ name, offsetSeconds, errorSeconds }: Estimate): Reading[] => [
  { gauge: 'clock_offset_seconds', labels: { source: name }, value: offsetSeconds },
  { gauge: 'clock_offset_error_seconds', labels: { source: name }, value: errorSeconds },
];
