import { lstat, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { DiskFile, PatchPlan, FileChange as PlannedChange } from '../patch/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { isSameOrInside, realPathOfExistingPart } from '../runtime/paths.ts';
import { homeFolder, isMac, isWindows } from '../runtime/platform.ts';
import {
  binaryFile,
  commitFiles,
  decodeText,
  encodeText,
  type FileChangeRecorder,
  type FileCommit,
  type FileRef,
  type FileSnapshot,
  fileError,
  MAX_EDIT_BYTES,
  oncePerFile,
  realTarget,
  replaceBy,
  type TextEncoding,
  takeSnapshot,
  tooLargeToEdit,
  type Workspace,
} from '../workspace/index.ts';

/** A file of the patch as it is on the disk. */
interface PatchedFile {
  /** Symlinks resolved. */
  readonly file: FileRef;
  readonly snapshot: FileSnapshot | undefined;
  readonly encoding: TextEncoding | undefined;
  /** The name in the patch is a symbolic link to the file. */
  readonly isLink: boolean;
}

/** Mode bits of a new file before the umask. */
const NEW_FILE_MODE = 0o666;

/**
 * The files that one patch speaks of: where its names lead, what is there, and how what the patch makes of them gets
 * onto the disk. The planner sees nothing but texts.
 */
export class PatchFiles {
  readonly #workspace: Workspace;
  readonly #place: PatchPlace;
  readonly #files = new Map<string, PatchedFile>();

  constructor(workspace: Workspace, place: PatchPlace) {
    this.#workspace = workspace;
    this.#place = place;
  }

  /** The real path of each name, to be locked before anything is read. A name that will be refused has none. */
  async lockPaths(names: readonly string[]): Promise<string[]> {
    const found = await Promise.all(
      [...new Set(names)].map((name) =>
        this.#target(name).then(
          ({ target }) => [target.path],
          () => [],
        ),
      ),
    );
    return found.flat();
  }

  /**
   * Reads one file for the planner.
   * @throws {CodedError} PATH_OUTSIDE_WORKSPACE, DENIED, UNSUPPORTED_FILE, IS_A_DIRECTORY, …
   */
  async read(name: string): Promise<DiskFile> {
    const { target: file, isLink } = await this.#target(name);
    const key = isWindows || isMac ? file.path.toLowerCase() : file.path;
    let snapshot: FileSnapshot | undefined;
    try {
      snapshot = await takeSnapshot(file, MAX_EDIT_BYTES);
    } catch (error) {
      throw await fileError(error, file, 'read');
    }
    const decoded = snapshot?.bytes && decodeText(snapshot.bytes);
    this.#files.set(name, { file, snapshot, encoding: decoded ? decoded.encoding : undefined, isLink });
    if (!snapshot) return { kind: 'missing', key };
    if (decoded) return { kind: 'text', text: decoded.text, key };
    const error = snapshot.bytes ? binaryFile(file) : tooLargeToEdit(file, Number(snapshot.stats.size));
    return { kind: 'opaque', error, key };
  }

  /** How results show a name of the patch. */
  shown(name: string): string {
    return this.#workspace.display(this.#absolute(name));
  }

  /**
   * Puts the plan onto the disk, all or nothing.
   * @throws {CodedError} CHANGED_ON_DISK, PERMISSION_DENIED, DISK_FULL, …; nothing has changed then
   */
  async commit(
    plan: PatchPlan,
    options: { stateDir: string; recorder: FileChangeRecorder | undefined; signal: AbortSignal },
  ): Promise<string | undefined> {
    const commits = this.commits(plan);
    const { checkpointId } = await commitFiles(commits, { ...options, locked: true });
    for (const { path, spelling } of plan.changes) {
      if (spelling !== undefined) await this.#respell(path, spelling);
    }
    return checkpointId;
  }

  /** What the plan does to each file; also checks what the planner cannot know. */
  commits(plan: PatchPlan): FileCommit[] {
    const commits = plan.changes
      .filter(({ before, after }) => before !== undefined || after !== undefined)
      .map((change) => {
        const { file, snapshot, isLink } = this.#file(change.path);
        if (change.after === undefined && isLink) throw linkInTheWay(file);
        return { file, before: snapshot, after: change.after && this.#newFile(change) };
      });
    oncePerFile(commits);
    return commits;
  }

  #newFile(change: PlannedChange): Extract<FileCommit['after'], { type: 'file' }> {
    const own = this.#file(change.path);
    const origin = change.source === undefined ? own : this.#file(change.source);
    const like = own.snapshot ? undefined : origin.snapshot;
    const mode = change.mode === undefined ? undefined : gitMode(change.mode, own.snapshot ?? like);
    return { type: 'file', content: contentOf(change, origin), mode, like };
  }

  #file(name: string): PatchedFile {
    const found = this.#files.get(name);
    if (!found) throw new Error(`${name} was not read`);
    return found;
  }

  #absolute(name: string): string {
    const { base } = this.#place;
    if (base === undefined || /^~([/\\]|$)/.test(name)) return this.#workspace.resolve(name);
    return resolve(base, name);
  }

  /** Where a name leads, checked. */
  async #target(name: string): Promise<{ target: FileRef; isLink: boolean }> {
    const absolute = await this.#workspace.forWriting(this.#absolute(name));
    const shown = this.#workspace.display(absolute);
    const real = await realPathOfExistingPart(absolute);
    for (const path of [absolute, real]) this.#assertInside(name, path);
    for (const path of [absolute, real]) refuseGitFolder(name, path);
    const target = await realTarget({ path: absolute, shown });
    this.#assertInside(name, target.path);
    const isLink = await lstat(absolute).then(
      (stats) => stats.isSymbolicLink(),
      () => false,
    );
    return { target, isLink };
  }

  #assertInside(name: string, path: string): void {
    const folders = [...this.#workspace.roots, ...this.#place.admitted];
    if (folders.some((folder) => isSameOrInside(path, folder))) return;
    throw new CodedError(
      'PATH_OUTSIDE_WORKSPACE',
      `"${name}" is outside of the workspace; a patch changes nothing there.`,
      this.#workspace.accessMode === 'full'
        ? `Give the folder that the patch belongs to as path (for example "${dirname(path).replace(homeFolder(), '~')}"), with names relative to it.`
        : 'Name files below the workspace roots; list_allowed_directories shows them.',
      { file: name },
    );
  }

  /** A rename that only changes upper and lower case, where the file system does not tell them apart. */
  async #respell(name: string, spelling: string): Promise<void> {
    const from = this.#file(name).file;
    await replaceBy(from.path, this.#absolute(spelling));
  }
}

