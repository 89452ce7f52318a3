import { CannotTell } from '../../check.ts';
import type { Host } from '../../host.ts';
import type { Files } from '../files/files.ts';
import { readHostKeys } from './host-keys.ts';
import { readConfiguration } from './read-configuration.ts';

const configuration = '/etc/ssh/sshd_config';
const packages = '/var/lib/dpkg/status';
/** A Debian with some thousand packages has 4 MiB. */
const maxPackagesBytes = 16 * 1_048_576;

/** Reads sshd's configuration, the public halves of its keys, and its version from the package database. */
export function createSshd({
  files,
}: {
  readonly files: Pick<Files, 'find' | 'read' | 'inspect'>;
}): Host['sshd'] {
  const installedVersion = createInstalledVersion(files);
  return async (signal) => {
    const directives = await readConfiguration(configuration, files, signal);
    const [hostKeys, version] = await Promise.all([
      readHostKeys(directives, files, signal),
      installedVersion(signal),
    ]);
    return { directives, version, hostKeys };
  };
}

/** By dpkg, whose database is read again once it has changed; that of rpm cannot be read without its library. */
function createInstalledVersion(files: Pick<Files, 'read' | 'inspect'>) {
  let last: { readonly changed: number; readonly version: string | undefined } | undefined;
  return async (signal: AbortSignal): Promise<string | undefined> => {
    try {
      const changed = (await files.inspect(packages, signal)).modifiedAt.getTime();
      if (last?.changed === changed) return last.version;
      const text = (await files.read(packages, signal, maxPackagesBytes)).toString('latin1');
      last = { changed, version: versionIn(text) };
      return last.version;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CannotTell) return undefined;
      throw error;
    }
  };
}

function versionIn(text: string): string | undefined {
  const from = `\n${text}`.indexOf('\nPackage: openssh-server\n');
  if (from < 0) return undefined;
  const [stanza = ''] = text.slice(from).split('\n\n', 1);
  return /^Version: (?:\d+:)?(\d{1,3}\.\d{1,3})p\d/m.exec(stanza)?.[1];
}
