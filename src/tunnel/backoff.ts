/** Waits between attempts: doubled each time up to a bound, with jitter so that many do not come back at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #attempts = 0;

  constructor(firstMs: number, maxMs: number, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** Milliseconds until the next attempt: between half of the bound and the bound of this one. */
  nextMs(): number {
    const boundMs = Math.min(this.#firstMs * 2 ** Math.min(this.#attempts++, 30), this.#maxMs);
    return Math.round(boundMs * (0.5 + this.#random() / 2));
  }

  reset(): void {
    this.#attempts = 0;
  }
}
