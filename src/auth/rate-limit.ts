/** Keys that are remembered; the one that was idle longest is forgotten for a new one. */
const MAX_KEYS = 1_000;

/** So many per key and span of time. */
export class RateLimit {
  readonly #max: number;
  readonly #windowMs: number;
  readonly #taken = new Map<string, number[]>();

  constructor(limit: { readonly max: number; readonly windowMs: number }) {
    this.#max = limit.max;
    this.#windowMs = limit.windowMs;
  }

  /** @returns false when the key has had its share */
  take(key: string, nowMs: number): boolean {
    const recent = (this.#taken.get(key) ?? []).filter((atMs) => atMs > nowMs - this.#windowMs);
    const allowed = recent.length < this.#max;
    if (allowed) recent.push(nowMs);
    this.#taken.delete(key);
    this.#taken.set(key, recent);
    if (this.#taken.size > MAX_KEYS) this.#taken.delete(this.#taken.keys().next().value ?? '');
    return allowed;
  }
}

/** One key for what one stranger commands: an IPv4 address, or a /64 of IPv6. */
export function addressKey(address: string | undefined): string | undefined {
  if (address === undefined || !address.includes(':')) return address;
  const groups = address.split('::', 1)[0]!.split(':');
  return `${groups.slice(0, 4).join(':')}::/64`;
}
