/** The smallest, the middle and the largest of some repetitions. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** One thing that was measured, of the agent and of what it stands beside. Less is better in every row. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly agent: Spread;
  /** Absent where the program is not on this machine. */
  readonly beside?: Spread & { readonly name: string };
  /** The agent's median by the other's. */
  readonly ratio?: number;
}

/** What each repetition gave; nothing in `beside` where the program is not on this machine. */
export interface Measured {
  readonly agent: number[];
  readonly beside: number[];
}

export const nothingYet = (): Measured => ({ agent: [], beside: [] });

/** The middle one, or the mean of the two in the middle. Throws for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error('There is no median of nothing');
  return (lower + upper) / 2;
}

export function row(what: string, unit: string, besideName: string, { agent, beside }: Measured): Row {
  const ours = spread(agent);
  if (beside.length === 0) return { what, unit, agent: ours };
  const theirs = spread(beside);
  return {
    what,
    unit,
    agent: ours,
    beside: { name: besideName, ...theirs },
    ratio: ours.median / theirs.median,
  };
}

const spread = (values: readonly number[]): Spread => ({
  min: Math.min(...values),
  median: median(values),
  max: Math.max(...values),
});
