import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CannotTell } from '../../check.ts';
import { isTimeout } from '../../deadline.ts';
import { codeOf } from '../../errors.ts';
import { readRegularFile } from '../../read-file.ts';

/** Where Linux keeps a TPM. */
export interface TpmPaths {
  /** Behind the kernel's resource manager, which shares the TPM between programs. The only one that is opened. */
  readonly managed: string;
  /** Exclusive: whoever opens it keeps all others out. */
  readonly raw: string;
  /** The kernel's list of TPMs, which containers see too. */
  readonly list: string;
}

/** The createOptions that pass the device. Its group differs from machine to machine. */
const passIt = (path: string, group: string): string =>
  `Pass it: "HostConfig": { "Devices": [ { "PathOnHost": "${path}", "PathInContainer": "${path}", "CgroupPermissions": "rw" } ], "GroupAdd": [ "${group}" ] }`;

/** The error for a device that is not there: because there is no TPM, or because it was not passed to this module. */
export async function absent({ managed, raw, list }: TpmPaths): Promise<CannotTell> {
  const names = await readdir(list).catch(() => []);
  const versions = await Promise.all(names.map((name) => versionOf(join(list, name))));
  const hasRaw = await stat(raw).then(
    () => true,
    () => false,
  );
  if (versions.length > 0 && versions.every((version) => version === '1')) {
    return new CannotTell('not_applicable', 'This machine has a TPM 1.2, and IoT Edge needs a TPM 2.0');
  }
  if (versions.length === 0 && !hasRaw) return new CannotTell('not_applicable', 'This machine has no TPM');
  const message = hasRaw
    ? `${managed} is not passed to this module. ${raw} is, but would keep all other programs from the TPM`
    : `The TPM of this machine, ${managed}, is not passed to this module`;
  const remedy = `${passIt(managed, 'GROUP ID')}, with the group that \`stat -c %g ${managed}\` prints`;
  return new CannotTell('no_access', message, { remedy });
}

/** The major version of a TPM by its folder in sysfs. Kernels before 5.6 do not tell. */
async function versionOf(folder: string): Promise<string | undefined> {
  try {
    const text = await readRegularFile(join(folder, 'tpm_version_major'), { maxBytes: 4096 });
    return text.toString().trim();
  } catch {
    return undefined;
  }
}

/** The error for a device that this process may not use. */
export function cannotUse(path: string, group: number | undefined, cause: unknown): CannotTell {
  const code = codeOf(cause);
  if (code === 'EACCES' || code === 'EPERM') {
    const message = `User id ${process.geteuid?.()} of this module may not read and write ${path}`;
    return new CannotTell('unreadable', message, {
      cause,
      remedy: passIt(path, String(group ?? 'GROUP ID')),
    });
  }
  return new CannotTell('unreadable', `Could not use ${path}`, { cause });
}

const nobodyThere = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'];

/** Why a TPM gave no answer, for its device or its address. */
export function explain(at: string, isDevice: boolean, seconds: number, cause: unknown): CannotTell {
  const code = codeOf(cause) ?? '';
  if (nobodyThere.includes(code)) return new CannotTell('not_found', `Nothing answers at ${at}`, { cause });
  if (isDevice && ['EPERM', 'EACCES', 'ENXIO', 'ENODEV'].includes(code))
    return cannotUse(at, undefined, cause);
  const remedy = isDevice
    ? 'See what the kernel says of it: `sudo dmesg | grep -i tpm`'
    : 'See whether the TPM there is on and serves nobody else: a simulator serves one connection at a time';
  if (isTimeout(cause)) {
    return new CannotTell('no_answer', `The TPM at ${at} has not answered within ${seconds} s`, { remedy });
  }
  const isAnswer = cause instanceof Error && 'isAnswer' in cause && cause.isAnswer === true;
  const message = isAnswer ? `The TPM at ${at} cannot be read` : `Could not ask the TPM at ${at}`;
  return new CannotTell('no_answer', message, { cause, remedy });
}
