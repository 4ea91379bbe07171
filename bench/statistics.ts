/** The value below which the share `p` (0 to 1) of the samples lies, interpolated; undefined without samples. */
export function percentile(samples: readonly number[], p: number): number | undefined {
  const sorted = [...samples].sort((a, b) => a - b);
  const position = (sorted.length - 1) * p;
  const low = sorted[Math.floor(position)];
  const high = sorted[Math.ceil(position)];
  if (low === undefined || high === undefined) return undefined;
  return low + (high - low) * (position - Math.floor(position));
}

export function median(samples: readonly number[]): number | undefined {
  return percentile(samples, 0.5);
}

/** Milliseconds with about three digits. */
export function shownMs(ms: number): string {
  return ms.toFixed(Math.abs(ms) < 10 ? 2 : Math.abs(ms) < 100 ? 1 : 0);
}
