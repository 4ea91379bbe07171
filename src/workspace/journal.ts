import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { movedPath, portableFolder } from '../runtime/portable.ts';
import { isOwnerAlive, ownOwnerId } from './journal-owner.ts';
import { isMissing } from './open-file.ts';
import { stateFolderError } from './state-folder.ts';

/** What stands at a path, told apart without keeping its content. */
export type EntryId =
  | { readonly type: 'file'; readonly sha256: string; readonly sizeBytes: number }
  | { readonly type: 'link'; readonly target: string };

/** One file of a transaction. */
export interface JournalFile {
  readonly path: string;
  /** Null: nothing was there. */
  readonly old: EntryId | null;
  /** Null: nothing will be there. */
  readonly new: EntryId | null;
  /** The new content beside the target, until it is renamed over it. Null for a deletion. */
  readonly staged: string | null;
  /** The old content beside the target (a second link to it where possible). Null where nothing was. */
  readonly backup: string | null;
  /** The target has several hard links, so that it is overwritten and not replaced. */
  readonly inPlace: boolean;
}

export interface JournalContent {
  readonly version: 1;
  readonly createdAtMs: number;
  readonly files: readonly JournalFile[];
  /** Folders that are made for the transaction, outermost first. */
  readonly madeFolders: readonly string[];
  /** Folders that are removed at the end if they are empty, innermost first. */
  readonly emptiedFolders: readonly string[];
  /** Of a portable run: the folder that its data folder lay in when this was written. */
  readonly beside?: string | undefined;
}

/**
 * How far a transaction is. `intent`: no target was touched; `commit`: everything is staged, it is to be finished;
 * `undo`: it failed half way and is being taken back.
 */
export type JournalPhase = 'intent' | 'commit' | 'undo';

/**
 * The record of one multi-file change in `<stateDir>/journal/`. Owner and phase are part of the file's name, because a
 * rename changes them in one step that a crash cannot split.
 */
export class Journal {
  readonly content: JournalContent;
  readonly #folder: string;
  readonly #id: string;
  #owner: string;
  #phase: JournalPhase;

  private constructor(
    folder: string,
    id: string,
    owner: string,
    phase: JournalPhase,
    content: JournalContent,
  ) {
    this.#folder = folder;
    this.#id = id;
    this.#owner = owner;
    this.#phase = phase;
    this.content = content;
  }

  get id(): string {
    return this.#id;
  }

  get phase(): JournalPhase {
    return this.#phase;
  }

  /**
   * Writes the intent and brings it to the disk, before anything is made beside any target.
   * @throws {CodedError} DISK_FULL, NOT_AVAILABLE
   */
  static async begin(stateDir: string, content: JournalContent): Promise<Journal> {
    return Journal.#begin(stateDir, content).catch(async (error: unknown) => {
      throw await stateFolderError(error, stateDir, 'prepared');
    });
  }

  static async #begin(stateDir: string, content: JournalContent): Promise<Journal> {
    const folder = journalFolder(stateDir);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const id = `${Date.now().toString(36)}${randomBytes(5).toString('hex')}`;
    const journal = new Journal(folder, id, await ownOwnerId(), 'intent', content);
    try {
      const handle = await open(journal.#path(), 'wx', 0o600);
      try {
        await handle.writeFile(JSON.stringify({ ...content, beside: besideData() } satisfies JournalContent));
        await handle.datasync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      await journal.remove().catch(() => {});
      throw error;
    }
    return journal;
  }

  async enter(phase: JournalPhase): Promise<void> {
    const from = this.#path();
    await rename(from, this.#path(this.#owner, phase));
    this.#phase = phase;
  }

  async remove(): Promise<void> {
    await unlink(this.#path());
  }

  /**
   * The journals whose owner is dead, now owned by this process: of several processes that find one, only one gets it.
   * An intent that was cut off while it was written is removed here; nothing had happened yet.
   */
  static async *takeOverDead(stateDir: string): AsyncGenerator<Journal> {
    const folder = journalFolder(stateDir);
    const own = await ownOwnerId();
    for (const name of (await namesIn(folder)).sort()) {
      const parsed = /^([0-9a-z]+)~([0-9a-f]+-\d+-[0-9a-f]+)\.(intent|commit|undo)$/.exec(name);
      if (!parsed) continue;
      const [, id = '', owner = '', phase = ''] = parsed;
      const createdAtMs = Number.parseInt(id.slice(0, -10), 36);
      if (await isOwnerAlive(owner, createdAtMs)) continue;
      const mine = `${id}~${own}.${phase}`;
      try {
        await rename(join(folder, name), join(folder, mine));
      } catch (error) {
        if (isMissing(error)) continue; // another instance was faster
        throw error;
      }
      const content = await moved(parseContent(await readFile(join(folder, mine), 'utf8')));
      if (content) yield new Journal(folder, id, own, phase as JournalPhase, content);
      // A later phase is entered only after the content is on the disk; if it cannot be read, it is left to a person.
      else if (phase === 'intent') await unlink(join(folder, mine));
    }
  }

  #path(owner = this.#owner, phase = this.#phase): string {
    return join(this.#folder, `${this.#id}~${owner}.${phase}`);
  }
}

function besideData(): string | undefined {
  const data = portableFolder();
  return data === undefined ? undefined : dirname(data);
}

/** A stick that was pulled out in the middle of a change comes back under another drive letter or mount point. */
async function moved(content: JournalContent | undefined): Promise<JournalContent | undefined> {
  const from = content?.beside;
  const to = besideData();
  if (content === undefined || from === undefined || to === undefined || from === to) return content;
  const isOld = (path: string) => movedPath(path, from, to) !== undefined;
  const old = content.files.filter(({ path }) => isOld(path));
  // What was copied is still there: then the files that were meant are the old ones.
  for (const { path } of old) if (await isThere(dirname(path))) return content;
  const follow = (path: string) => movedPath(path, from, to) ?? path;
  const orNull = (path: string | null) => (path === null ? null : follow(path));
  return {
    ...content,
    files: content.files.map((file) => ({
      ...file,
      path: follow(file.path),
      staged: orNull(file.staged),
      backup: orNull(file.backup),
    })),
    madeFolders: content.madeFolders.map(follow),
    emptiedFolders: content.emptiedFolders.map(follow),
  };
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function journalFolder(stateDir: string): string {
  return join(stateDir, 'journal');
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function parseContent(text: string): JournalContent | undefined {
  try {
    // Our own file, complete if it parses: it is written in one go and never changed.
    const content = JSON.parse(text) as JournalContent;
    return content.version === 1 ? content : undefined;
  } catch {
    return undefined;
  }
}
