import type { Json } from '../merge-patch.ts';
import { PatchRejected, type Session } from '../session.ts';
import type { Uses } from '../uses.ts';
import type { Outbox } from './outbox.ts';

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
   * fails, or with the signal's reason when it has ended; the report then stays in the outbox.
   */
  sendNext(session: Session, alive: AbortSignal): Promise<number>;
  figures(): HubFigures;
}

export interface SenderOptions {
  readonly outbox: Outbox;
  readonly uses: Uses;
  readonly now: () => Date;
  /** Called before each patch, to save what it acknowledges. */
  beforePatch?(patch: Json): Promise<void>;
  onAcknowledged?(reported: Json): void;
}

export function createSender(options: SenderOptions): Sender {
  const { outbox, uses, now } = options;
  let figures: HubFigures = { lastSuccess: undefined, patches: 0, patchBytes: 0 };

  async function sendPatch(session: Session, patch: Json, alive: AbortSignal): Promise<void> {
    await options.beforePatch?.(patch);
    try {
      await session.update(patch);
    } catch (error) {
      alive.throwIfAborted();
      if (error instanceof Error) uses.failed('reports', error);
      if (!(error instanceof PatchRejected)) throw error;
      outbox.rejected();
      return;
    }
    uses.worked('reports');
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
    async sendNext(session, alive) {
      const next = outbox.next();
      if ('idleMs' in next) {
        // A report that was rejected may have become what edgeHub has.
        if (next.idleMs === Number.POSITIVE_INFINITY) uses.worked('reports');
        return next.idleMs;
      }
      if ('patch' in next) await sendPatch(session, next.patch, alive);
      else {
        const cause = new Error(next.problems.join('; '));
        uses.failed('reports', new Error('IoT Hub would reject the report', { cause }));
        outbox.rejected();
      }
      return 0;
    },
  };
}
