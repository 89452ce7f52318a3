/** Chance that can be had again: the same seed gives the same numbers. */
export interface Random {
  readonly seed: number;
  /** From 0 up to, but not, 1. */
  next(): number;
  /** A whole number from 0 up to, but not, `limit`. */
  below(limit: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
}

/** Mulberry32. */
export function seeded(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { seed, next, below, pick: (from) => from[below(from.length)] ?? from[0] };
}

/** The seed that a variable of the environment asks for, or another one each time. It is printed. */
export function seedOf(variable: string): number {
  const seed = Number(process.env[variable] || Math.floor(Math.random() * 2 ** 31));
  if (!Number.isInteger(seed))
    throw new Error(`${variable} is "${process.env[variable]}", not a whole number`);
  console.log(`${variable}=${seed}`);
  return seed;
}
