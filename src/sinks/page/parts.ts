import type { Status } from '../../check.ts';
import { symbols } from '../symbols.ts';

/** Each status as the page names it. */
export const statusNames = {
  pass: 'Pass',
  warn: 'Warning',
  fail: 'Fail',
  unknown: 'Unknown',
  skip: 'Skipped',
} satisfies Record<Status, string>;

/** A status as a coloured shape, with its name for screen readers. */
export const badge = (status: Status): string =>
  `<span class="badge ${status}" role="img" aria-label="${statusNames[status]}">${symbols[status]}</span>`;

/** The time between two moments in its largest unit: `4 min`, `3 h`, `12 days`. */
export function span(from: string, to: string): string {
  const seconds = Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
