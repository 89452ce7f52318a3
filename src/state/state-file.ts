import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { codeOf, describeFailure } from '../errors.ts';
import type { MemoryProblem } from '../host/agent/types.ts';
import { readRegularFile } from '../read-file.ts';

/** What is remembered over a restart: one JSON value for each name, all in one file. */
export interface StateFile {
  /** The value last set, by this process or an earlier one. */
  get(name: string): unknown;
  /** Sets a value; undefined removes it. Written soon, but at most once a minute. */
  set(name: string, value: unknown): void;
  /** Writes pending changes now. */
  flush(): Promise<void>;
  /** Why the state is not kept, or was lost; undefined while it works. */
  problem(): MemoryProblem | undefined;
}

const fileName = 'state.json';
/** Raised when an older agent could no longer read the file. */
const formatVersion = 1;
/** Several times what the agent ever writes. A larger file is not read, since it may not fit into memory. */
const largestBytes = 4 * 1024 * 1024;
const writeEveryMs = 60_000;
/** How long a file that could not be used is reported. */
const reportedMs = 86_400_000;

const versionSchema = z.object({ version: z.number().int() });
const valuesSchema = z.object({ values: z.record(z.string(), z.unknown()) });

/**
 * Opens the state folder, the only one the agent writes to. Where it is missing, unwritable, damaged or from a newer
 * agent, the agent starts without state, and `problem` says why. A file that cannot be used is kept under another name.
 */
export async function openStateFile(directory: string): Promise<StateFile> {
  const path = join(directory, fileName);
  const read = await readState(path);
  const values = new Map(Object.entries(read.values));
  const openedAt = performance.now();
  let problem: MemoryProblem | undefined = read.problem;
  let changed = false;
  let writtenAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();

  try {
    // Not recursive: below /proc that never returns in Node 20, and a missing parent means that no folder was mounted.
    await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
    if (read.problem?.kind === 'damaged' || read.problem?.kind === 'newer') {
      await rename(path, join(directory, `${read.problem.kind}-${fileName}`));
    }
    await write();
  } catch (error) {
    if (isFull(error)) laterAfter(error);
    else return without(error);
  }

  function without(error: unknown): StateFile {
    problem = { kind: 'absent', message: describeFailure(`Could not write to ${directory}`, error) };
    return { get: (name) => values.get(name), set: () => {}, flush: async () => {}, problem: () => problem };
  }

  /** A failed write is retried: space may become available. */
  function laterAfter(error: unknown): void {
    changed = true;
    const message = describeFailure(`Could not write ${path}`, error);
    problem = { kind: 'unwritable', message, code: codeOf(error) };
    later();
  }

  function later(): void {
    timer ??= setTimeout(flush, Math.max(0, writtenAt + writeEveryMs - performance.now())).unref();
  }

  /** Atomic: a power cut leaves either the old file or the new one. */
  async function write(): Promise<void> {
    changed = false;
    writtenAt = performance.now();
    const temporary = `${path}.new`;
    // Left by an earlier process: half a file, or a FIFO, which would block the open.
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify({ version: formatVersion, values: Object.fromEntries(values) }));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(async () => {
      if (!changed) return;
      try {
        await write();
        if (problem?.kind === 'unwritable') problem = undefined;
      } catch (error) {
        laterAfter(error);
      }
    });
    return writing;
  }

  return {
    get: (name) => values.get(name),
    set(name, value) {
      if (value === undefined) values.delete(name);
      else values.set(name, value);
      changed = true;
      later();
    },
    flush,
    problem() {
      const old = problem?.kind !== 'unwritable' && performance.now() - openedAt > reportedMs;
      return old ? undefined : problem;
    },
  };
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');

/** Reads the state without opening the folder for writing. */
export async function readStateFile(directory: string): Promise<Pick<StateFile, 'get' | 'problem'>> {
  const { values, problem } = await readState(join(directory, fileName));
  return { get: (name) => values[name], problem: () => problem };
}

async function readState(
  path: string,
): Promise<{ readonly values: Readonly<Record<string, unknown>>; readonly problem?: MemoryProblem }> {
  const unusable = (kind: MemoryProblem['kind'], message: string) => ({
    values: {},
    problem: { kind, message },
  });
  let text: string;
  try {
    text = (await readRegularFile(path, { maxBytes: largestBytes })).toString();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { values: {} };
    return unusable('damaged', describeFailure(`Could not read ${path}`, error));
  }
  const damaged = (why: string) => unusable('damaged', `${path} is damaged: ${why}`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // Not JSON.parse's message, which quotes the text: the file may be a link to another one.
    return damaged('it is not JSON');
  }
  // The version first: a newer agent may use another shape.
  const versioned = versionSchema.safeParse(document).data;
  if (!versioned) return damaged('it has no "version"');
  if (versioned.version > formatVersion) {
    return unusable('newer', `${path} was written by a newer agent, in format ${versioned.version}`);
  }
  return valuesSchema.safeParse(document).data ?? damaged('it has no "values"');
}