/** What the tool's `path` means. */
export interface PatchPlace {
  /** A folder: names in the patch are relative to it. Undefined: the first root. */
  readonly base?: string;
  /** A file: hunks without a name belong to it. */
  readonly defaultPath?: string;
  /** The path itself and where it really is: named by the caller, it may be outside of the roots in full mode. */
  readonly admitted: readonly string[];
}

export async function patchPlace(workspace: Workspace, path: string | undefined): Promise<PatchPlace> {
  if (path === undefined) return { admitted: [] };
  const absolute = await workspace.forWriting(path);
  const admitted = [absolute, await realPathOfExistingPart(absolute)];
  const isFolder = await stat(absolute).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isFolder ? { base: absolute, admitted } : { defaultPath: absolute, admitted };
}

function contentOf(change: PlannedChange, origin: PatchedFile): Uint8Array {
  if (change.after?.kind === 'text') return encodeText(change.after.text, origin.encoding ?? 'utf-8');
  const bytes = origin.snapshot?.bytes;
  if (bytes) return bytes;
  const { shown } = origin.file;
  throw new CodedError(
    'TOO_LARGE',
    `Nothing was changed. "${shown}" is too large to be moved or copied by a patch.`,
    'Use move_file or copy_file for it, and leave it out of the patch.',
  );
}

/** The present mode with or without the right to execute, for whoever may read. */
function gitMode(mode: string, model: FileSnapshot | undefined): number {
  const present = model ? Number(model.stats.mode) & 0o7777 : NEW_FILE_MODE & ~process.umask();
  return mode === '100755' ? present | ((present & 0o444) >> 2) : present & ~0o111;
}

function refuseGitFolder(name: string, path: string): void {
  // Windows drops dots and spaces at the end of a name, and knows .git by a short one, too.
  const isGit = path.split(/[\\/]/).some((part) => /^(\.git|git~\d)[. ]*$/i.test(part));
  if (!isGit) return;
  throw new CodedError(
    'DENIED',
    `"${name}" belongs to git itself (.git); a patch changes nothing there.`,
    'Use the git tools to change the repository, or run_command.',
    { file: name },
  );
}

function linkInTheWay(file: FileRef): CodedError {
  return new CodedError(
    'UNSUPPORTED_FILE',
    `Nothing was changed. "${file.shown}" is a symbolic link, which a patch does not delete or rename.`,
    'Use delete_file or move_file for the link itself, or name the file that it points to.',
    { file: file.shown },
  );
}
