import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CannotTell } from '../../../check.ts';
import { codeOf, describeFailure } from '../../../errors.ts';
import { readRegularFile } from '../../../read-file.ts';

/** The current text of a file. See {@link createSystemFile}. */
export type SystemFile = (signal: AbortSignal) => Promise<string>;

/**
 * A file that configures the system's resolver. Its text is kept, and read again once the file has changed. Empty if it is
 * absent or may not be read, as for glibc.
 *
 * @throws CannotTell `dns_failed` for a file that is too large or not a regular file.
 */
export function createSystemFile(path: string, maxBytes: number): SystemFile {
  let kept: { readonly stats: Stats; readonly text: string } | undefined;

  async function read(signal: AbortSignal): Promise<string> {
    const stats = await stat(path);
    if (kept && isSame(kept.stats, stats)) return kept.text;
    const text = (await readRegularFile(path, { maxBytes }, signal)).toString('latin1');
    // A file that has just been written may be written again within the resolution of its times.
    const settled = Date.now() - stats.ctimeMs > justWrittenMs;
    kept = settled && text.length <= maxKept ? { stats, text } : undefined;
    return text;
  }

  return async (signal) => {
    signal.throwIfAborted();
    try {
      return await read(signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (codeOf(cause) !== undefined) return '';
      throw new CannotTell('dns_failed', describeFailure(`${path} cannot be read`, cause), { cause });
    }
  };
}

const justWrittenMs = 2000;
/** A list of blocked names is not worth its memory. */
const maxKept = 65_536;

const isSame = (a: Stats, b: Stats): boolean =>
  a.dev === b.dev &&
  a.ino === b.ino &&
  a.size === b.size &&
  a.mtimeMs === b.mtimeMs &&
  a.ctimeMs === b.ctimeMs;
