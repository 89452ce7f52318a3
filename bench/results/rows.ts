/** The smallest, the median and the largest of the repetitions. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** The most that is acceptable: of the agent's own figure, or of its ratio to the baseline. */
export type Budget = { readonly agent: number } | { readonly ratio: number };

/** One measured quantity of the agent and of the baseline: what it is compared with. Less is better. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly agent: Spread;
  /** The baseline. Absent when its program is not installed. */
  readonly beside?: Spread & { readonly name: string };
  /** The agent's median divided by the baseline's. */
  readonly ratio?: number;
  readonly budget?: Budget;
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

/** The value that so much of the values, from 0 to 1, do not exceed. Throws for an empty list. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  if (value === undefined) throw new Error('An empty list has no quantile');
  return value;
}

export function createRow(
  what: string,
  unit: string,
  baselineName: string,
  { agent, baseline }: Samples,
  budget?: Budget,
): Row {
  const agentSpread = spread(agent);
  const row = { what, unit, agent: agentSpread, ...(budget && { budget }) };
  if (baseline.length === 0) return row;
  const beside = { name: baselineName, ...spread(baseline) };
  return { ...row, beside, ...(beside.median > 0 && { ratio: agentSpread.median / beside.median }) };
}

/** Whether a row keeps its budget; undefined without one, or when what it limits was not measured. */
export function isWithinBudget({ agent, ratio, budget }: Row): boolean | undefined {
  if (!budget) return undefined;
  if ('agent' in budget) return agent.median <= budget.agent;
  return ratio === undefined ? undefined : ratio <= budget.ratio;
}

const spread = (values: readonly number[]): Spread => ({
  min: Math.min(...values),
  median: median(values),
  max: Math.max(...values),
});
