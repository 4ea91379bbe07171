/** Runs pieces of work one after the other, in the order in which they came. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    // One that fails holds up nobody.
    const result = this.#last.then(work, work);
    this.#last = result;
    return result;
  }
}
