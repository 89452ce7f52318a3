import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, describeError } from '../errors.ts';
import type { MemoryProblem } from '../host/agent/types.ts';
import { readRegularFile } from '../read-file.ts';

/** What is remembered over a restart, one JSON value a name, all of it in one file. */
export interface StateFile {
  /** The value last set, in this process or an earlier one. */
  get(name: string): unknown;
  /** Sets a value; undefined forgets it. It is written soon, but at most once a minute. */
  set(name: string, value: unknown): void;
  /** Writes now what is not written yet. */
  flush(): Promise<void>;
  /** Why nothing is remembered, or something was not; nothing while all is well. */
  problem(): MemoryProblem | undefined;
}

const fileName = 'state.json';
/** Raised when an older agent could not read what a newer one has written. */
const formatVersion = 1;
/** Several times what the agent ever writes; more is not read, for it might be more than there is memory. */
const largestBytes = 4 * 1024 * 1024;
const writeEveryMs = 60_000;
/** How long a file that could not be used is told of. */
const toldMs = 86_400_000;

const versionSchema = z.object({ version: z.number().int() });
const valuesSchema = z.object({ values: z.record(z.string(), z.unknown()) });

/**
 * Opens the state folder, the only one the agent writes to. Where it is missing, unwritable, damaged or from a newer
 * agent, the agent starts without memory, and `problem` says so. A file that cannot be used is kept aside once.
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
    // Not recursive: below /proc that never returns in Node 20, and a parent that is missing was not given.
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
    problem = { kind: 'absent', message: `Could not write to ${directory}: ${describeError(error)}` };
    return { get: (name) => values.get(name), set: () => {}, flush: async () => {}, problem: () => problem };
  }

  /** What could not be written now is tried again: room may be made. */
  function laterAfter(error: unknown): void {
    changed = true;
    problem = { kind: 'unwritable', message: `Could not write ${path}: ${describeError(error)}` };
    later();
  }

  function later(): void {
    timer ??= setTimeout(flush, Math.max(0, writtenAt + writeEveryMs - performance.now())).unref();
  }

  /** Whole or not at all: a power cut leaves either the file before or the new one. */
  async function write(): Promise<void> {
    changed = false;
    writtenAt = performance.now();
    const temporary = `${path}.new`;
    // Whatever lies there from an earlier time: half a file, or a FIFO, which would hold the opening up.
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
      const old = problem?.kind !== 'unwritable' && performance.now() - openedAt > toldMs;
      return old ? undefined : problem;
    },
  };
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');

/** Only looks at what is remembered. */
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
    text = (await readRegularFile(path, { mostBytes: largestBytes })).toString();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { values: {} };
    return unusable('damaged', `Could not read ${path}: ${describeError(error)}`);
  }
  const damaged = (why: string) => unusable('damaged', `${path} does not hold what was written: ${why}`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return damaged(describeError(error));
  }
  // The version first: what a newer agent keeps may have any shape.
  const versioned = versionSchema.safeParse(document).data;
  if (!versioned) return damaged('it has no "version"');
  if (versioned.version > formatVersion) {
    return unusable('newer', `${path} was written by a newer agent, in format ${versioned.version}`);
  }
  return valuesSchema.safeParse(document).data ?? damaged('it has no "values"');
}
