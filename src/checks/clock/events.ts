import { CannotTell } from '../../check.ts';
import type { ClockEvent } from '../../host/clock/types.ts';
import { inSeconds } from './format.ts';
import type { Judgement } from './verdict.ts';

/** For how long an event is told. */
const tellingSeconds = 600;

const remedies: Readonly<Record<ClockEvent['kind'], string>> = {
  // A guest's own clocks stand still while its host sleeps; Hyper-V's time synchronisation sets the wall clock afterwards.
  stepped:
    'See who set the clock with `journalctl -u chronyd --since -15min`; in a virtual machine a step ahead is also what ' +
    'remains of a sleep of its host, which on Windows `powercfg /change standby-timeout-ac 0` keeps from it',
  suspended:
    'See that the clock gets a time source again with `chronyc sources -v`, and keep the machine from sleeping: on the ' +
    'Windows host of EFLOW with `powercfg /change standby-timeout-ac 0`',
};

/**
 * The latest event that can have moved the clock out of its limits. After sleep a step is what puts the clock right, so
 * it is the sleep that is told.
 */
export function latestEvent(events: readonly ClockEvent[], warnSeconds: number): ClockEvent | undefined {
  const recent = events.filter(
    ({ seconds, secondsAgo }) => Math.abs(seconds) >= warnSeconds && secondsAgo < tellingSeconds,
  );
  const asleep = recent.findLast(({ kind }) => kind === 'suspended');
  const expected = ({ secondsAgo }: ClockEvent) => asleep !== undefined && secondsAgo <= asleep.secondsAgo;
  return recent.findLast((event) => event.kind === 'stepped' && !expected(event)) ?? asleep;
}

/**
 * What an event adds to a judgement. A clock that its sources call right makes sleep past; a step is told all the same,
 * for the clock was wrong before it, or still is.
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
