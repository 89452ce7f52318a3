import type * as z from 'zod';

/** A refinement of a check's parameters: `warn` must not lie `beyond` `fail`, or it would never warn. Both may be defaults. */
export const warnsFirst = <Warn extends string, Fail extends string>(
  warn: Warn,
  beyond: 'above' | 'below',
  fail: Fail,
): [(params: Readonly<Record<Warn | Fail, number>>) => boolean, z.core.$ZodCustomParams] => [
  (params) => (beyond === 'above' ? params[warn] <= params[fail] : params[warn] >= params[fail]),
  {
    path: [warn],
    error: ({ input }) => {
      const params = input as Readonly<Record<string, unknown>>;
      return `${params[warn]} is ${beyond} ${fail} (${params[fail]}), so it would never warn`;
    },
  },
];
