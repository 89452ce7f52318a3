import type { DesiredCopy } from './desired.ts';
import { createHourlyBudget } from './limits.ts';
import type { Json } from './merge-patch.ts';
import type { Session } from './session.ts';
import type { Uses } from './uses.ts';

/** Keeps the copy of the desired properties current. */
export interface TwinReader {
  /** A session begins: the twin has to be read. */
  begin(): void;
  /** Takes a patch that edgeHub pushed. */
  push(patch: Json): void;
  /** A patch was missed. Returns whether the twin will be read because of that, and not already for another reason. */
  missed(): boolean;
  /** Milliseconds until the twin must be read; at most 0 when it must be read now. */
  dueInMs(): number;
  read(session: Session): Promise<void>;
  /** Whether a read is under way. */
  reading(): boolean;
}

export interface TwinReaderOptions {
  readonly desired: DesiredCopy;
  readonly rereadSeconds: number;
  readonly rereadUnknownSeconds: number;
  readonly uses: Uses;
  /** Called with all desired properties whenever they were read or patched. */
  onDesired(desired: Json): void;
  /** Called with all reported properties of the hub. Returns the milliseconds after which they have to be read again. */
  onReported(reported: Json): number | undefined;
}

// Missed patches cause a read at once, but not more of them than this: each read costs a message of the IoT hub.
const maxUrgentPerHour = 30;
const urgentEveryMs = 60_000;

export function createTwinReader(options: TwinReaderOptions): TwinReader {
  const { desired, uses } = options;
  let readAtMs = 0;
  const budget = createHourlyBudget(maxUrgentPerHour);
  // Patches that arrive during a read are held until it is done: they may be older than what is read.
  let held: Json[] | undefined;
  // A patch that was missed during a read may be newer than what is read.
  let missedDuringRead = false;

  function missed(): boolean {
    if (held) {
      const first = !missedDuringRead;
      missedDuringRead = true;
      return first;
    }
    const now = performance.now();
    const at = budget.hasRoom(now) ? now : Math.max(now, budget.last() + urgentEveryMs);
    if (at >= readAtMs) return false;
    budget.spend(at);
    readAtMs = at;
    return true;
  }

  function apply(patch: Json, duringRead: boolean): void {
    const result = desired.patch(patch);
    if (result === 'applied') options.onDesired(desired.document());
    // A repeat outside a read is as suspicious as a gap: the twin may have been recreated.
    if (result === 'gap' || (result === 'old' && !duringRead)) missed();
  }

  return {
    begin() {
      held = undefined;
      missedDuringRead = false;
      readAtMs = 0;
    },
    push(patch) {
      if (held) held.push(patch);
      else apply(patch, false);
    },
    missed,
    reading: () => held !== undefined,
    dueInMs: () => readAtMs - performance.now(),
    async read(session) {
      const patches: Json[] = [];
      held = patches;
      const twin = await session.readTwin();
      // A twin without a version was made up by edgeHub; earlier acknowledgements stay valid.
      const again = twin.reported.$version === undefined ? undefined : options.onReported(own(twin.reported));
      const known = desired.replace(twin.desired);
      const nextMs = (known ? options.rereadSeconds : options.rereadUnknownSeconds) * 1000;
      readAtMs = performance.now() + Math.min(nextMs, again ?? nextMs);
      if (known) {
        uses.worked('twin');
        options.onDesired(desired.document());
      } else {
        uses.failed('twin', new Error('edgeHub has no copy of the module twin, so no policy can arrive'));
      }
      held = undefined;
      if (missedDuringRead) missed();
      missedDuringRead = false;
      for (const patch of patches) apply(patch, true);
    },
  };
}

/** Without `$version` and the like, which belong to the hub. */
const own = (properties: Json): Json =>
  Object.fromEntries(Object.entries(properties).filter(([key]) => !key.startsWith('$')));
