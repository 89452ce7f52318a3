import { join, relative } from 'node:path/posix';
import { CannotTell } from '../../check.ts';
import { codeOf } from '../../errors.ts';
import { shellQuote } from '../../shell-quote.ts';
import type { Resolved } from './root.ts';

/** The error for a path of the VM that is not mounted into this module, with the createOptions that would mount it. */
export function notGiven(path: string, resolved: Resolved, hostRoot: string): CannotTell {
  const source = pathInVm(resolved);
  const target = join(hostRoot, source);
  const mount = { Type: 'bind', Source: source, Target: target, ReadOnly: true };
  const mountIt = `"HostConfig": { "Mounts": [ ${oneLine(mount)} ] }`;
  if (resolved.existing === undefined) {
    return new CannotTell('no_access', `${source} cannot be read: ${hostRoot} does not exist`, {
      remedy: `In a container, mount it: ${mountIt}. On the device itself, set HARDENING_HOST_ROOT=/`,
    });
  }
  const link = source === path ? '' : `, where ${path} leads,`;
  return new CannotTell('no_access', `${source}${link} is not mounted into this module at ${target}`, {
    remedy: `Mount it: ${mountIt}`,
  });
}

/** The error for a path of the VM with a symbolic link whose target does not exist. */
export function danglingLink(path: string, resolved: Resolved): CannotTell {
  const target = pathInVm(resolved);
  return new CannotTell('not_found', `${path} leads to ${target}, which does not exist`, {
    remedy: `Put ${target} back, or remove the link; \`sudo namei -l ${shellQuote(path)}\` shows where it is`,
  });
}

const pathInVm = ({ root, path }: Resolved): string => `/${relative(root, path)}`;

/** JSON on one line, with spaces. */
const oneLine = (value: object): string => JSON.stringify(value, undefined, 1).replaceAll(/\n */g, ' ');

/** Whether a system call failed because there is nothing at the path. */
export const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');

/** A failed system call on a path of the VM as a {@link CannotTell}. */
export function cannotRead(path: string, cause: unknown): CannotTell {
  if (cause instanceof CannotTell) return cause;
  const code = codeOf(cause);
  if (isMissing(cause)) return new CannotTell('not_found', `${path} does not exist`);
  if (code === 'EACCES' || code === 'EPERM') {
    const uid = process.geteuid?.();
    // Not `no_access`, which means that nothing was mounted: this path was given, and what it holds remains unknown.
    return new CannotTell('unreadable', `User id ${uid} of this module cannot read ${path}`, {
      cause,
      remedy: `Find the level without permission with \`sudo namei -l ${shellQuote(path)}\`. Then give the module the group that may read it: "HostConfig": { "GroupAdd": [ "GROUP ID" ] }, or allow all users to: \`sudo chmod o+rX ${shellQuote(path)}\``,
    });
  }
  return new CannotTell('unreadable', `Could not read ${path}`, { cause });
}
