import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path/posix';
import picomatch from 'picomatch';
import { CannotTell } from '../check.ts';
import { cannotRead } from './access.ts';

/** What makes a segment of a path a pattern. */
const wildcard = /[*?[{]/;
const mostFiles = 1000;
const mostEntries = 10_000;

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

  let found = [`/${segments.slice(0, first).join('/')}`];
  for (const [depth, segment] of segments.slice(first).entries()) {
    const next: string[] = [];
    for (const folder of found) {
      signal.throwIfAborted();
      // The folder the pattern starts from must be there; of those it matched, any may be a file.
      const names = wildcard.test(segment)
        ? await matchingNames(folder, segment, locate, depth > 0)
        : [segment];
      next.push(...names.map((name) => join(folder, name)));
      if (next.length > mostEntries) throw tooMany(pattern, mostEntries);
    }
    found = next;
  }

  const files: string[] = [];
  for (const path of found) {
    signal.throwIfAborted();
    if (await isFile(path, locate)) files.push(path);
    if (files.length > mostFiles) throw tooMany(pattern, mostFiles);
  }
  return files.sort();
}

async function matchingNames(
  folder: string,
  segment: string,
  locate: Locate,
  mayBeMissing: boolean,
): Promise<string[]> {
  const matches = picomatch(segment, { nonegate: true, noextglob: true, posix: true });
  const names: string[] = [];
  try {
    let entries = 0;
    for await (const { name } of await opendir(await locate(folder))) {
      entries += 1;
      if (entries > mostEntries) throw tooMany(folder, mostEntries);
      if (matches(name)) names.push(name);
    }
  } catch (error) {
    const cannot = cannotRead(folder, error);
    if (mayBeMissing && cannot.reason === 'not_found') return [];
    throw cannot;
  }
  return names;
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

const tooMany = (where: string, most: number) =>
  new CannotTell('unreadable', `${where} has more than ${most} entries; name fewer`);
