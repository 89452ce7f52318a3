import { never, within } from '../deadline.ts';
import type { Messenger } from './messages/messenger.ts';
import type { Sender } from './reports/sender.ts';
import {
  type AwaitedStep,
  type HubDetail,
  HubError,
  type HubLog,
  PatchRejected,
  type Session,
  type SessionEvents,
} from './session.ts';
import { ConnectionLost } from './status.ts';
import type { TwinReader } from './twin-reader.ts';
import type { Uses } from './uses.ts';
import { createWakeup, type Wakeup } from './wakeup.ts';

/** Deadlines of a session, in seconds. */
export interface SessionDeadlines {
  readonly open: number;
  /** For reading the twin, and for a message, which edgeHub may handle behind that. */
  readonly read: number;
  /** For a report. A client whose subscriptions edgeHub has lost gets no response. */
  readonly report: number;
  /** A message that is not acknowledged within this is a problem, unless the twin is being read. */
  readonly lateMessage: number;
  readonly close: number;
  /** A session is replaced before its token expires. */
  readonly renew: number;
}

export interface SessionLoopOptions {
  open(events: SessionEvents, signal: AbortSignal): Promise<Session>;
  readonly twin: TwinReader;
  readonly sender: Sender;
  readonly messenger: Messenger;
  readonly uses: Uses;
  /** Rung when there is a report to send or a twin to read. */
  readonly wakeup: Wakeup;
  /** Rung when there is a message to send. */
  readonly messageWakeup: Wakeup;
  readonly deadlines: SessionDeadlines;
  readonly log: HubLog;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Called with what has to arrive next before the connection works. */
  onAwait(awaited: AwaitedStep): void;
  /** Called when edgeHub has accepted the connection. */
  onOpen(): void;
  /** Called after each read of the twin: the connection works. */
  onConnected(notice: string | undefined): void;
  /** Called whenever nothing is left to send for now. */
  onIdle(what: 'report' | 'messages'): void;
}

// The clock is compared this often; see `clockWentBack`.
const clockEveryMs = 30_000;
const clockToleranceMs = 2000;

/** Runs one session from open to end. Resolves when it has to be replaced; rejects with the reason why it ended. */
export async function runSession(options: SessionLoopOptions): Promise<void> {
  const { signal, twin, messenger, uses, wakeup, log } = options;
  const ended = new AbortController();
  // Not AbortSignal.any(): in Node 20 a long-lived signal keeps a reference for each signal derived from it.
  const onStop = () => ended.abort(signal.reason);
  signal.addEventListener('abort', onStop);
  try {
    twin.begin();
    const session = await openInTime(
      options,
      {
        onAwait: options.onAwait,
        onEnd(cause) {
          if (ended.signal.aborted) return;
          const lost = 'The connection to edgeHub was lost';
          if (!messenger.sending()) return ended.abort(new ConnectionLost('offline', lost, cause));
          const closed = 'edgeHub closed the connection while a message was sent to it';
          const error = new HubError('offline', closed, cause, 'no_messages');
          messenger.connectionLost(error);
          ended.abort(error);
        },
        onError: (error) => log.error({ err: error }, 'The IoT Hub client reported an error'),
        onDesired(patch) {
          twin.push(patch);
          wakeup.ring();
        },
        onMissed(error) {
          if (!twin.missed()) return;
          log.warn(
            { err: error },
            'A change of the desired properties could not be read, reading all of them',
          );
          wakeup.ring();
        },
      },
      ended.signal,
    );
    options.onOpen();
    const calls = withDeadlines(session, options.deadlines, ended.signal, (error) => {
      // edgeHub handles what a connection sends one by one.
      if (!twin.reading()) uses.failed('messages', error);
    });
    const leaving = new AbortController();
    const reported = createWakeup();
    const messages = sendMessages(options, calls, { alive: ended.signal, leaving: leaving.signal, reported });
    // An error there ends the other half, too.
    messages.catch((error: unknown) => ended.abort(error));
    try {
      await exchangeTwin(options, calls, ended.signal, reported);
    } catch (error) {
      ended.abort(error);
      // The reason for the end, not what it did to a call.
      throw ended.signal.reason;
    } finally {
      // A session that is replaced waits a little for a message on its way, which would arrive twice otherwise.
      leaving.abort();
      await within(options.deadlines.close, never, () => messages).catch(() => {});
      ended.abort();
      await closeInTime(session, options.deadlines.close).catch((error: unknown) =>
        log.warn({ err: error }, 'The session with edgeHub did not close in time, its connection was cut'),
      );
    }
  } finally {
    signal.removeEventListener('abort', onStop);
  }
}

