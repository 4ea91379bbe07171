import { CodedError } from '../runtime/errors.ts';

/** What the injected reader says about one path of a patch. */
export type DiskFile =
  /** `key` tells whether two names mean the same file (real path, case folded where the file system does). */
  | { readonly kind: 'text'; readonly text: string; readonly key?: string }
  | { readonly kind: 'missing'; readonly key?: string }
  /** A regular file whose text cannot be edited (binary, too large): it can be deleted, renamed, copied. */
  | { readonly kind: 'opaque'; readonly error: CodedError; readonly key?: string };

/**
 * Reads a file for the planner. Refuses by throwing a CodedError: outside of the workspace, in `.git`, not a regular
 * file, dangling symlink; such an error is reported as the problem of that file.
 * @param path as it stands in the patch, with `./` removed
 */
export type ReadForPatch = (path: string) => Promise<DiskFile>;

export type FileContent =
  | { readonly kind: 'text'; readonly text: string }
  /** The bytes of the file named in `FileChange.source`, or of the file itself. */
  | { readonly kind: 'opaque'; readonly error: CodedError };

/** One file while the sections of a patch are carried out in memory. */
export interface VirtualFile {
  readonly key: string;
  /** The first name that the patch uses for it. */
  readonly path: string;
  readonly before: FileContent | undefined;
  content: FileContent | undefined;
  /** The file on disk that the content came from; undefined for new content. */
  origin: string | undefined;
  mode: string | undefined;
  /** The same file under another spelling (letter case), after a rename to it. */
  spelling: string | undefined;
}

const CONCURRENT_READS = 16;

/** The files that a patch names, as they are on disk and as the patch leaves them. */
export class VirtualFiles {
  readonly #byKey = new Map<string, VirtualFile>();
  readonly #byName = new Map<string, VirtualFile | CodedError>();

  /** Reads all names, some at a time. Errors that are no CodedError are thrown. */
  async readAll(names: Iterable<string>, read: ReadForPatch, signal: AbortSignal | undefined): Promise<void> {
    const queue = [...new Set(names)];
    const results = new Array<DiskFile | CodedError>(queue.length);
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < queue.length) {
        signal?.throwIfAborted();
        const at = next++;
        try {
          results[at] = await read(queue[at] ?? '');
        } catch (error) {
          if (!(error instanceof CodedError)) throw error;
          results[at] = error;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENT_READS, queue.length) }, worker));
    // Taken over in the order of the patch, so that the first name of a file does not depend on timing.
    queue.forEach((name, at) => {
      const result = results[at];
      if (result !== undefined)
        this.#byName.set(name, result instanceof CodedError ? result : this.#file(name, result));
    });
  }

  #file(name: string, disk: DiskFile): VirtualFile {
    const key = disk.key ?? name;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const before: FileContent | undefined =
      disk.kind === 'missing'
        ? undefined
        : disk.kind === 'text'
          ? { kind: 'text', text: disk.text }
          : { kind: 'opaque', error: disk.error };
    const file: VirtualFile = {
      key,
      path: name,
      before,
      content: before,
      origin: before === undefined ? undefined : name,
      mode: undefined,
      spelling: undefined,
    };
    this.#byKey.set(key, file);
    return file;
  }

  /** The file of a name, or why it could not be read. */
  get(name: string): VirtualFile | CodedError {
    const file = this.#byName.get(name);
    if (file === undefined) throw new Error(`${name} was not read`);
    return file;
  }

  /** All files, in the order in which the patch names them. */
  all(): VirtualFile[] {
    return [...this.#byKey.values()];
  }
}
