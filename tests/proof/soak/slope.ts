/** Whether something that is sampled over a long time grows. */

/** One figure at one time. */
export interface Sample {
  /** Milliseconds. */
  at: number;
  value: number;
}

/** By how much the straight line through the samples (least squares) rises from the first to the last. */
export function rise(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return 0;
  const middle = mean(samples.map(({ at }) => at));
  const height = mean(samples.map(({ value }) => value));
  let [along, across] = [0, 0];
  for (const { at, value } of samples) {
    along += (at - middle) * (value - height);
    across += (at - middle) ** 2;
  }
  return across === 0 ? 0 : (along / across) * (last.at - first.at);
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
