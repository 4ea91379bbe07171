/** The ranges of lines that hunks of a file have taken, so that no two of them change the same line. */
export class Occupied {
  /** Sorted and disjoint; an insertion is a range of length 0. */
  readonly #ranges: { start: number; end: number }[] = [];

  /** Whether [start, end) shares a line with a range, or lies inside of one without touching its ends. */
  overlaps(start: number, end: number): boolean {
    const before = this.#ranges[this.#countBefore(end) - 1];
    return before !== undefined && before.end > start;
  }

  add(start: number, end: number): void {
    let at = this.#countBefore(end);
    // An insertion at the very start of the new range stands before it.
    if (start === end) while (at < this.#ranges.length && this.#ranges[at]?.end === start) at++;
    this.#ranges.splice(at, 0, { start, end });
  }

  /** How many ranges begin before `line`; the last of these also ends last. */
  #countBefore(line: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.start ?? 0) < line) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
