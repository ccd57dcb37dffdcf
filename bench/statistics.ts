/** A figure over all rounds: the median of the rounds' own, and how far they lay apart. */
export interface Summary {
  median: number;
  min: number;
  max: number;
}

export function summarize(rounds: readonly number[]): Summary {
  return { median: median(rounds), min: Math.min(...rounds), max: Math.max(...rounds) };
}

/**
 * The median of the ratios of each round: the two programs of one round ran right after one another, so that what the
 * machine was busy with at that time mostly cancels out.
 */
export function ratios(ours: readonly number[], reference: readonly number[]): Summary {
  return summarize(ours.map((value, round) => value / (reference[round] as number)));
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values have no median');
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