/** Reads the twin when it is due and sends the report, until the session has to be replaced or the signal fires. */
async function exchangeTwin(
  options: SessionLoopOptions,
  session: Session,
  alive: AbortSignal,
  reported: Wakeup,
): Promise<void> {
  const { twin, sender, wakeup, onConnected, onIdle, deadlines, now } = options;
  const replaceAt = performance.now() + deadlines.renew * 1000;
  const wentBack = clockWentBack(now);
  options.onAwait({
    reason: 'offline',
    detail: 'no_twin',
    missing: 'edgeHub accepted the connection, but has not answered the request for the twin',
  });
  while (performance.now() < replaceAt && !wentBack()) {
    if (twin.dueInMs() <= 0) {
      await twin.read(session);
      onConnected(session.notice);
    }
    const idleMs = await sender.sendNext(session, alive);
    if (idleMs > 0) {
      reported.ring();
      onIdle('report');
      await wakeup.wait(Math.min(idleMs, twin.dueInMs(), replaceAt - performance.now(), clockEveryMs), alive);
    }
  }
}

/** Sends messages beside the twin, so that a report never waits for one, until a signal fires. */
async function sendMessages(
  { messenger, messageWakeup, onIdle }: SessionLoopOptions,
  session: Session,
  {
    alive,
    leaving,
    reported,
  }: { readonly alive: AbortSignal; readonly leaving: AbortSignal; readonly reported: Wakeup },
): Promise<void> {
  if (messenger.failing()) await reported.wait(Number.POSITIVE_INFINITY, leaving);
  while (!leaving.aborted) {
    const idleMs = await messenger.sendNext(session, alive);
    if (idleMs > 0) {
      onIdle('messages');
      await messageWakeup.wait(idleMs, leaving);
    }
  }
}

/**
 * edgeHub drops what is older than the subscription it is for (MqttAdapter.TryMatchSubscription), so a session that was
 * opened before the clock was set back receives nothing until the clock has caught up.
 */
function clockWentBack(now: () => Date): () => boolean {
  const offset = () => now().getTime() - performance.now();
  const before = offset();
  return () => offset() < before - clockToleranceMs;
}

/** How long an attempt may take to say why its connection has gone, before the loss itself is the reason. */
const lossGraceMs = 1000;

/** @param lost fires when the connection has gone, which the SDK does not always say to those who wait for it. */
async function openInTime(
  { open, deadlines, signal }: SessionLoopOptions,
  events: SessionEvents,
  lost: AbortSignal,
): Promise<Session> {
  let opening: Promise<Session> | undefined;
  try {
    return await within(deadlines.open, signal, (timeout) => {
      opening = open(events, timeout);
      const loss = new Promise<never>((_, reject) => {
        const later = () => setTimeout(() => reject(lost.reason), lossGraceMs).unref();
        lost.addEventListener('abort', later, { once: true });
      });
      return Promise.race([opening, loss]);
    });
  } catch (error) {
    // A session that opens too late is closed again.
    opening?.then((session) => closeInTime(session, deadlines.close)).catch(() => {});
    signal.throwIfAborted();
    if (error instanceof HubError) throw error;
    throw new HubError('offline', 'Could not open the connection to edgeHub', error);
  }
}

const closeInTime = (session: Session, seconds: number): Promise<void> =>
  within(seconds, never, (signal) => session.close(signal));

/**
 * The same session with a deadline for each call, which also ends when the signal fires. Errors say what was called.
 *
 * @param onLateMessage called when a message is not acknowledged soon, before its deadline.
 */
function withDeadlines(
  session: Session,
  { read, report, lateMessage }: SessionDeadlines,
  alive: AbortSignal,
  onLateMessage: (error: Error) => void,
): Session {
  const notAccepted = (what: string, cause: unknown, detail?: HubDetail) =>
    new HubError('offline', `edgeHub accepted the connection, but not ${what}`, cause, detail);
  const call = <T>(seconds: number, what: string, work: () => Promise<T>, detail?: HubDetail): Promise<T> =>
    within(seconds, alive, work).catch((cause: unknown) => {
      alive.throwIfAborted();
      if (cause instanceof HubError || cause instanceof PatchRejected) throw cause;
      throw notAccepted(what, cause, detail);
    });
  return {
    notice: session.notice,
    readTwin: () => call(read, 'the request for the twin', () => session.readTwin(), 'no_twin'),
    update: (patch) => call(report, 'the reported properties', () => session.update(patch)),
    send(message) {
      const late = setTimeout(
        () => onLateMessage(notAccepted('a message', new Error(`No answer within ${lateMessage} s`))),
        lateMessage * 1000,
      );
      return call(read, 'a message', () => session.send(message)).finally(() => clearTimeout(late));
    },
    close: (signal) => session.close(signal),
  };
}
