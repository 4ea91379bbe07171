import { randomBytes } from 'node:crypto';

/** What the pages so far have shown of one search. */
export interface Shown {
  /** Files shown to their end. */
  readonly files: ReadonlySet<string>;
  /** Files in which a page stopped, with the last line shown. */
  readonly partial: ReadonlyMap<string, number>;
}

interface Page {
  readonly search: string;
  readonly shown: Shown;
}

const MAX_REMEMBERED_FILES = 50_000;

/**
 * Remembers where searches that were cut stopped. The engine searches files in parallel, in no order that would be
 * the same the next time, and putting them in order would cost half as much again: so that the next page can leave
 * out exactly what has been shown, that is what is kept, for the latest searches.
 */
export class Pages {
  readonly #pages = new Map<string, Page>();
  #files = 0;

  /** @returns the cursor that asks for what comes next */
  remember(search: string, shown: Shown): string {
    const cursor = randomBytes(5).toString('hex');
    this.#pages.set(cursor, { search, shown });
    this.#files += weight(shown);
    for (const [oldest, page] of this.#pages) {
      if (this.#files <= MAX_REMEMBERED_FILES || this.#pages.size === 1) break;
      this.#pages.delete(oldest);
      this.#files -= weight(page.shown);
    }
    return cursor;
  }

  /** What had been shown, or undefined when the cursor is unknown, forgotten, or of another search. */
  recall(search: string, cursor: string): Shown | undefined {
    const page = this.#pages.get(cursor);
    return page?.search === search ? page.shown : undefined;
  }
}

function weight({ files, partial }: Shown): number {
  return files.size + partial.size + 1;
}
