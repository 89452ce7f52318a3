import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';

interface Limits {
  readonly mostBytes: number;
  /** False for a path that was resolved just now: a link in its place since then is refused with `ELOOP`. */
  readonly followLink?: boolean;
}

/**
 * The bytes of a regular file. A FIFO, a device, a folder or a file of more bytes is refused: nothing may hold up one
 * of the few threads that Node.js reads with, for the process cannot end before they do.
 *
 * @throws the system error, or an error that tells what is there instead; neither needs to name the path. Once the
 *   signal fires, its reason.
 */
export async function readRegularFile(
  path: string,
  { mostBytes, followLink = true }: Limits,
  signal?: AbortSignal,
): Promise<Buffer> {
  signal?.throwIfAborted();
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  const before = await stat(path);
  // Opening is not harmless: a watchdog device, once opened and closed, resets the machine. A folder is opened for the
  // error of one that may not be read.
  if (!before.isFile() && !before.isDirectory()) throw notRegular();
  // Whatever has come in its place since, a FIFO for instance, must not hold the opening up.
  const handle = await open(path, O_RDONLY | O_NONBLOCK | (followLink ? 0 : O_NOFOLLOW));
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw notRegular();
    if (stats.size > mostBytes) throw tooLarge(stats.size, mostBytes);
    const chunks: Buffer[] = [];
    let length = 0;
    // A file may grow meanwhile, and those of /proc say that they are empty: the end is where nothing more comes.
    while (length <= mostBytes) {
      signal?.throwIfAborted();
      const buffer = Buffer.alloc(Math.max(4096, Math.min(stats.size, mostBytes) + 1 - length));
      const { bytesRead } = await handle.read(buffer);
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    if (length > mostBytes) throw tooLarge(length, mostBytes);
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

const notRegular = () => new Error('it is not a regular file');

const tooLarge = (bytes: number, mostBytes: number) =>
  new Error(`it has ${mebibytes(bytes)} MiB, and more than ${mebibytes(mostBytes)} MiB is not read`);

const mebibytes = (bytes: number): string => (bytes / 1_048_576).toFixed(1).replace(/\.0$/, '');
