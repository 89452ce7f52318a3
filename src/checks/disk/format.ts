import type { Filesystem } from '../../host/disk/types.ts';

/** Bytes in a MiB and in a GiB. */
export const mib = 1_048_576;
export const gib = 1024 * mib;

/** `512.0 MiB`, from 1 GiB on `1.0 GiB`. */
export const size = (bytes: number): string =>
  bytes < gib ? `${(bytes / mib).toFixed(1)} MiB` : `${(bytes / gib).toFixed(1)} GiB`;

/** As df counts: the reserve for root is neither used nor available. */
export const percent = (used: number, available: number): number => (100 * used) / (used + available);

/**
 * `used 80.0 % of 16.0 GiB at /var/lib (3.2 GiB free)`. A large reserve is left out of the size, or the numbers would
 * contradict each other.
 */
export function describeUsage(target: string, { usedBytes, availableBytes, sizeBytes }: Filesystem): string {
  const used = percent(usedBytes, availableBytes).toFixed(1);
  const usable = usedBytes + availableBytes;
  const reserved = sizeBytes - usable;
  const [total, note] =
    reserved > sizeBytes / 10 ? [usable, `, ${size(reserved)} more reserved`] : [sizeBytes, ''];
  return `used ${used} % of ${size(total)} at ${target} (${size(availableBytes)} free${note})`;
}

const dayMs = 86_400_000;

/** A future moment: within three days by the hour, later by the day. */
export function describeDate(moment: Date, marginMs: number, now: Date): string {
  const hours = (ms: number) => Math.max(1, Math.round(ms / (dayMs / 24)));
  const days = (ms: number) => Math.max(1, Math.round(ms / dayMs));
  const ahead = moment.getTime() - now.getTime();
  const iso = moment.toISOString();
  if (ahead <= 3 * dayMs) {
    const at = `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
    return `${at}, in ${hours(ahead)} h, give or take ${hours(marginMs)} h`;
  }
  return `${iso.slice(0, 10)}, in ${days(ahead)} days, give or take ${days(marginMs)}`;
}
