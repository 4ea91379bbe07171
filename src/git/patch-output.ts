import { isUtf8 } from 'node:buffer';
import { pathFromQuoted, pathToBytes, type RepoPath } from './file-names.ts';
import type { GitProgram, GitRun } from './git-program.ts';

export type FileChangeWord =
  | 'modified'
  | 'added'
  | 'deleted'
  | 'renamed'
  | 'copied'
  | 'type changed'
  | 'conflicted';

export interface ChangedFile {
  readonly path: RepoPath;
  readonly status: FileChangeWord;
  readonly old_path?: RepoPath;
  /** Lines; null for a binary file, undefined when they were not counted. */
  readonly added?: number | null;
  readonly removed?: number | null;
}

export interface PatchOutput {
  /** The NUL-terminated fields that the format printed first. */
  readonly fields: readonly string[];
  readonly files: readonly ChangedFile[];
  /** The patch, or the piece of it that was asked for. */
  readonly text: string;
  /** Bytes of the whole patch; null when it is larger than what is counted (64 MiB). */
  readonly totalBytes: number | null;
  /** Where the next piece begins; undefined when this one reaches the end. */
  readonly nextOffset: number | undefined;
  /** Bytes that are not UTF-8 were replaced by U+FFFD. */
  readonly lossy: boolean;
}

/** The largest piece of a patch or file in one answer; leaves room for the rest of the envelope in 256 KiB. */
export const MAX_PIECE_BYTES = 224 * 1024;
/** Patches are read on past the piece, to say how much there is, but not for ever. */
const MAX_COUNTED_BYTES = 64 * 1024 * 1024;
/** Fields and the list of files; 100,000 files are about 10 MB. */
const MAX_HEAD_BYTES = 32 * 1024 * 1024;

/** What a command prints before its patch. */
export interface PatchHead {
  /** How many NUL-terminated fields come first. */
  readonly fieldCount: number;
  /** Then a list of files (`--raw`). A diff of conflicts cannot have one: git leaves their patches out then. */
  readonly list: boolean;
}

/**
 * Runs a command that prints a patch and keeps one piece of it however large it is.
 * @param offset bytes of the patch to leave out
 */
export async function readPatch(
  program: GitProgram,
  args: readonly string[],
  run: GitRun,
  head: PatchHead,
  offset: number,
): Promise<PatchOutput> {
  const reader = new PatchReader(head, offset);
  await program.run(args, { ...run, onStdout: (chunk) => reader.push(chunk) });
  return reader.finish();
}

class PatchReader {
  readonly #fieldCount: number;
  readonly #offset: number;
  #head: Buffer = Buffer.alloc(0);
  #headChunks: Buffer[] = [];
  #headBytes = 0;
  #inPatch: boolean;
  #piece: Buffer[] = [];
  #pieceBytes = 0;
  #patchBytes = 0;
  #stopped = false;

  constructor(head: PatchHead, offset: number) {
    this.#fieldCount = head.fieldCount;
    this.#offset = offset;
    this.#inPatch = head.fieldCount === 0 && !head.list;
  }

