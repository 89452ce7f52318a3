import type { readlink, realpath } from 'node:fs/promises';

/** Where a path of the VM leads below the host root. */
export interface Resolved {
  /** The host root's own real path. */
  readonly root: string;
  /** The real path on our side, at or below `root`; symbolic links are all followed, the last one too. */
  readonly path: string;
  /** How much of `path` exists: all of it, or the nearest folder that does; absent when the root does not. */
  readonly existing?: string;
}

/**
 * Looks a path of the VM up below the host root as openat2(2) does with RESOLVE_IN_ROOT: every symbolic link, an
 * absolute one too, and every `..` is taken relative to that root and cannot leave it.
 *
 * Its source text is also run in a child process, where nothing of this module is in scope: it may use nothing but
 * its parameters and the language.
 *
 * @throws the system error of the look-up, `ELOOP` after 40 links.
 */
export async function resolveInRoot(
  hostRoot: string,
  path: string,
  fs: { readonly readlink: typeof readlink; readonly realpath: typeof realpath },
): Promise<Resolved> {
  let root = hostRoot;
  try {
    root = await fs.realpath(hostRoot);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { root, path: [root, ...path.split('/').filter(Boolean)].join('/') };
  }
  const prefix = root === '/' ? '' : root;
  const walked: string[] = [];
  const ahead = path.split('/').reverse();
  let links = 0;
  while (ahead.length > 0) {
    const name = ahead.pop();
    if (!name || name === '.') continue;
    if (name === '..') {
      walked.pop();
      continue;
    }
    const here = [prefix, ...walked, name].join('/');
    try {
      const target = await fs.readlink(here);
      links += 1;
      if (links > 40) throw Object.assign(new Error('more than 40 symbolic links'), { code: 'ELOOP' });
      if (target.startsWith('/')) walked.length = 0;
      ahead.push(...target.split('/').reverse());
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        const existing = [prefix, ...walked].join('/') || '/';
        return { root, path: [here, ...ahead.reverse().filter(Boolean)].join('/'), existing };
      }
      // Anything that is there and no link.
      if (code !== 'EINVAL') throw error;
      walked.push(name);
    }
  }
  const real = [prefix, ...walked].join('/') || '/';
  return { root, path: real, existing: real };
}
