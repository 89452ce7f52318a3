import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path/posix';
import { CannotTell } from '../../check.ts';
import { codeOf } from '../../errors.ts';
import { cannotRead, danglingLink, notGiven } from './access.ts';
import type { Accounts } from './accounts.ts';
import { type Resolved, resolveInRoot } from './root.ts';
import type { FileFacts } from './types.ts';

interface Options {
  readonly hostRoot: string;
  readonly isGiven: (resolved: Resolved) => boolean;
  readonly accounts: (signal: AbortSignal) => Promise<Accounts>;
}

/** What the VM's filesystem says about a path, by lstat alone: nothing is opened. */
export async function inspect(path: string, options: Options, signal: AbortSignal): Promise<FileFacts> {
  const { hostRoot, isGiven } = options;
  try {
    const parent = await resolveInRoot(hostRoot, dirname(path));
    const here = join(parent.path, path.slice(path.lastIndexOf('/') + 1));
    const own = await lstat(here).catch((error: Error) => error);
    const resolved = await resolveInRoot(hostRoot, path);
    const isLink = !(own instanceof Error) && own.isSymbolicLink();
    const given = isGiven(isLink ? { ...parent, path: here, existing: here } : resolved);
    if (!given) throw notGiven(path, resolved, hostRoot);
    if (isLink && !isGiven(resolved)) {
      return { ...factsOf(path, own, await options.accounts(signal)), leaves: inVm(resolved) };
    }
    if (resolved.dangling) {
      const { message, remedy = '' } = danglingLink(path, resolved);
      throw new CannotTell('unreadable', message, { remedy });
    }
    const facts = factsOf(path, await lstat(resolved.path), await options.accounts(signal));
    const openFolder = await firstOpenFolder(resolved, isGiven);
    return {
      ...facts,
      ...(isLink && { leadsTo: inVm(resolved) }),
      ...(openFolder !== undefined && { openFolder }),
    };
  } catch (error) {
    signal.throwIfAborted();
    throw (await behindClosedFolder(path, error, options, signal)) ?? cannotRead(path, error);
  }
}

function factsOf(path: string, stats: Stats, { users, groups }: Accounts): FileFacts {
  return {
    path,
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other',
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    modifiedAt: stats.mtime,
    owners: users.get(stats.uid) ?? [],
    groups: groups.get(stats.gid) ?? [],
    namesKnown: { users: users.size > 1, groups: groups.size > 1 },
  };
}

/** The folder of the VM nearest to the root, above a path, that everybody may write to and that is not sticky. */
async function firstOpenFolder(
  { root, path }: Resolved,
  isGiven: Options['isGiven'],
): Promise<string | undefined> {
  for (const folder of foldersAbove(root, path)) {
    // A folder that the engine made for a mount says nothing about the VM.
    if (!isGiven({ root, path: folder, existing: folder })) continue;
    const { mode } = await lstat(folder);
    if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0) return inVm({ root, path: folder });
  }
  return undefined;
}

/** From the root to the parent of a path, on our side. */
function foldersAbove(root: string, path: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = dirname(path); folder.length >= root.length; folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === '/') break;
  }
  return folders;
}

const inVm = ({ root, path }: Pick<Resolved, 'root' | 'path'>): string => `/${relative(root, path)}`;

/**
 * A path that this process may not look up because a folder lets only its owner in. What is in there is closed to others too,
 * whatever its own mode.
 */
export async function behindClosedFolder(
  path: string,
  error: unknown,
  { hostRoot, accounts }: Pick<Options, 'hostRoot' | 'accounts'>,
  signal: AbortSignal,
): Promise<CannotTell | undefined> {
  if (codeOf(error) !== 'EACCES') return undefined;
  let closed: { readonly folder: string; readonly stats: Stats } | undefined;
  const parts = path.split('/').filter(Boolean);
  for (let length = 1; length <= parts.length; length += 1) {
    const folder = `/${parts.slice(0, length).join('/')}`;
    const resolved = await resolveInRoot(hostRoot, folder).catch(() => undefined);
    const stats = resolved && (await lstat(resolved.path).catch(() => undefined));
    if (!stats?.isDirectory()) break;
    closed = { folder, stats };
  }
  if (!closed || (closed.stats.mode & 0o077) !== 0) return undefined;
  const { users } = await accounts(signal);
  const owner = users.get(closed.stats.uid)?.[0] ?? `user id ${closed.stats.uid}`;
  const mode = (closed.stats.mode & 0o7777).toString(8).padStart(4, '0');
  return new CannotTell(
    'not_applicable',
    `${path} is behind ${closed.folder} (mode ${mode}), which only ${owner} may enter`,
  );
}
