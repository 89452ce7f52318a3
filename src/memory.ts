import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The only folder the agent writes to: what it remembers over a restart, one JSON file a name. */
export interface Memory {
  /** The value last saved, or undefined where there is none that can be read. */
  load(name: string): Promise<unknown>;
  /** Saves a value whole or not at all; undefined forgets it. Values of one name are saved in turn. */
  save(name: string, value: unknown): Promise<void>;
}

type Complain = (error: Error) => void;

const largestFile = 1024 * 1024;

/**
 * Opens the state folder. Where it is missing, unwritable or full, the agent goes on without memory and
 * `complain` hears why, once for each kind of trouble.
 */
export async function openMemory(directory: string, complain: Complain): Promise<Memory> {
  let lastSave = Promise.resolve();

  async function write(name: string, value: unknown): Promise<void> {
    const path = join(directory, `${name}.json`);
    if (value === undefined) return rm(path, { force: true });
    const temporary = `${path}.new`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(value)}\n`);
      // Without it, a power cut after the rename can leave an empty file.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  }

  const { load } = readMemory(directory, complain);
  const save = (name: string, value: unknown) => {
    lastSave = lastSave
      .then(() => write(name, value))
      .catch((error: unknown) => complain(trouble(`Could not save ${name}.json`, directory, error)));
    return lastSave;
  };

  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // Proves at the start what would otherwise be found out at the first save.
    const probe = join(directory, '.writable');
    await (await open(probe, 'w', 0o600)).close();
    await rm(probe);
    return { load, save };
  } catch (error) {
    complain(trouble('Could not write', directory, error));
    return { load, save: async () => {} };
  }
}

/** Only looks at what has been saved. */
export function readMemory(directory: string, complain: Complain): Pick<Memory, 'load'> {
  return {
    async load(name) {
      try {
        const text = await readFile(join(directory, `${name}.json`), 'utf8');
        if (text.length > largestFile) throw new Error(`The file has ${text.length} characters`);
        return JSON.parse(text);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        complain(trouble(`Could not read ${name}.json`, directory, error));
        return undefined;
      }
    },
  };
}

const trouble = (what: string, directory: string, cause: unknown): Error =>
  new Error(`${what} in the state folder ${directory}; going on without it`, { cause });
