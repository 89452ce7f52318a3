import { CannotTell } from '../../check.ts';
import type { Files } from '../files/files.ts';

const maxFiles = 64;
const maxDepth = 32;

/** A document or a table in one, as it is parsed. Only what a schema picks may leave this folder. */
export type Table = Readonly<Record<string, unknown>>;

/**
 * The configuration of a service of IoT Edge: `config.toml` and the files in `config.d`, in which later ones override earlier
 * ones.
 *
 * @throws CannotTell for files that cannot be read; never with a value or a line of them.
 */
export async function readConfiguration(
  folder: string,
  files: Pick<Files, 'find' | 'read'>,
  signal: AbortSignal,
): Promise<Table> {
  const found = await findConfiguration(`${folder}/config.d`, files, signal);
  if (found.length > maxFiles)
    throw new CannotTell('unreadable', `${folder}/config.d has more than ${maxFiles} files`);
  let merged: Table = {};
  for (const path of found) {
    merged = merge(merged, await parseFile(path, (await files.read(path, signal)).toString()));
  }
  return merged;
}

/** Without configuration there is no such service: the machine has no IoT Edge, or one that was never set up. */
async function findConfiguration(
  folder: string,
  files: Pick<Files, 'find'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const found = await files.find(`${folder}/*.toml`, signal);
    if (found.length > 0) return found;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CannotTell && error.reason === 'not_found')) throw error;
  }
  throw new CannotTell('not_applicable', `${folder} has no configuration: IoT Edge is not set up here`);
}

async function parseFile(path: string, text: string): Promise<Table> {
  // Few devices mount such files.
  const { parse, TomlError } = await import('smol-toml');
  try {
    return parse(text, { maxDepth }) as Table;
  } catch (error) {
    // Without the error, which quotes the line.
    const where = error instanceof TomlError ? `, line ${error.line}` : '';
    throw new CannotTell('unreadable', `${path} is not valid TOML${where}`);
  }
}

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Tables are merged, everything else is replaced. */
function merge(below: Table, above: Table): Table {
  const merged = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const before = merged.get(key);
    merged.set(key, isTable(before) && isTable(value) ? merge(before, value) : value);
  }
  return Object.fromEntries(merged);
}
