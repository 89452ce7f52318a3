import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path/posix';
import { CannotTell } from '../../check.ts';
import type { Host } from '../../host.ts';
import type { Files } from '../files/files.ts';

/** Where Azure Linux and Debian keep chrony's configuration. */
const configurations = ['/etc/chrony.conf', '/etc/chrony/chrony.conf'];

interface Options {
  readonly files: Pick<Files, 'find' | 'read'>;
  /** Clock devices belong to the kernel: a container sees those of its machine under its own /sys. */
  readonly sysfs?: string;
}

/** Finds the clock that Hyper-V offers, and the configuration of chrony beside it. */
export function createHypervClock({ files, sysfs = '/sys' }: Options): Host['hypervClock'] {
  return async (signal) => {
    const device = await hypervDevice(join(sysfs, 'class/ptp'));
    if (device === undefined) return undefined;
    for (const path of configurations) {
      const chronyLines = await readWhole(path, files, signal);
      if (chronyLines) return { device: `/dev/${device}`, chronyLines };
    }
    return undefined;
  };
}

/** `ptp0`, whichever of the clock devices it is. */
async function hypervDevice(folder: string): Promise<string | undefined> {
  const devices = await readdir(folder).catch(() => []);
  const names = await Promise.all(
    devices.map((device) => readFile(join(folder, device, 'clock_name'), 'utf8').catch(() => '')),
  );
  return devices.find((_, index) => names[index]?.trim() === 'hyperv');
}

/** The lines of a configuration and of everything it includes; undefined when any of it cannot be read. */
async function readWhole(
  path: string,
  files: Options['files'],
  signal: AbortSignal,
): Promise<string[] | undefined> {
  try {
    const lines = (await files.read(path, signal)).toString().split('\n');
    for (const pattern of lines.flatMap(includes)) {
      for (const found of await files.find(pattern, signal)) {
        lines.push(...(await files.read(found, signal)).toString().split('\n'));
      }
    }
    return lines;
  } catch (error) {
    if (error instanceof CannotTell) return undefined;
    throw error;
  }
}

/** chrony.conf(5): `include pattern`, and `confdir folder…`, which reads the files *.conf. */
function includes(line: string): string[] {
  const [directive = '', ...words] = line.trim().split(/\s+/);
  if (/^include$/i.test(directive)) return words;
  return /^confdir$/i.test(directive) ? words.map((folder) => `${folder}/*.conf`) : [];
}
