import { setTimeout } from 'node:timers/promises';
import { never, within } from '../deadline.ts';
import { backoffSeconds } from './backoff.ts';
import { createDesiredCopy } from './desired.ts';
import { messageProblem } from './limits.ts';
import type { Json } from './merge-patch.ts';
import { createOutbox } from './outbox.ts';
import {
  type OpenSession,
  type OutputMessage,
  PatchRefused,
  type Session,
  type SessionEvents,
} from './session.ts';
import type { Methods } from './transport.ts';
import { createWakeup } from './wakeup.ts';

/** The way to the cloud. What is said while the hub is away is sent when it is back: of reports, the last. */
export interface Hub {
  /** Begins to connect. */
  start(handlers: HubHandlers): void;
  state(): 'connecting' | 'connected' | 'offline';
  figures(): HubFigures;
  /**
   * What the reported properties shall be. Top-level keys that are absent stay as they are in the twin. Sent as a
   * difference, at most one each `minIntervalSeconds`, or at once when it is `urgent`.
   */
  report(properties: Json, minIntervalSeconds: number, urgent: boolean): void;
  send(message: OutputMessage): void;
  /** Sends what is still to be said, as long as the signal allows, and ends. */
  close(signal: AbortSignal): Promise<void>;
}

/** What was sent since the start. */
export interface HubFigures {
  /** When the hub last acknowledged reported properties. */
  readonly lastSuccess: Date | undefined;
  readonly patches: number;
  readonly patchBytes: number;
}

/** What the hub calls when the cloud has something to say. */
export interface HubHandlers {
  /** The direct methods, by name. */
  readonly methods: Methods;
  /** Called with the whole desired properties, `$version` included, each time they are read or patched. */
  onDesired(desired: Json): void;
}

export interface HubOptions {
  readonly open: OpenSession;
  readonly log: HubLog;
  readonly random: () => number;
  readonly now: () => Date;
  readonly limits?: HubLimits;
  /** The reported properties that were last acknowledged, to an earlier process. */
  readonly acknowledged?: Json | undefined;
  onAcknowledged?(reported: Json): void;
  /** Messages an earlier process has left unsent. */
  readonly unsent?: readonly OutputMessage[] | undefined;
  /** Hears what is still unsent each time that changes. */
  onUnsent?(messages: readonly OutputMessage[]): void;
}

/** The part of a logger that is used; an error goes under `err`. */
export interface HubLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** Seconds. */
export interface HubLimits {
  readonly open: number;
  /** For one answer. A client whose subscriptions edgeHub forgot never gets any. */
  readonly call: number;
  readonly close: number;
  /** How often the twin is read again, which finds a session gone deaf and a push that was lost. */
  readonly canary: number;
  /** The same while edgeHub does not know the twin: nobody promises to push it. */
  readonly unknown: number;
}

const defaultLimits: HubLimits = { open: 30, call: 15, close: 2, canary: 900, unknown: 30 };

