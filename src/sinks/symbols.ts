import type { Status } from '../check.ts';

/** Shapes as well as colours, for those who do not see the colours. */
export const symbols = { pass: '✓', warn: '!', fail: '✗', unknown: '?', skip: '–' } satisfies Record<
  Status,
  string
>;
