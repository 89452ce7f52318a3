import { never, within } from '../deadline.ts';
import type { Sender } from './sender.ts';
import type { HubLog, Session, SessionEvents } from './session.ts';
import type { TwinReader } from './twin-reader.ts';
import type { Wakeup } from './wakeup.ts';

/** Deadlines of a session, in seconds. */
export interface SessionDeadlines {
  readonly open: number;
  /** For one response. A client whose subscriptions edgeHub has lost never gets any. */
  readonly call: number;
  readonly close: number;
}

export interface SessionLoopOptions {
  open(events: SessionEvents, signal: AbortSignal): Promise<Session>;
  readonly twin: TwinReader;
  readonly sender: Sender;
  /** Rung when there is something to do. */
  readonly wakeup: Wakeup;
  readonly deadlines: SessionDeadlines;
  readonly log: HubLog;
  readonly signal: AbortSignal;
  /** Called after each read of the twin: the connection works. */
  onConnected(): void;
  /** Called whenever nothing is left to send for now. */
  onIdle(): void;
}

/** Runs one session from open to end. Always rejects: with the reason why it ended. */
export async function runSession(options: SessionLoopOptions): Promise<never> {
  const { signal, twin, wakeup, log } = options;
  const ended = new AbortController();
  // Not AbortSignal.any(): in Node 20 a long-lived signal keeps a reference for each signal derived from it.
  const onStop = () => ended.abort(signal.reason);
  signal.addEventListener('abort', onStop);
  try {
    const session = await openInTime(options, {
      onEnd: (error) => ended.abort(error),
      onError: (error) => log.error({ err: error }, 'The IoT Hub client reported an error'),
      onDesired(patch) {
        twin.push(patch);
        wakeup.ring();
      },
    });
    try {
      return await work(options, withDeadlines(session, options.deadlines.call, ended.signal), ended.signal);
    } finally {
      await closeInTime(session, options.deadlines.close).catch((error: unknown) =>
        log.warn({ err: error }, 'The session with edgeHub did not close in time, its connection was cut'),
      );
    }
  } finally {
    signal.removeEventListener('abort', onStop);
  }
}

/** Reads the twin when it is due and sends what there is to send, until the signal fires. */
async function work(
  { twin, sender, wakeup, onConnected, onIdle }: SessionLoopOptions,
  session: Session,
  alive: AbortSignal,
): Promise<never> {
  for (;;) {
    if (twin.dueInMs() <= 0) {
      await twin.read(session);
      onConnected();
    }
    const idleMs = await sender.sendNext(session);
    if (idleMs > 0) {
      onIdle();
      await wakeup.wait(Math.min(idleMs, twin.dueInMs()), alive);
    }
  }
}

async function openInTime(
  { open, deadlines, signal }: SessionLoopOptions,
  events: SessionEvents,
): Promise<Session> {
  let opening: Promise<Session> | undefined;
  try {
    return await within(deadlines.open, signal, (timeout) => {
      opening = open(events, timeout);
      return opening;
    });
  } catch (error) {
    // A session that opens too late is closed again.
    opening?.then((session) => closeInTime(session, deadlines.close)).catch(() => {});
    throw error;
  }
}

const closeInTime = (session: Session, seconds: number): Promise<void> =>
  within(seconds, never, (signal) => session.close(signal));

/** The same session with a deadline for each call, which also ends when the signal fires. */
const withDeadlines = (session: Session, seconds: number, alive: AbortSignal): Session => ({
  readTwin: () => within(seconds, alive, () => session.readTwin()),
  update: (patch) => within(seconds, alive, () => session.update(patch)),
  send: (message) => within(seconds, alive, () => session.send(message)),
  close: (signal) => session.close(signal),
});
