import type { Dir } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path/posix';
import picomatch from 'picomatch';
import { CannotTell } from '../../check.ts';
import { cannotRead } from './access.ts';

/** What makes a segment of a path a pattern. */
const wildcard = /[*?[{]/;
/** What a folder may hold and a pattern may match. More is refused rather than cut short. */
const mostEntries = 20_000;

/** The real path on our side of something the VM has; throws where it was not given. */
type Locate = (path: string) => Promise<string>;

/**
 * The VM's paths of all regular files that match a glob, sorted. See `Files.find`. What matches and cannot be looked
 * into, a link in circles for instance, counts: reading it tells why, and the others are found all the same.
 */
export async function findMatches(
  pattern: string,
  locate: Locate,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (pattern.includes('**')) {
    throw new CannotTell('unreadable', `${pattern} has a "**"; name each folder level with a "*"`);
  }
  const segments = pattern.split('/').filter(Boolean);
  const first = segments.findIndex((segment) => wildcard.test(segment));
  if (first < 0) return (await isFile(pattern, locate)) ? [pattern] : [];

  const files: string[] = [];
  let found: readonly Found[] = [{ path: `/${segments.slice(0, first).join('/')}`, regular: false }];
  for (const [depth, segment] of segments.slice(first).entries()) {
    const next: Found[] = [];
    for (const { path, regular } of found) {
      signal.throwIfAborted();
      if (regular) continue;
      if (!wildcard.test(segment)) {
        next.push({ path: join(path, segment), regular: false });
        continue;
      }
      const folder = await openFolder(path, locate);
      if (!(folder instanceof CannotTell)) next.push(...(await matching(path, folder, segment)));
      // The folder the pattern starts from must be there; of those it matched, any may be a file.
      else if (depth === 0) throw folder;
      else if (folder.reason !== 'not_found') files.push(path);
      if (next.length > mostEntries) throw tooMany(pattern);
    }
    found = next;
  }

  for (const { path, regular } of found) {
    signal.throwIfAborted();
    if (regular || (await isFile(path, locate))) files.push(path);
  }
  return files.sort();
}

/** Something a pattern has matched. `regular`: the folder's own listing says that it is a regular file. */
interface Found {
  readonly path: string;
  readonly regular: boolean;
}

/** A folder's listing, or why there is none. */
async function openFolder(folder: string, locate: Locate): Promise<Dir | CannotTell> {
  try {
    return await opendir(await locate(folder), { bufferSize: 1024 });
  } catch (error) {
    return cannotRead(folder, error);
  }
}

async function matching(folder: string, listing: Dir, segment: string): Promise<Found[]> {
  const matches = picomatch(segment, { nonegate: true, noextglob: true, posix: true });
  const found: Found[] = [];
  try {
    let entries = 0;
    for await (const entry of listing) {
      entries += 1;
      if (entries > mostEntries) throw tooMany(folder);
      if (matches(entry.name)) found.push({ path: join(folder, entry.name), regular: entry.isFile() });
    }
  } catch (error) {
    throw cannotRead(folder, error);
  }
  return found;
}

/**
 * Links are followed, and one that leads nowhere is no file. One that cannot be followed to its end may well lead to
 * a file, where nothing was given for instance: it counts, so that reading it tells what to do.
 */
async function isFile(path: string, locate: Locate): Promise<boolean> {
  try {
    return (await stat(await locate(path))).isFile();
  } catch (error) {
    return cannotRead(path, error).reason !== 'not_found';
  }
}

const tooMany = (where: string) =>
  new CannotTell('unreadable', `${where} has more than ${mostEntries} entries; name fewer`);
