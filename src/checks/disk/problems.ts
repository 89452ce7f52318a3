import type { Filesystem } from '../../host/disk/types.ts';
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
  readonly reason: 'space_low' | 'inodes_low' | 'read_only' | 'filling_up' | 'too_small';
  readonly clause: string;
  readonly remedy: string;
}

/** Everything that is wrong, in the order of its weight. */
export function diskProblems(
  target: string,
  filesystem: Filesystem,
  forecast: Forecast | undefined,
  limits: DiskLimits,
  now: Date,
): readonly DiskProblem[] {
  return [
    readOnly(target, filesystem),
    spaceLow(target, filesystem, limits),
    inodesLow(target, filesystem, limits),
    forecast && fillingUp(target, forecast, limits, now),
    tooSmall(target, filesystem, limits),
  ].filter((problem) => problem !== undefined);
}

/** `full about 2026-11-30, in 9 days, give or take 2, if it goes on like this` */
export function describeForecast({ fullAt, marginSeconds }: Forecast, now: Date): string {
  return `full about ${describeDate(new Date(fullAt * 1000), marginSeconds * 1000, now)}, if it goes on like this`;
}

function readOnly(target: string, { readOnly }: Filesystem): DiskProblem | undefined {
  if (!readOnly) return undefined;
  return {
    status: 'fail',
    reason: 'read_only',
    clause: `the filesystem at ${target} is read-only`,
    remedy: "See why: sudo dmesg | grep -iE 'remount|i/o error'. Restart the VM, which checks the disk.",
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
  // There du sees neither snapshots nor what is allocated and not used.
  const btrfs = type === 'btrfs' ? `. See also: sudo btrfs filesystem usage ${target}` : '';
  return `See what fills it: sudo du -xh --max-depth=2 ${target} | sort -h | tail${btrfs}`;
}

/** Of ext4 a part is root's alone: 5 % unless somebody has said otherwise. */
function reserve({ type, source, sizeBytes, usedBytes, availableBytes }: Filesystem): string {
  const kept = sizeBytes - usedBytes - availableBytes;
  if (!type?.startsWith('ext') || !source || kept < sizeBytes / 100) return '';
  return `. ${size(kept)} more are kept for root; less are with: sudo tune2fs -m 1 ${source}`;
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
    remedy: `See where so many files are: sudo du -x --inodes --max-depth=2 ${target} | sort -n | tail`,
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
    remedy: `See what grows: sudo find ${target} -xdev -type f -mtime -1 -size +20M -exec ls -lh {} +`,
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
    remedy: 'Give the VM a larger disk (EFLOW: Deploy-Eflow -vmDataSize), or lower minSizeGiB.',
  };
}

function grade(
  usedPercent: number,
  { warnUsedPercent, failUsedPercent }: DiskLimits,
): 'warn' | 'fail' | undefined {
  if (usedPercent >= failUsedPercent) return 'fail';
  return usedPercent >= warnUsedPercent ? 'warn' : undefined;
}
