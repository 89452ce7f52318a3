import type { DesiredCopy } from './desired.ts';
import type { Json } from './merge-patch.ts';
import type { HubLog, Session } from './session.ts';

/** Keeps the copy of the desired properties current during one session. */
export interface TwinReader {
  /** Takes a patch that edgeHub pushed. */
  push(patch: Json): void;
  /** Milliseconds until the twin must be read; at most 0 when it must be read now. */
  dueInMs(): number;
  read(session: Session): Promise<void>;
}

export interface TwinReaderOptions {
  /** The copy of the desired properties; it outlives the session. */
  readonly desired: DesiredCopy;
  readonly rereadSeconds: number;
  readonly rereadUnknownSeconds: number;
  readonly log: HubLog;
  /** Called with all desired properties whenever they were read or patched. */
  onDesired(desired: Json): void;
  /** Called with all reported properties of the hub, without `$version`. */
  onReported(reported: Json): void;
}

export function createTwinReader(options: TwinReaderOptions): TwinReader {
  const { desired, log } = options;
  let readAtMs = 0;
  let unknownLogged = false;
  // The SDK also emits a twin that is read as a patch, so patches are held until the read is done.
  let held: Json[] | undefined;

  function apply(patch: Json, duringRead: boolean): void {
    const result = desired.patch(patch);
    if (result === 'applied') options.onDesired(desired.document());
    // A repeat outside a read is as suspicious as a gap: the twin may have been recreated.
    if (result === 'gap' || (result === 'old' && !duringRead)) readAtMs = 0;
  }

  return {
    push(patch) {
      if (held) held.push(patch);
      else apply(patch, false);
    },
    dueInMs: () => readAtMs - performance.now(),
    async read(session) {
      const patches: Json[] = [];
      held = patches;
      const twin = await session.readTwin();
      const { $version, ...reported } = twin.reported;
      // A twin without a version was made up by edgeHub; earlier acknowledgements stay valid.
      if ($version !== undefined) options.onReported(reported);
      const known = desired.replace(twin.desired);
      const nextSeconds = known ? options.rereadSeconds : options.rereadUnknownSeconds;
      readAtMs = performance.now() + nextSeconds * 1000;
      if (known) options.onDesired(desired.document());
      else if (!unknownLogged) {
        log.warn({}, 'edgeHub has no copy of the twin yet, waiting for it');
      }
      unknownLogged = !known;
      held = undefined;
      for (const patch of patches) apply(patch, true);
    },
  };
}
