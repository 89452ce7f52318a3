import type { Filesystem } from '../../host/disk/types.ts';
import { shellQuote } from '../../shell-quote.ts';
import type { Forecast } from './forecast.ts';
import { describeDate, describeUsage, gib, percent, size } from './format.ts';

export interface DiskLimits {
  readonly warnUsedPercent: number;
  readonly failUsedPercent: number;
  readonly minSizeGiB: number;
  readonly forecastWarnDays: number;
  readonly forecastFailDays: number;
}

/** Something wrong with a filesystem. `clause` is its part of the message. */
export interface DiskProblem {
  readonly status: 'warn' | 'fail';
  readonly reason: 'io_error' | 'space_low' | 'inodes_low' | 'read_only' | 'filling_up' | 'too_small';
  readonly clause: string;
  readonly remedy: string;
}

/** Everything that is wrong, most important first. */
export function diskProblems(
  target: string,
  filesystem: Filesystem,
  forecast: Forecast | undefined,
  limits: DiskLimits,
  now: Date,
): readonly DiskProblem[] {
  return [
    failed(target, filesystem),
    readOnly(target, filesystem),
    spaceLow(target, filesystem, limits),
    inodesLow(target, filesystem, limits),
    forecast && fillingUp(target, forecast, limits, now),
    tooSmall(target, filesystem, limits),
  ].filter((problem) => problem !== undefined);
}

/** `full about 2026-11-30, in 9 days, give or take 2, if this continues` */
export function describeForecast({ fullAt, marginSeconds }: Forecast, now: Date): string {
  return `full about ${describeDate(new Date(fullAt * 1000), marginSeconds * 1000, now)}, if this continues`;
}

function failed(target: string, { failure }: Filesystem): DiskProblem | undefined {
  if (failure === undefined) return undefined;
  const how =
    failure === 'shutdown' ? 'the kernel has shut it down' : `it cannot be read (${failure}), only measured`;
  return {
    status: 'fail',
    reason: 'io_error',
    clause: `the filesystem at ${target} has failed: ${how}`,
    remedy: `Find out why with \`${kernelErrors}\`, then restart the VM, which checks the disk`,
  };
}

const kernelErrors = "sudo dmesg | grep -iE 'remount|shut|i/o error'";

function readOnly(target: string, { readOnly }: Filesystem): DiskProblem | undefined {
  if (!readOnly) return undefined;
  return {
    status: 'fail',
    reason: 'read_only',
    clause: `the filesystem at ${target} is read-only`,
    remedy: `Find out why with \`${kernelErrors}\`, then restart the VM, which checks the disk`,
  };
}

function spaceLow(target: string, filesystem: Filesystem, limits: DiskLimits): DiskProblem | undefined {
  const { usedBytes, availableBytes } = filesystem;
  const status = grade(percent(usedBytes, availableBytes), limits);
  if (!status) return undefined;
  const clause = describeUsage(target, filesystem);
  return {
    status,
    reason: 'space_low',
    clause,
    remedy: `${seeWhat(target, filesystem)}${reserve(filesystem)}`,
  };
}

function seeWhat(target: string, { type }: Filesystem): string {
  // On btrfs, du sees neither snapshots nor allocated but unused space.
  const btrfs = type === 'btrfs' ? `. See also \`sudo btrfs filesystem usage ${shellQuote(target)}\`` : '';
  return `Find what fills it: \`sudo du -xh --max-depth=2 ${shellQuote(target)} | sort -h | tail\`${btrfs}`;
}

/**
 * ext4 reserves a part for root, 5 % by default. The kernel withholds 2 % of the blocks, 4096 at most, besides
 * (`ext4_calculate_resv_clusters`), which no option gives back.
 */
function reserve({ type, source, sizeBytes, usedBytes, availableBytes }: Filesystem): string {
  const kept = sizeBytes - usedBytes - availableBytes - Math.min(sizeBytes / 50, 4096 * 4096);
  if (!type?.startsWith('ext') || !source || kept < sizeBytes * 0.015) return '';
  return `. ${size(kept)} more are reserved for root; reserve less with \`sudo tune2fs -m 1 ${shellQuote(source)}\``;
}

function inodesLow(
  target: string,
  { files, filesFree }: Filesystem,
  limits: DiskLimits,
): DiskProblem | undefined {
  if (files === 0) return undefined;
  const used = percent(files - filesFree, filesFree);
  const status = grade(used, limits);
  if (!status) return undefined;
  return {
    status,
    reason: 'inodes_low',
    clause: `used ${used.toFixed(1)} % of ${files} inodes at ${target}`,
    remedy: `Find the folders with the most files: \`sudo du -x --inodes --max-depth=2 ${shellQuote(target)} | sort -n | tail\``,
  };
}

function fillingUp(
  target: string,
  forecast: Forecast,
  { forecastWarnDays, forecastFailDays }: DiskLimits,
  now: Date,
): DiskProblem | undefined {
  const days = (forecast.fullAt - now.getTime() / 1000) / 86_400;
  if (forecastWarnDays === 0 || days > forecastWarnDays) return undefined;
  return {
    status: days <= forecastFailDays ? 'fail' : 'warn',
    reason: 'filling_up',
    clause: describeForecast(forecast, now),
    remedy: `Find what grows: \`sudo find ${shellQuote(target)} -xdev -type f -mtime -1 -size +20M -exec ls -lh {} +\``,
  };
}

function tooSmall(
  target: string,
  { sizeBytes }: Filesystem,
  { minSizeGiB }: DiskLimits,
): DiskProblem | undefined {
  if (sizeBytes >= minSizeGiB * gib) return undefined;
  return {
    status: 'warn',
    reason: 'too_small',
    clause: `the filesystem at ${target} has ${size(sizeBytes)}, less than ${minSizeGiB} GiB`,
    remedy:
      'Give the VM a larger disk, or lower minSizeGiB. An EFLOW VM must be deployed again, which deletes its data: `Deploy-Eflow -vmDataSize`',
  };
}

function grade(
  usedPercent: number,
  { warnUsedPercent, failUsedPercent }: DiskLimits,
): 'warn' | 'fail' | undefined {
  if (usedPercent >= failUsedPercent) return 'fail';
  return usedPercent >= warnUsedPercent ? 'warn' : undefined;
}
