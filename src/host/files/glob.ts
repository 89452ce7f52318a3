import type { Dir } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path/posix';
import { CannotTell } from '../../check.ts';
import { cannotRead, isMissing } from './access.ts';
import { segmentMatcher } from './segment-matcher.ts';

/** The characters that make a path segment a pattern. */
const wildcard = /[*?[{]/;
/** Limit for the entries of a folder and the matches of a pattern. More is refused rather than truncated. */
const maxEntries = 20_000;

/**
 * The real path on our side of a path of the VM. Rejects with a {@link CannotTell} where it is not mounted, and where a link
 * on the way has no target.
 */
type Locate = (path: string) => Promise<string>;

/** What a pattern finds besides regular files: nothing, or everything that is no folder. */
type Kind = 'files' | 'no folders';

/**
 * The VM's paths of all regular files, or of everything that is no folder, that match a glob, sorted. See `Files.find`. A match that cannot be examined, such
 * as a circular or dangling link, is included: reading it reports why, and the others are still found.
 */
export async function findMatches(
  pattern: string,
  kind: Kind,
  locate: Locate,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (pattern.includes('**')) {
    throw new CannotTell('unreadable', `${pattern} has a "**"; name each folder level with a "*"`);
  }
  const segments = pattern.split('/').filter(Boolean);
  const first = segments.findIndex((segment) => wildcard.test(segment));
  if (first < 0) return (await isKind(kind, pattern, locate)) ? [pattern] : [];

  const files: string[] = [];
  let found: readonly Found[] = [{ path: `/${segments.slice(0, first).join('/')}`, regular: false }];
  for (const [depth, segment] of segments.slice(first).entries()) {
    const next: Found[] = [];
    const matches = wildcard.test(segment) ? matcherFor(segment, pattern) : undefined;
    for (const { path, regular } of found) {
      signal.throwIfAborted();
      if (regular) continue;
      if (!matches) {
        next.push({ path: join(path, segment), regular: false });
        continue;
      }
      const folder = await openFolder(path, locate);
      if (!(folder instanceof Error)) next.push(...(await matching(path, folder, matches)));
      // The folder where the pattern starts must exist; a match below it may be a file.
      else if (depth === 0) throw cannotRead(path, folder);
      else if (!isMissing(folder)) files.push(path);
      if (next.length > maxEntries) throw tooMany(pattern);
    }
    found = next;
  }

  for (const { path, regular } of found) {
    signal.throwIfAborted();
    if (regular || (await isKind(kind, path, locate))) files.push(path);
  }
  return files.sort();
}

/** A match of a pattern. `regular`: the folder's listing says that it is a regular file. */
interface Found {
  readonly path: string;
  readonly regular: boolean;
}

/** A folder's listing, or the error that opening it failed with. */
const openFolder = (folder: string, locate: Locate): Promise<Dir | Error> =>
  locate(folder)
    .then((real) => opendir(real, { bufferSize: 1024 }))
    .catch((error: Error) => error);

function matcherFor(segment: string, pattern: string): (name: string) => boolean {
  try {
    return segmentMatcher(segment);
  } catch (cause) {
    throw new CannotTell('unreadable', `The pattern ${pattern} cannot be used`, { cause });
  }
}

async function matching(folder: string, listing: Dir, matches: (name: string) => boolean): Promise<Found[]> {
  const found: Found[] = [];
  try {
    let entries = 0;
    for await (const entry of listing) {
      entries += 1;
      if (entries > maxEntries) throw tooMany(folder);
      if (matches(entry.name)) found.push({ path: join(folder, entry.name), regular: entry.isFile() });
    }
  } catch (error) {
    throw cannotRead(folder, error);
  }
  return found;
}

/** Links are followed. One that cannot be followed to its end is included, so that reading it reports what to do. */
async function isKind(kind: Kind, path: string, locate: Locate): Promise<boolean> {
  try {
    const stats = await stat(await locate(path));
    return kind === 'files' ? stats.isFile() : !stats.isDirectory();
  } catch (error) {
    return !isMissing(error);
  }
}

const tooMany = (where: string) =>
  new CannotTell('unreadable', `${where} has more than ${maxEntries} entries; name fewer`);
