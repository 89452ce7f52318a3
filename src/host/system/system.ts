import { release, version } from 'node:os';
import { CannotTell } from '../../check.ts';
import type { Host } from '../../host.ts';
import type { Files } from '../files/files.ts';
import { parseOsRelease, systemOfKernel } from './os-release.ts';

/** The second is where the first leads; a mount of the link itself has no target. */
const releaseFiles = ['/etc/os-release', '/usr/lib/os-release'];
/** EFLOW keeps its overlays in the first, and names the second in its configuration (iotedge#6956). */
const eflowPaths = ['/var/.eflow', '/etc/product-info.toml'];

interface Options {
  readonly files: Pick<Files, 'read' | 'canRead'>;
  readonly kernel?: () => { readonly release: string; readonly version: string };
}

/** Reads os-release of the VM where it is mounted, and otherwise what the kernel says. */
export function createSystem({
  files,
  kernel = () => ({ release: release(), version: version() }),
}: Options): Host['system'] {
  return async (signal) => {
    const found = await Promise.all(eflowPaths.map((path) => files.canRead(path, signal)));
    const hasEflowFiles = found.includes(true);
    for (const path of releaseFiles) {
      const text = await readIfGiven(path, files, signal);
      const { id, version: its } = parseOsRelease(text ?? '');
      if (id !== undefined) return { id, version: its, source: 'os-release', hasEflowFiles };
    }
    const running = kernel();
    return { ...systemOfKernel(running.release, running.version), source: 'kernel', hasEflowFiles };
  };
}

async function readIfGiven(
  path: string,
  files: Pick<Files, 'read'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await files.read(path, signal)).toString();
  } catch (error) {
    // The kernel tells most of it, without a mount.
    if (error instanceof CannotTell) return undefined;
    throw error;
  }
}
