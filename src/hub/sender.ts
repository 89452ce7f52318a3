import type { Json } from './merge-patch.ts';
import type { Outbox } from './outbox.ts';
import { type HubLog, PatchRejected, type Session } from './session.ts';

/** What was sent since the start. */
export interface HubFigures {
  /** When the hub last acknowledged reported properties. */
  readonly lastSuccess: Date | undefined;
  readonly patches: number;
  readonly patchBytes: number;
}

/** Sends the report of the outbox as patches, one at a time, and counts them. */
export interface Sender {
  /**
   * Sends the next patch and resolves with 0, or with the milliseconds until there may be one. Rejects when the session
   * fails; the report then stays in the outbox.
   */
  sendNext(session: Session): Promise<number>;
  figures(): HubFigures;
}

export interface SenderOptions {
  readonly outbox: Outbox;
  readonly log: HubLog;
  readonly now: () => Date;
  /** Called before each patch, to save what it acknowledges. */
  beforePatch?(patch: Json): Promise<void>;
  onAcknowledged?(reported: Json): void;
}

export function createSender(options: SenderOptions): Sender {
  const { outbox, log, now } = options;
  let figures: HubFigures = { lastSuccess: undefined, patches: 0, patchBytes: 0 };

  async function sendPatch(session: Session, patch: Json): Promise<void> {
    await options.beforePatch?.(patch);
    try {
      await session.update(patch);
    } catch (error) {
      if (!(error instanceof PatchRejected)) throw error;
      log.error({ err: error }, 'edgeHub rejected the report, it will be retried');
      outbox.rejected();
      return;
    }
    const reported = outbox.accepted(patch);
    options.onAcknowledged?.(reported);
    figures = {
      lastSuccess: now(),
      patches: figures.patches + 1,
      patchBytes: figures.patchBytes + Buffer.byteLength(JSON.stringify(patch)),
    };
  }

  return {
    figures: () => figures,
    async sendNext(session) {
      const next = outbox.next();
      if ('idleMs' in next) return next.idleMs;
      if ('patch' in next) await sendPatch(session, next.patch);
      else {
        log.error({ problems: next.problems }, 'The report was not sent, IoT Hub would reject it');
        outbox.rejected();
      }
      return 0;
    },
  };
}
