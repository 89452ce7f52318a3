import { join, relative } from 'node:path/posix';
import { CannotTell } from '../../check.ts';
import { codeOf } from '../../errors.ts';
import { shellQuote } from '../../shell-quote.ts';
import type { Resolved } from './root.ts';

/** The error for a path of the VM that is not mounted into this module, with the createOptions that would mount it. */
export function notGiven(path: string, resolved: Resolved, hostRoot: string): CannotTell {
  const source = `/${relative(resolved.root, resolved.path)}`;
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

/** JSON on one line, with spaces. */
const oneLine = (value: object): string => JSON.stringify(value, undefined, 1).replaceAll(/\n */g, ' ');

/** A failed system call on a path of the VM as a {@link CannotTell}. */
export function cannotRead(path: string, cause: unknown): CannotTell {
  if (cause instanceof CannotTell) return cause;
  const code = codeOf(cause) ?? '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return new CannotTell('not_found', `${path} does not exist`);
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
