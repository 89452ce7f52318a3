import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path/posix';
import picomatch from 'picomatch';
import { CannotTell } from '../check.ts';
import { cannotRead } from './access.ts';

/** What makes a segment of a path a pattern. */
const wildcard = /[*?[{]/;
/** What a folder may hold and a pattern may match. More is refused rather than cut short. */
const mostEntries = 20_000;

/** The real path on our side of something the VM has; throws where it was not given. */
type Locate = (path: string) => Promise<string>;

/** The VM's paths of all regular files that match a glob, sorted. See `Files.find`. */
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

  let found: readonly Found[] = [{ path: `/${segments.slice(0, first).join('/')}`, regular: false }];
  for (const [depth, segment] of segments.slice(first).entries()) {
    const next: Found[] = [];
    for (const { path, regular } of found) {
      signal.throwIfAborted();
      if (regular) continue;
      // The folder the pattern starts from must be there; of those it matched, any may be a file.
      const matched = wildcard.test(segment)
        ? await matching(path, segment, locate, depth > 0)
        : [{ path: join(path, segment), regular: false }];
      next.push(...matched);
      if (next.length > mostEntries) throw tooMany(pattern);
    }
    found = next;
  }

  const files: string[] = [];
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

async function matching(
  folder: string,
  segment: string,
  locate: Locate,
  mayBeMissing: boolean,
): Promise<Found[]> {
  const matches = picomatch(segment, { nonegate: true, noextglob: true, posix: true });
  const found: Found[] = [];
  try {
    let entries = 0;
    for await (const entry of await opendir(await locate(folder), { bufferSize: 1024 })) {
      entries += 1;
      if (entries > mostEntries) throw tooMany(folder);
      if (matches(entry.name)) found.push({ path: join(folder, entry.name), regular: entry.isFile() });
    }
  } catch (error) {
    const cannot = cannotRead(folder, error);
    if (mayBeMissing && cannot.reason === 'not_found') return [];
    throw cannot;
  }
  return found;
}

/**
 * Links are followed, and one that leads nowhere is no file. One that leads to where nothing was given may well be
 * a file: it counts, so that reading it tells what to mount.
 */
async function isFile(path: string, locate: Locate): Promise<boolean> {
  let real: string;
  try {
    real = await locate(path);
  } catch (error) {
    if (error instanceof CannotTell && error.reason === 'no_access') return true;
    throw cannotRead(path, error);
  }
  try {
    return (await stat(real)).isFile();
  } catch (error) {
    const cannot = cannotRead(path, error);
    if (cannot.reason === 'not_found') return false;
    throw cannot;
  }
}

const tooMany = (where: string) =>
  new CannotTell('unreadable', `${where} has more than ${mostEntries} entries; name fewer`);
