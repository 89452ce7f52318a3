import { createDesiredCopy } from './desired.ts';
import { messageProblem } from './limits.ts';
import type { Json } from './merge-patch.ts';
import { createOutbox } from './outbox.ts';
import { keepConnected } from './reconnect.ts';
import { createSender, type HubFigures } from './sender.ts';
import type { HubLog, OpenSession, OutputMessage } from './session.ts';
import { runSession, type SessionDeadlines } from './session-loop.ts';
import type { Methods } from './transport.ts';
import { createTwinReader } from './twin-reader.ts';
import { createWakeup } from './wakeup.ts';

/** The connection to the cloud. Without a connection, the last report and the messages wait for the next one. */
export interface Hub {
  start(handlers: HubHandlers): void;
  state(): 'connecting' | 'connected' | 'offline';
  figures(): HubFigures;
  /**
   * Sets the reported properties. Top-level keys that are absent keep their values in the twin. They are sent as a
   * difference: at most one patch per `minIntervalSeconds`, or at once when `urgent`.
   */
  report(properties: Json, minIntervalSeconds: number, urgent: boolean): void;
  send(message: OutputMessage): void;
  /** Sends what is left until the signal fires, and disconnects. */
  close(signal: AbortSignal): Promise<void>;
}

/** Handlers of what arrives from the cloud. */
export interface HubHandlers {
  /** The direct methods, by name. */
  readonly methods: Methods;
  /** Called with all desired properties, `$version` included, whenever they are read or patched. */
  onDesired(desired: Json): void;
}

/** Deadlines and intervals, in seconds. */
export interface HubTimings extends SessionDeadlines {
  /** How often the twin is read again, which detects a session without subscriptions and a lost push. */
  readonly reread: number;
  /** The same while edgeHub has no copy of the twin: it may never push it. */
  readonly rereadUnknown: number;
}

const defaultTimings: HubTimings = { open: 30, call: 15, close: 2, reread: 900, rereadUnknown: 30 };

export interface HubOptions {
  readonly open: OpenSession;
  readonly log: HubLog;
  readonly random: () => number;
  readonly now: () => Date;
  readonly timings?: HubTimings;
  /** The reported properties that were last acknowledged to an earlier process. */
  readonly acknowledged?: Json | undefined;
  /** Called with all acknowledged properties after each patch. */
  onAcknowledged?(reported: Json): void;
  /** Messages that an earlier process could not send. */
  readonly unsent?: readonly OutputMessage[] | undefined;
  /** Called with the unsent messages whenever they change. */
  onUnsent?(messages: readonly OutputMessage[]): void;
}

/** Once started, connects and reconnects until it is closed. An unreachable hub is a state, never an error. */
export function createHub(options: HubOptions): Hub {
  const { log, random, timings = defaultTimings } = options;
  const stopping = new AbortController();
  const drained = createWakeup();
  const wakeup = createWakeup();
  const desired = createDesiredCopy();
  const outbox = createOutbox(() => performance.now(), options.acknowledged);
  for (const message of options.unsent ?? []) outbox.send(message);
  const sender = createSender({ ...options, outbox });
  let state: ReturnType<Hub['state']> = 'connecting';
  let closing = false;
  let over = Promise.resolve();

  const session = ({ methods, onDesired }: HubHandlers, onConnected: () => void): Promise<never> =>
    runSession({
      open: (events, signal) => options.open(methods, events, signal),
      twin: createTwinReader({
        desired,
        rereadSeconds: timings.reread,
        rereadUnknownSeconds: timings.rereadUnknown,
        log,
        onDesired,
        onReported: outbox.setAcknowledged,
      }),
      sender,
      wakeup,
      deadlines: timings,
      log,
      signal: stopping.signal,
      onConnected() {
        if (state !== 'connected') log.info({}, 'Connected to edgeHub');
        state = 'connected';
        onConnected();
      },
      onIdle() {
        if (closing) drained.ring();
      },
    });

  return {
    start(handlers) {
      over = keepConnected({
        session: (onConnected) => session(handlers, onConnected),
        onFailure(error, seconds) {
          state = 'offline';
          log.warn({ err: error, retrySeconds: Number(seconds.toFixed(1)) }, 'No connection to edgeHub');
        },
        random,
        signal: stopping.signal,
      });
    },
    state: () => state,
    figures: sender.figures,
    report(properties, minIntervalSeconds, urgent) {
      outbox.report(properties, minIntervalSeconds, urgent);
      wakeup.ring();
    },
    send(message) {
      const problem = messageProblem(message);
      // In the outbox it would end every session that tries to send it.
      if (problem) return log.error({ problem }, 'Dropped a message that is too large to send');
      outbox.send(message);
      options.onUnsent?.(outbox.unsent());
      wakeup.ring();
    },
    async close(signal) {
      closing = true;
      outbox.skipInterval();
      wakeup.ring();
      // The signal ends the wait; that is no error here.
      if (state === 'connected') await drained.wait(Number.POSITIVE_INFINITY, signal).catch(() => {});
      stopping.abort(new Error('The agent is stopping'));
      await over;
      state = 'offline';
    },
  };
}
