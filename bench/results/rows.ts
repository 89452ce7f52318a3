/** The smallest, the median and the largest of the repetitions. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** One measured quantity of the agent and of the baseline: the program it is compared with. Less is better. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly agent: Spread;
  /** The baseline. Absent when its program is not installed. */
  readonly beside?: Spread & { readonly name: string };
  /** The agent's median divided by the baseline's. */
  readonly ratio?: number;
}

/** One value per repetition. `baseline` stays empty when its program is not installed. */
export interface Samples {
  readonly agent: number[];
  readonly baseline: number[];
}

export const noSamples = (): Samples => ({ agent: [], baseline: [] });

/** The middle value, or the mean of the two middle values. Throws for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error('An empty list has no median');
  return (lower + upper) / 2;
}

export function createRow(
  what: string,
  unit: string,
  baselineName: string,
  { agent, baseline }: Samples,
): Row {
  const agentSpread = spread(agent);
  if (baseline.length === 0) return { what, unit, agent: agentSpread };
  const baselineSpread = spread(baseline);
  return {
    what,
    unit,
    agent: agentSpread,
    beside: { name: baselineName, ...baselineSpread },
    ratio: agentSpread.median / baselineSpread.median,
  };
}

const spread = (values: readonly number[]): Spread => ({
  min: Math.min(...values),
  median: median(values),
  max: Math.max(...values),
});
