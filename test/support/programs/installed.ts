import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of a program, or undefined if this machine does not have it. */
export function find(name: string): string | undefined {
  // On Debian the PATH of ordinary users lacks the sbin folders, where daemons are.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Whether this machine has all of these programs. */
export const have = (...programs: readonly string[]): boolean =>
  programs.every((program) => find(program) !== undefined);

export const isRoot = process.getuid?.() === 0;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