/** Once started, connects and connects again until it is closed. An unreachable hub is a state, never an error. */
export function createHub(options: HubOptions): Hub {
  const { log } = options;
  const limits = options.limits ?? defaultLimits;
  const stopping = new AbortController();
  const drained = createWakeup();
  const desired = createDesiredCopy();
  const outbox = createOutbox(() => performance.now(), options.acknowledged);
  const wakeup = createWakeup();
  for (const message of options.unsent ?? []) outbox.send(message);
  let handlers: HubHandlers = { methods: {}, onDesired: () => {} };
  let state: ReturnType<Hub['state']> = 'connecting';
  let closing = false;
  let figures: HubFigures = { lastSuccess: undefined, patches: 0, patchBytes: 0 };

  async function connectForEver(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      try {
        await live(() => {
          failures = 0;
        });
      } catch (error) {
        if (stopping.signal.aborted) return;
        state = 'offline';
        const retrySeconds = backoffSeconds(failures, options.random);
        failures += 1;
        log.warn({ err: error, retrySeconds: Number(retrySeconds.toFixed(1)) }, 'No connection to edgeHub');
        // Whether it goes on is asked above.
        await setTimeout(retrySeconds * 1000, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  }

  /** One session from open to end. Always ends by throwing. */
  async function live(onConnected: () => void): Promise<never> {
    const ended = new AbortController();
    // Not AbortSignal.any(): in Node 20 a signal that lives on keeps a reference for each that was made of it.
    const onStop = () => ended.abort(stopping.signal.reason);
    stopping.signal.addEventListener('abort', onStop);
    try {
      return await liveUntil(ended, onConnected);
    } finally {
      stopping.signal.removeEventListener('abort', onStop);
    }
  }

  async function liveUntil(ended: AbortController, onConnected: () => void): Promise<never> {
    const alive = ended.signal;
    let readAt = 0;
    let toldUnknown = false;
    // While the twin is read the SDK tells the whole of it as if it were a patch.
    let held: Json[] | undefined;
    const take = (patch: Json, duringRead: boolean) => {
      const how = desired.patch(patch);
      if (how === 'applied') handlers.onDesired(desired.document());
      // Outside of a read a repeat is as odd as a gap: the twin may have been made anew.
      if (how === 'gap' || (how === 'old' && !duringRead)) readAt = 0;
      wakeup.ring();
    };
    const call = <T>(work: () => Promise<T>) => within(limits.call, alive, work);
    const session = await open({
      onEnd: (error) => ended.abort(error),
      onError: (error) => log.error({ err: error }, 'The IoT Hub client complained'),
      onDesired: (patch) => (held ? void held.push(patch) : take(patch, false)),
    });
    try {
      for (;;) {
        if (performance.now() >= readAt) {
          held = [];
          const twin = await call(() => session.readTwin());
          const { $version, ...reported } = twin.reported;
          // Without a version edgeHub has made the twin up; what was acknowledged before still counts.
          if ($version !== undefined) outbox.holds(reported);
          const known = desired.replace(twin.desired);
          readAt = performance.now() + (known ? limits.canary : limits.unknown) * 1000;
          if (known) handlers.onDesired(desired.document());
          else if (!toldUnknown)
            log.warn({}, 'edgeHub does not know the twin yet, nothing changes until it does');
          toldUnknown = !known;
          const meanwhile: readonly Json[] = held;
          held = undefined;
          for (const patch of meanwhile) take(patch, true);
          if (state !== 'connected') log.info({}, 'Connected to edgeHub');
          state = 'connected';
          onConnected();
        }
        const idleMs = await sendNext(session, call);
        if (idleMs > 0) await wakeup.wait(Math.min(idleMs, readAt - performance.now()), alive);
      }
    } finally {
      await close(session).catch((error: unknown) =>
        log.warn({ err: error }, 'The session with edgeHub did not close, its connection was cut'),
      );
    }
  }

  /** Milliseconds to wait for the next thing to send; 0 after one was sent. */
  async function sendNext(
    session: Session,
    call: <T>(work: () => Promise<T>) => Promise<T>,
  ): Promise<number> {
    const next = outbox.next();
    if ('message' in next) {
      await call(() => session.send(next.message));
      outbox.sent(next.message);
      options.onUnsent?.(outbox.unsent());
      return 0;
    }
    if ('patch' in next) {
      try {
        await call(() => session.update(next.patch));
        const reported = outbox.accepted(next.patch);
        options.onAcknowledged?.(reported);
        figures = {
          lastSuccess: options.now(),
          patches: figures.patches + 1,
          patchBytes: figures.patchBytes + Buffer.byteLength(JSON.stringify(next.patch)),
        };
      } catch (error) {
        if (!(error instanceof PatchRefused)) throw error;
        log.error({ err: error }, 'The report was refused, it will be sent again');
        outbox.refused();
      }
      return 0;
    }
    if ('problems' in next) {
      log.error({ problems: next.problems }, 'The report is not sent, IoT Hub would refuse it');
      outbox.refused();
      return 0;
    }
    if (closing) drained.ring();
    return next.idleMs;
  }

  async function open(events: SessionEvents): Promise<Session> {
    let opening: Promise<Session> | undefined;
    try {
      return await within(limits.open, stopping.signal, (signal) => {
        opening = options.open(handlers.methods, events, signal);
        return opening;
      });
    } catch (error) {
      // Should it open after all, nobody waits for it any more.
      opening?.then(close).catch(() => {});
      throw error;
    }
  }

  const close = (session: Session): Promise<void> =>
    within(limits.close, never, (signal) => session.close(signal));

  let over = Promise.resolve();
  return {
    start(given) {
      handlers = given;
      over = connectForEver();
    },
    state: () => state,
    figures: () => figures,
    report(properties, minIntervalSeconds, urgent) {
      outbox.report(properties, minIntervalSeconds, urgent);
      wakeup.ring();
    },
    send(message) {
      const problem = messageProblem(message);
      // Kept, it would end every session that tries to send it.
      if (problem) return log.error({ problem }, 'A message is dropped, it could never be sent');
      outbox.send(message);
      options.onUnsent?.(outbox.unsent());
      wakeup.ring();
    },
    async close(signal) {
      closing = true;
      outbox.hurry();
      wakeup.ring();
      // Until the signal fires, which is no error here.
      if (state === 'connected') await drained.wait(Number.POSITIVE_INFINITY, signal).catch(() => {});
      stopping.abort(new Error('The agent is stopping'));
      await over;
      state = 'offline';
    },
  };
}
