import { createDesiredCopy } from './desired.ts';
import { messageProblem } from './limits.ts';
import type { Json } from './merge-patch.ts';
import { createMessenger } from './messages/messenger.ts';
import { createMessageQueue, maxMessages, type Summarise } from './messages/queue.ts';
import { keepConnected } from './reconnect.ts';
import { createOutbox } from './reports/outbox.ts';
import { createSender, type HubFigures } from './reports/sender.ts';
import type { HubLog, Methods, OpenSession, OutputMessage } from './session.ts';
import { runSession, type SessionDeadlines } from './session-loop.ts';
import { createStatusKeeper, type HubStatus } from './status.ts';
import { createTwinReader } from './twin-reader.ts';
import { createWakeup } from './wakeup.ts';

/** The connection to the cloud. Without a connection, the last report and the messages wait for the next one. */
export interface Hub {
  start(handlers: HubHandlers): void;
  status(): HubStatus;
  /** Calls `onChange` when the connection is made or lost or its problem is another, until the signal fires. */
  watch(onChange: (what: string) => void, signal: AbortSignal): void;
  figures(): HubFigures;
  /**
   * Sets the reported properties. Top-level keys that are absent keep their values in the twin. They are sent as a
   * difference: at most one patch per `minIntervalSeconds`, or at once when `urgent`.
   */
  report(properties: Json, minIntervalSeconds: number, urgent: boolean): void;
  send(message: OutputMessage): void;
  /** When edgeHub last acknowledged a message; undefined before the first. */
  sentAt(): Date | undefined;
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

// Without IoT Hub, edgeHub tries to reach it (CloudOperationTimeoutSecs, 20 s, for each of several operations) before it
// answers from its store: a first read was measured to take 78 s (iotedge issue 7150). Reports go to the store at once.
// Tokens are valid for an hour.
const defaultTimings: HubTimings = {
  open: 60,
  read: 120,
  report: 40,
  lateMessage: 15,
  close: 2,
  renew: 2700,
  reread: 900,
  rereadUnknown: 30,
};

export interface HubOptions {
  readonly open: OpenSession;
  readonly log: HubLog;
  readonly random: () => number;
  readonly now: () => Date;
  readonly timings?: HubTimings;
  /** All top-level keys that are ever reported; others in the twin are removed. */
  readonly keys: readonly string[];
  /** The reported properties that were last acknowledged to an earlier process. */
  readonly acknowledged?: Json | undefined;
  /** Called before each patch, to save what it acknowledges. */
  beforePatch?(patch: Json): Promise<void>;
  /** Called with all acknowledged properties after each patch. */
  onAcknowledged?(reported: Json): void;
  /** Messages that an earlier process could not send. */
  readonly unsent?: readonly OutputMessage[] | undefined;
  /** Called with the unsent messages whenever they change. */
  onUnsent?(messages: readonly OutputMessage[]): void;
  readonly summarise: Summarise;
}

/** Once started, connects and reconnects until it is closed. An unreachable hub is a state, never an error. */
export function createHub(options: HubOptions): Hub {
  const { log, random, now, timings = defaultTimings } = options;
  const stopping = new AbortController();
  const [wakeup, messageWakeup, drained] = [createWakeup(), createWakeup(), createWakeup()];
  const { acknowledged, keys, unsent = [], summarise } = options;
  const outbox = createOutbox({ now: () => performance.now(), acknowledged, keys });
  const queue = createMessageQueue({ unsent, summarise });
  const status = createStatusKeeper(now, log);
  const { uses } = status;
  const sender = createSender({ ...options, outbox, uses });
  const messenger = createMessenger({ ...options, queue, uses });
  /** What has nothing left to send, once the hub is being closed. */
  const idle = new Set<'report' | 'messages'>();
  let closing = false;
  let over = Promise.resolve();

  return {
    start({ methods, onDesired }) {
      const twin = createTwinReader({
        desired: createDesiredCopy(),
        rereadSeconds: timings.reread,
        rereadUnknownSeconds: timings.rereadUnknown,
        uses,
        onDesired,
        onReported: outbox.read,
      });
      const session = (onOpen: () => void) =>
        runSession({
          open: (events, signal) => options.open(methods, events, signal),
          ...{ twin, sender, messenger, uses, wakeup, messageWakeup, log, now },
          deadlines: timings,
          signal: stopping.signal,
          onAwait: status.awaits,
          onOpen,
          onConnected: status.connected,
          onIdle(what) {
            if (closing && idle.add(what).size === 2) drained.ring();
          },
        });
      over = keepConnected({ session, onFailure: status.failed, random, signal: stopping.signal });
    },
    status: status.status,
    watch: status.watch,
    figures: sender.figures,
    report(properties, minIntervalSeconds, urgent) {
      outbox.report(properties, minIntervalSeconds, urgent);
      wakeup.ring();
    },
    send(message) {
      const problem = messageProblem(message);
      // In the queue it would be retried indefinitely.
      if (problem) return log.error({ problem }, 'Dropped a message that is too large to send');
      if (queue.add(message)) {
        log.warn(
          { kept: maxMessages },
          'More messages than can be kept: one message will replace the oldest',
        );
      }
      options.onUnsent?.(queue.unsent());
      messageWakeup.ring();
    },
    sentAt: messenger.sentAt,
    async close(signal) {
      closing = true;
      outbox.skipInterval();
      wakeup.ring();
      messageWakeup.ring();
      // The signal ends the wait; that is no error here.
      if (status.status().state === 'connected') {
        await drained.wait(Number.POSITIVE_INFINITY, signal).catch(() => {});
      }
      stopping.abort(new Error('The agent is stopping'));
      await over;
      status.closed();
    },
  };
}
