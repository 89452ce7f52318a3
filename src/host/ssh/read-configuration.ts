import { CannotTell } from '../../check.ts';
import type { Files } from '../files/files.ts';
import { parseLine } from './parse-line.ts';
import type { Directive, MatchBlock } from './types.ts';
import { refusal } from './validate.ts';

const maxDepth = 8;
const maxFiles = 64;
const maxLines = 20_000;

interface Reading {
  readonly files: Pick<Files, 'find' | 'read'>;
  readonly signal: AbortSignal;
  readonly found: Directive[];
  readFiles: number;
  lines: number;
}

/**
 * Reads a configuration of sshd with everything that it includes, in place. A `Match` ends with the file it is in.
 *
 * @throws CannotTell `unreadable`, with file and line, for what sshd refuses; the line itself is never quoted.
 */
export async function readConfiguration(
  path: string,
  files: Reading['files'],
  signal: AbortSignal,
): Promise<readonly Directive[]> {
  const reading: Reading = { files, signal, found: [], readFiles: 0, lines: 0 };
  await readFile(path, undefined, 0, reading);
  return reading.found;
}

async function readFile(
  path: string,
  within: MatchBlock | undefined,
  depth: number,
  reading: Reading,
): Promise<void> {
  reading.readFiles += 1;
  if (depth > maxDepth || reading.readFiles > maxFiles)
    throw new CannotTell('unreadable', `${path} is one included file too many`);
  const text = (await reading.files.read(path, reading.signal)).toString();
  let block = within;
  for (const [i, line] of text.split('\n').entries()) {
    reading.lines += 1;
    if (reading.lines > maxLines) throw new CannotTell('unreadable', `${path} has too many lines`);
    const refuse = (why: string) =>
      new CannotTell('unreadable', `sshd refuses ${path}, line ${i + 1}: it ${why}`);
    const parsed = parseLine(line);
    if (!parsed) continue;
    if ('problem' in parsed) throw refuse(`has ${parsed.problem}`);
    const keyword = synonyms[parsed.keyword] ?? parsed.keyword;
    const { values } = parsed;
    const why = refusal(keyword, values, block !== undefined);
    if (why !== undefined) throw refuse(why);
    if (keyword === 'match') {
      const condition = matchOf(values);
      if (condition === undefined) throw refuse('has a condition that is not known');
      block = condition === 'all' ? within : { file: path, line: i + 1 };
    } else if (keyword === 'include') {
      for (const pattern of values) {
        for (const each of await included(pattern, reading)) await readFile(each, block, depth + 1, reading);
      }
    } else {
      reading.found.push({ keyword, values, ...(block && { block }) });
    }
  }
}

const synonyms: Readonly<Record<string, string>> = {
  challengeresponseauthentication: 'kbdinteractiveauthentication',
  skeyauthentication: 'kbdinteractiveauthentication',
};

/** Paths that an `Include` names, sorted; a pattern without a match is no problem. */
async function included(pattern: string, { files, signal }: Reading): Promise<readonly string[]> {
  const absolute = pattern.startsWith('/') ? pattern : `/etc/ssh/${pattern}`;
  try {
    return await files.find(absolute, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CannotTell && error.reason === 'not_found') return [];
    throw error;
  }
}

const conditions = new Set([
  'user',
  'group',
  'host',
  'localaddress',
  'localport',
  'rdomain',
  'address',
  'version',
  'sessiontype',
  'invalid-user',
  'command',
]);

/** `all`, some condition, or undefined for one that sshd refuses. */
function matchOf(values: readonly string[]): 'all' | 'some' | undefined {
  // `Match User=bob` is the same as `Match User bob`.
  const words = values.flatMap((value) => value.split(/=(.*)/s).filter((part) => part !== ''));
  const [first = ''] = words;
  if (first.toLowerCase() === 'all') return words.length === 1 ? 'all' : undefined;
  for (let i = 0; i < words.length; ) {
    const name = words[i]?.toLowerCase() ?? '';
    if (!conditions.has(name)) return undefined;
    if (name === 'invalid-user') {
      i += 1;
      continue;
    }
    if (words[i + 1] === undefined) return undefined;
    i += 2;
  }
  return words.length > 0 ? 'some' : undefined;
}
