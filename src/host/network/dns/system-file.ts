import { CannotTell } from '../../../check.ts';
import { codeOf, describeFailure } from '../../../errors.ts';
import { readRegularFile } from '../../../read-file.ts';

/**
 * The text of a file that configures the system's resolver. Empty if it is absent or may not be read, as for glibc.
 *
 * @throws CannotTell `dns_failed` for a file that is too large or not a regular file.
 */
export async function readSystemFile(path: string, maxBytes: number, signal: AbortSignal): Promise<string> {
  try {
    return (await readRegularFile(path, { maxBytes }, signal)).toString('latin1');
  } catch (cause) {
    signal.throwIfAborted();
    if (codeOf(cause) !== undefined) return '';
    throw new CannotTell('dns_failed', describeFailure(`${path} cannot be read`, cause), { cause });
  }
}