  push(chunk: Buffer): boolean {
    if (this.#inPatch) return this.#pushPatch(chunk);
    this.#headChunks.push(chunk);
    this.#headBytes += chunk.length;
    // Joined only when it doubled, so that many small chunks stay linear.
    if (this.#headBytes < this.#head.length * 2 && this.#headBytes < MAX_HEAD_BYTES) return true;
    return this.#lookForPatch();
  }

  finish(): PatchOutput {
    if (!this.#inPatch) this.#lookForPatch();
    const fields: string[] = [];
    let at = 0;
    for (let index = 0; index < this.#fieldCount; index++) {
      const end = this.#head.indexOf(0, at);
      if (end === -1) break;
      fields.push(this.#head.toString('utf8', at, end));
      at = end + 1;
    }
    const piece = Buffer.concat(this.#piece);
    const totalBytes = this.#stopped ? null : this.#patchBytes;
    const more = totalBytes === null || this.#offset + piece.length < totalBytes;
    const kept = more ? piece.subarray(0, cutPoint(piece)) : piece;
    return {
      fields,
      files: parseRawLines(this.#head.subarray(at)),
      text: kept.toString('utf8'),
      totalBytes,
      nextOffset: more ? this.#offset + kept.length : undefined,
      lossy: !isUtf8(kept),
    };
  }

  /** Splits what was collected where the patch begins, if that is there already. */
  #lookForPatch(): boolean {
    const bytes = Buffer.concat(this.#headChunks);
    this.#headChunks = [bytes];
    this.#head = bytes;
    let at = 0;
    for (let index = 0; index < this.#fieldCount; index++) {
      const end = bytes.indexOf(0, at);
      if (end === -1) return bytes.length < MAX_HEAD_BYTES;
      at = end + 1;
    }
    while (bytes[at] === NEWLINE) at++;
    // Names are quoted here, so an empty line ends the list.
    const end = bytes.indexOf('\n\n', at);
    if (end === -1) return bytes.length < MAX_HEAD_BYTES;
    this.#inPatch = true;
    this.#head = bytes.subarray(0, end + 1);
    this.#headChunks = [];
    return this.#pushPatch(bytes.subarray(end + 2));
  }

  #pushPatch(chunk: Buffer): boolean {
    const skip = Math.max(this.#offset - this.#patchBytes, 0);
    this.#patchBytes += chunk.length;
    const room = MAX_PIECE_BYTES - this.#pieceBytes;
    if (skip < chunk.length && room > 0) {
      const part = chunk.subarray(skip, skip + room);
      this.#piece.push(part);
      this.#pieceBytes += part.length;
    }
    if (this.#patchBytes <= Math.max(MAX_COUNTED_BYTES, this.#offset + MAX_PIECE_BYTES)) return true;
    this.#stopped = true;
    return false;
  }
}

const NEWLINE = 0x0a;

/** Where to cut a piece that goes on: after a line where there is one, never inside a character. */
export function cutPoint(bytes: Buffer): number {
  const line = bytes.lastIndexOf(NEWLINE);
  if (line > bytes.length / 2) return line + 1;
  // Back over the continuation bytes of the last character; it is kept when it is complete.
  let start = bytes.length;
  while (start > 0 && bytes.length - start < 4 && (bytes[start - 1]! & 0xc0) === 0x80) start--;
  if (start === 0) return bytes.length;
  const lead = bytes[start - 1]!;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return bytes.length - start + 1 < length ? start - 1 : bytes.length;
}

const RAW_WORDS: Readonly<Record<string, FileChangeWord>> = {
  M: 'modified',
  A: 'added',
  D: 'deleted',
  R: 'renamed',
  C: 'copied',
  T: 'type changed',
  U: 'conflicted',
};

/** Parses `:mode mode hash hash X<tab>path[<tab>path]` lines; a conflicted file stands there twice, once is kept. */
export function parseRawLines(output: Buffer): ChangedFile[] {
  const files = new Map<RepoPath, ChangedFile>();
  for (const line of output.toString('latin1').split('\n')) {
    if (!line.startsWith(':')) continue;
    const [meta = '', first = '', second] = line.split('\t');
    const status = RAW_WORDS[meta.slice(meta.lastIndexOf(' ') + 1)[0]!] ?? 'modified';
    const path = pathFromQuoted(second ?? first);
    if (files.get(path)?.status === 'conflicted') continue;
    files.set(path, { path, status, ...(second !== undefined && { old_path: pathFromQuoted(first) }) });
  }
  return [...files.values()];
}

/** Adds the line counts of `git diff --numstat -z` to a list of files. */
export function withLineCounts(files: readonly ChangedFile[], numstat: Buffer): ChangedFile[] {
  const counts = new Map<string, { added: number | null; removed: number | null }>();
  const records = numstat.toString('latin1').split('\0');
  for (let index = 0; index < records.length; index++) {
    const match = records[index]!.match(/^(\d+|-)\t(\d+|-)\t(.*)$/s);
    if (match === null) continue;
    let path = match[3]!;
    if (path === '') {
      // A rename: the old and the new name follow as records of their own.
      path = records[index + 2] ?? '';
      index += 2;
    }
    const number = (text: string) => (text === '-' ? null : Number(text));
    counts.set(path, { added: number(match[1]!), removed: number(match[2]!) });
  }
  return files.map((file) => {
    const count = counts.get(pathToBytes(file.path).toString('latin1'));
    return count === undefined ? file : { ...file, ...count };
  });
}

/** What a complete patch holds: files, lines added, lines removed. */
export interface PatchCounts {
  readonly files: number;
  readonly added: number;
  readonly removed: number;
}

/** Counts a complete patch. No line of a hunk begins like a header, so headers need no context. */
export function countPatch(patch: string): PatchCounts {
  const headers = new Set<string>();
  let [added, removed] = [0, 0];
  // Columns of marks: one in a hunk, one per parent in a combined one, none between them.
  let columns = 0;
  for (let at = 0; at < patch.length; ) {
    const lineEnd = patch.indexOf('\n', at);
    const end = lineEnd === -1 ? patch.length : lineEnd;
    const first = patch[at];
    if (first === 'd' || first === '*') {
      columns = 0;
      // A file that became a symlink has two patches under one header.
      if (/^(diff --|\* Unmerged)/.test(patch.slice(at, at + 10))) headers.add(patch.slice(at, end));
    } else if (first === '@') {
      columns = (patch.slice(at, at + 64).match(/^@+/)?.[0].length ?? 1) - 1;
    } else if (columns > 0) {
      const marks = patch.slice(at, at + columns);
      if (marks.includes('+')) added++;
      else if (marks.includes('-')) removed++;
    }
    at = end + 1;
  }
  return { files: headers.size, added, removed };
}
