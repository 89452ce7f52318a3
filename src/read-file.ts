import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';

interface Limits {
  readonly maxBytes: number;
  /** False for a resolved path: a link that has replaced the file since is rejected with `ELOOP`. */
  readonly followLink?: boolean;
}

/**
 * The bytes of a regular file. Rejects FIFOs, devices, folders and larger files: they could block one of Node.js's few
 * file threads, and the process cannot exit before those have finished.
 *
 * @throws the system error, or an error that describes what was found instead; the message may lack the path. When the
 *   signal fires, its reason.
 */
export async function readRegularFile(
  path: string,
  { maxBytes, followLink = true }: Limits,
  signal?: AbortSignal,
): Promise<Buffer> {
  signal?.throwIfAborted();
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  const before = await stat(path);
  // Opening a device can have side effects: opening and closing a watchdog device resets the machine. A folder is opened
  // to get the error if it may not be read.
  if (!before.isFile() && !before.isDirectory()) throw notRegular();
  // O_NONBLOCK: if a FIFO has replaced the file since, opening it must not block.
  const handle = await open(path, O_RDONLY | O_NONBLOCK | (followLink ? 0 : O_NOFOLLOW));
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw notRegular();
    if (stats.size > maxBytes) throw tooLarge(stats.size, maxBytes);
    const chunks: Buffer[] = [];
    let length = 0;
    // A file may grow meanwhile, and files in /proc have size 0: only an empty read is the end.
    while (length <= maxBytes) {
      signal?.throwIfAborted();
      const buffer = Buffer.alloc(Math.max(4096, Math.min(stats.size, maxBytes) + 1 - length));
      const { bytesRead } = await handle.read(buffer);
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    if (length > maxBytes) throw tooLarge(length, maxBytes);
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

const notRegular = () => new Error('it is not a regular file');

const tooLarge = (bytes: number, maxBytes: number) =>
  new Error(`it has ${mebibytes(bytes)} MiB, the limit is ${mebibytes(maxBytes)} MiB`);

const mebibytes = (bytes: number): string => (bytes / 1_048_576).toFixed(1).replace(/\.0$/, '');
