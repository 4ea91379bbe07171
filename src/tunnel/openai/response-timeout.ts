const NANOSECONDS = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
} as const;
/** The contract's durations are signed 64-bit nanoseconds. */
const MAX_NANOSECONDS = 2n ** 63n - 1n;

/**
 * A command's `response_timeout` in milliseconds; undefined for none, and for everything that the contract calls
 * invalid: it must not make a command unreadable. Zero is valid and means that the time is over.
 */
export function parseResponseTimeout(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const match = /^([0-9]+)(ns|us|ms|s|m|h)$/.exec(value);
  // 19 digits hold every value that does not overflow; a million digits are not worth a conversion.
  const digits = match?.[1]?.replace(/^0+(?=.)/, '') ?? '';
  if (match === null || digits.length > 19) return undefined;
  const nanoseconds = BigInt(digits) * NANOSECONDS[match[2] as keyof typeof NANOSECONDS];
  return nanoseconds > MAX_NANOSECONDS ? undefined : Number(nanoseconds) / 1e6;
}
