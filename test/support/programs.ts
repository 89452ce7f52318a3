import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program is; nothing where this machine does not have it. */
export function find(name: string): string | undefined {
  // Debian keeps daemons out of the path of those who are not root.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(executable);
}

/** Whether this machine has all of these programs. */
export const have = (...programs: readonly string[]): boolean =>
  programs.every((program) => find(program) !== undefined);

export const isRoot = process.getuid?.() === 0;

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
