import { readlink, realpath } from 'node:fs/promises';
import { codeOf } from '../../errors.ts';

/** Where a path of the VM leads below the host root. */
export interface Resolved {
  /** The host root's own real path. */
  readonly root: string;
  /** The real path on our side, at or below `root`; every symbolic link is followed, including the last. */
  readonly path: string;
  /** How much of `path` exists: all of it, or the nearest existing folder; absent when the root does not exist. */
  readonly existing?: string;
  /** Set when the target of a symbolic link on the way does not exist. */
  readonly dangling?: true;
}

/** Called with each path before the filesystem is asked about it; an exception ends the lookup. */
export type Enter = (path: string) => void;

/**
 * Resolves a path of the VM below the host root as openat2(2) does with RESOLVE_IN_ROOT: every symbolic link, also an
 * absolute one, and every `..` is relative to that root and cannot leave it.
 *
 * @throws the system error of the lookup, `ELOOP` after 40 links.
 */
export async function resolveInRoot(hostRoot: string, path: string, enter?: Enter): Promise<Resolved> {
  let root = hostRoot;
  try {
    enter?.(hostRoot);
    root = await realpath(hostRoot);
    enter?.(root);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return { root, path: [root, ...path.split('/').filter(Boolean)].join('/') };
  }
  const prefix = root === '/' ? '' : root;
  const walked: string[] = [];
  const ahead = path.split('/').reverse();
  let links = 0;
  // How many names are ahead once the target of the outermost link is resolved.
  let afterLink = Number.POSITIVE_INFINITY;
  while (ahead.length > 0) {
    const name = ahead.pop();
    if (!name || name === '.') continue;
    if (name === '..') {
      walked.pop();
      continue;
    }
    const here = [prefix, ...walked, name].join('/');
    enter?.(here);
    try {
      const target = await readlink(here);
      links += 1;
      if (links > 40) throw Object.assign(new Error('more than 40 symbolic links'), { code: 'ELOOP' });
      if (target.startsWith('/')) walked.length = 0;
      afterLink = Math.min(afterLink, ahead.length);
      ahead.push(...target.split('/').reverse());
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        const existing = [prefix, ...walked].join('/') || '/';
        const found = { root, path: [here, ...ahead.toReversed().filter(Boolean)].join('/'), existing };
        return ahead.length >= afterLink ? { ...found, dangling: true } : found;
      }
      // It exists and is not a link.
      if (code !== 'EINVAL') throw error;
      walked.push(name);
    }
  }
  const real = [prefix, ...walked].join('/') || '/';
  return { root, path: real, existing: real };
}
