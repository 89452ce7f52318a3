import { CannotTell } from '../../check.ts';
import type { Files } from './files.ts';

/** The names of the VM's users and groups by their numeric ids; an id may have several. */
export interface Accounts {
  readonly users: ReadonlyMap<number, readonly string[]>;
  readonly groups: ReadonlyMap<number, readonly string[]>;
}

const keepMs = 5000;

/**
 * Reads the VM's /etc/passwd and /etc/group, at most once in five seconds. A file that cannot be read leaves its map with
 * root alone, which is 0 everywhere.
 */
export function createAccounts(files: Pick<Files, 'read'>): (signal: AbortSignal) => Promise<Accounts> {
  let last: { readonly at: number; readonly accounts: Promise<Accounts> } | undefined;
  return (signal) => {
    if (!last || performance.now() - last.at > keepMs) {
      const accounts = Promise.all(
        ['/etc/passwd', '/etc/group'].map((path) => namesIn(path, files, signal)),
      ).then(([users = rootOnly, groups = rootOnly]) => ({ users, groups }));
      last = { at: performance.now(), accounts };
      accounts.catch(() => {
        last = undefined;
      });
    }
    return last.accounts;
  };
}

const rootOnly: ReadonlyMap<number, readonly string[]> = new Map([[0, ['root']]]);

async function namesIn(path: string, files: Pick<Files, 'read'>, signal: AbortSignal) {
  try {
    return parseAccounts((await files.read(path, signal)).toString());
  } catch (error) {
    if (error instanceof CannotTell) return rootOnly;
    throw error;
  }
}

/** Names by id, from lines of passwd(5) or group(5): the name is the first field, the id the third. Other lines are ignored. */
export function parseAccounts(text: string): ReadonlyMap<number, readonly string[]> {
  const names = new Map<number, string[]>();
  for (const line of text.split('\n')) {
    const [name = '', , id = ''] = line.split(':', 3);
    if (/^[^\s:#+-][^\s:]{0,63}$/.test(name) && /^\d{1,10}$/.test(id)) {
      names.set(Number(id), [...(names.get(Number(id)) ?? []), name]);
    }
  }
  return names.size === 0 ? rootOnly : names;
}
