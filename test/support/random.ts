/** Pseudo-random numbers: the same seed gives the same sequence. */
export interface Random {
  readonly seed: number;
  /** In [0, 1). */
  next(): number;
  /** An integer in [0, limit). */
  below(limit: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
}

/** The Mulberry32 generator. */
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

/** The seed from an environment variable, by default the same for every run. It is printed. */
export function seedOf(variable: string): number {
  const seed = Number(process.env[variable] || 20_261_121);
  if (!Number.isInteger(seed))
    throw new Error(`${variable} must be an integer, got "${process.env[variable]}"`);
  console.log(`${variable}=${seed}`);
  return seed;
}
