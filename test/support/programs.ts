import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

// Debian keeps daemons out of the path of those who are not root.
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

/** Whether this machine has all of these programs. */
export const have = (...programs: readonly string[]): boolean =>
  programs.every((program) => folders.some((folder) => executable(join(folder, program))));

export const isRoot = process.getuid?.() === 0;

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
