import { CannotTell, type Reading, type Verdict } from '../../check.ts';
import { describe, type Estimate, inSeconds, list } from './format.ts';
import { agreement, distanceFromZero } from './intervals.ts';
import type { Answers } from './sources.ts';

interface Limits {
  readonly warnSeconds: number;
  readonly failSeconds: number;
}

/** The conclusion of the check, or why there is none. */
export type Judgement = Verdict<'drifted' | 'stepped' | 'suspended', GaugeName> | CannotTell;

type GaugeName = 'clock_offset_seconds' | 'clock_offset_error_seconds';

const remedy =
  'Check the time sources with `sudo chronyc sources -v` and set the clock with `sudo chronyc makestep`; with systemd-timesyncd, ' +
  'run `timedatectl timesync-status` and `sudo systemctl restart systemd-timesyncd`; on EFLOW, run ' +
  '`Invoke-EflowVmCommand "sudo chronyc makestep"` on the Windows host, and check the clock of the host itself';
const ofOneSource =
  '. The source itself may be wrong: with three independent sources in the policy, a wrong one is outvoted';

/** Compares the sources with each other and with the policy. */
export function judge({ estimates, silences }: Answers, policy: Limits): Judgement {
  if (estimates.length === 0) {
    const message = `No time source answered: ${silences.map(({ why }) => why).join('; ')}`;
    return new CannotTell('no_source', message, {
      cause: new AggregateError(silences.map(({ cause }) => cause)),
      remedy: 'Allow the device to reach an NTP server on UDP port 123, or add an https:// URL under "https"',
    });
  }
  const asides = silences.filter(({ expected }) => !expected).map(({ why }) => `; ${why}`);
  const [voters, aliases] = oneVoteEach(estimates);
  const readings = estimates.flatMap(readingsOf);
  return judgeEstimates(voters, policy, [...aliases, ...asides].join(''), readings);
}

/** Those that count: of several names of one server, the first. */
function oneVoteEach(estimates: readonly Estimate[]): [Estimate[], string[]] {
  const firstOf = ({ origin, name }: Estimate) =>
    estimates.find((each) => (origin === undefined ? each.name === name : each.origin === origin));
  const voters = estimates.filter((each) => firstOf(each) === each);
  const aliases = estimates
    .filter((each) => firstOf(each) !== each)
    .map((each) => `; ${each.name} is the same server as ${firstOf(each)?.name} and has no vote of its own`);
  return [voters, aliases];
}

function judgeEstimates(
  estimates: readonly Estimate[],
  policy: Limits,
  asides: string,
  readings: readonly Reading<GaugeName>[],
): Judgement {
  const agreed = agreement(estimates);
  if (!agreed) return judgeDisagreement(estimates, policy, asides, readings);

  const names = list(agreed.members.map(({ name }) => name));
  const dissent = agreed.others.map((other) => `; ${describe(other)}, which is outvoted`).join('');
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
  const alone = estimates.length === 1 ? ofOneSource : '';
  return { status, reason: 'drifted', message, remedy: remedy + alone, readings };
}

/** Without a majority there is still a verdict if the clock is wrong whichever source is right: the mildest one. */
function judgeDisagreement(
  estimates: readonly Estimate[],
  policy: Limits,
  asides: string,
  readings: readonly Reading<GaugeName>[],
): Judgement {
  const least = Math.min(...estimates.map(distanceFromZero));
  const said = `${estimates.map(describe).join('; ')}${asides}`;
  const status = statusOf(least, policy);
  if (status === 'pass') {
    return new CannotTell('sources_disagree', `No majority of the time sources agrees: ${said}`, {
      remedy: 'Configure at least three independent time sources, so that a wrong one is outvoted',
    });
  }
  const message = `The clock is at least ${inSeconds(least)} off, whichever of its sources is right: ${said}`;
  return { status, reason: 'drifted', message, remedy, readings };
}

const statusOf = (driftSeconds: number, { warnSeconds, failSeconds }: Limits): 'pass' | 'warn' | 'fail' => {
  if (driftSeconds >= failSeconds) return 'fail';
  return driftSeconds >= warnSeconds ? 'warn' : 'pass';
};

const readingsOf = ({ name, offsetSeconds, errorSeconds }: Estimate): Reading<GaugeName>[] => [
  { gauge: 'clock_offset_seconds', labels: { source: name }, value: offsetSeconds },
  { gauge: 'clock_offset_error_seconds', labels: { source: name }, value: errorSeconds },
];
