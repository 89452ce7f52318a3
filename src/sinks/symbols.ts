import type { Status } from '../check.ts';

/** Distinguishes statuses by shape as well as by colour, for people who cannot see the colours. */
export const symbols = { pass: '✓', warn: '!', fail: '✗', unknown: '?', skip: '–' } satisfies Record<
  Status,
  string
>;
