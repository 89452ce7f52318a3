import { CannotTell } from '../../check.ts';
import type { ClockEvent } from '../../host/clock/types.ts';
import { inSeconds } from './format.ts';
import type { Judgement } from './verdict.ts';

/** For how long an event is reported. */
const reportedSeconds = 600;

const remedies: Readonly<Record<ClockEvent['kind'], string>> = {
  // A guest's clocks stop while its host sleeps; Hyper-V's time synchronisation then sets the wall clock.
  stepped:
    'Find out what set the clock with `sudo journalctl -u chronyd --since -15min`. In a virtual machine, a step ahead is also ' +
    'the result of its host sleeping, which `powercfg /change standby-timeout-ac 0` prevents on Windows',
  suspended:
    'Check that the clock has a time source again with `sudo chronyc sources -v`, and keep the machine from sleeping: on the ' +
    'Windows host of EFLOW, `powercfg /change standby-timeout-ac 0`',
};

/**
 * The latest event that can have moved the clock out of its limits. After sleep a step corrects the clock, so the sleep is
 * reported instead.
 */
export function latestEvent(events: readonly ClockEvent[], warnSeconds: number): ClockEvent | undefined {
  const recent = events.filter(
    ({ seconds, secondsAgo }) => Math.abs(seconds) >= warnSeconds && secondsAgo < reportedSeconds,
  );
  const asleep = recent.findLast(({ kind }) => kind === 'suspended');
  const expected = ({ secondsAgo }: ClockEvent) => asleep !== undefined && secondsAgo <= asleep.secondsAgo;
  return recent.findLast((event) => event.kind === 'stepped' && !expected(event)) ?? asleep;
}

/**
 * Adds an event to a judgement. Once the sources confirm the clock, sleep no longer matters; a step is still reported,
 * because the clock was wrong before it, or is wrong now.
 */
export function withEvent(judgement: Judgement, event: ClockEvent | undefined): Judgement {
  if (!event) return judgement;
  const { kind } = event;
  const what = describeEvent(event);
  const remedy = remedies[kind];
  if (judgement instanceof CannotTell) {
    const message = `The ${what}, and no time source has confirmed the clock since: ${judgement.message}`;
    return { status: 'warn', reason: kind, message, remedy };
  }
  if (judgement.status !== 'pass') return { ...judgement, message: `${judgement.message}; the ${what}` };
  if (kind === 'suspended') return judgement;
  const now = judgement.message.replace(/^The clock is/, 'it is now');
  return { ...judgement, status: 'warn', reason: kind, message: `The ${what}; ${now}`, remedy };
}

/** A sentence without its article: `clock was set 90.0 s ahead 12 s ago`. */
export function describeEvent({ kind, seconds, secondsAgo }: ClockEvent): string {
  const ago = `${Math.max(1, Math.round(secondsAgo))} s ago`;
  const size = inSeconds(Math.abs(seconds));
  if (kind === 'suspended') return `machine slept for ${size} until ${ago}`;
  return `clock was set ${size} ${seconds > 0 ? 'ahead' : 'back'} ${ago}`;
}
