/**
 * What builds made before, each file named by everything that it was made from: where the name exists, the file is
 * what would be made again. Lies in .cache/build, which nothing but time empties.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

const UNUSED_FOR_MS = 30 * 24 * 3600 * 1000;

export class Store {
  #folder;
  #drafts = 0;

  /** @param {string} folder made when it is needed */
  constructor(folder) {
    this.#folder = folder;
  }

  /**
   * @param {string} name  what it is, for people; may end with a suffix such as `.zst`
   * @param {readonly (string | Uint8Array)[]} madeFrom  all that decides what the file holds
   * @param {(draft: string) => Promise<unknown>} make  writes the file or folder to that path
   * @returns {Promise<{ path: string, reused: boolean }>}
   */
  async get(name, madeFrom, make) {
    const path = join(this.#folder, `${digest(madeFrom).slice(0, 32)}-${name.replaceAll(/[/\\@]/g, '_')}`);
    if (existsSync(path)) {
      const now = new Date();
      await utimes(path, now, now);
      return { path, reused: true };
    }
    await mkdir(this.#folder, { recursive: true });
    this.#drafts += 1;
    const draft = join(this.#folder, `draft-${process.pid}-${this.#drafts}`);
    try {
      await make(draft);
      await rename(draft, path).catch(async (error) => {
        // Another build may have made the same at the same time: a folder cannot be renamed over another one.
        if (!existsSync(path)) throw error;
      });
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    return { path, reused: false };
  }

  /** Removes what no build has used for a month, and what a build that was killed left behind. */
  async prune() {
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() })); // another build pruned it
      if (Date.now() - mtimeMs > UNUSED_FOR_MS) await rm(path, { recursive: true, force: true });
    }
  }
}

/** SHA-256 over the parts and over where each ends, hex. */
export function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(part);
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('hex');
}
