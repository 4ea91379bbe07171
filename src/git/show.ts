import { isUtf8 } from 'node:buffer';
import { CodedError } from '../runtime/errors.ts';
import { PATCH_FLAGS } from './command.ts';
import { refNotFound } from './failures.ts';
import { pathFromBytes, pathToBytes, type RepoPath } from './file-names.ts';
import type { GitProgram } from './git-program.ts';
import { ignoredFilesOf, refused } from './ignored-files.ts';
import { COMMIT_FIELDS, COMMIT_FORMAT, commitEntry, type LogEntry } from './log.ts';
import { checkRevision, forShell } from './names.ts';
import {
  type ChangedFile,
  countPatch,
  cutPoint,
  MAX_PIECE_BYTES,
  readPatch,
  withLineCounts,
} from './patch-output.ts';
import type { Repository } from './repository.ts';
import { tryResolveCommit } from './revision.ts';

export interface ShownCommit {
  readonly commit: LogEntry;
  readonly files: readonly ChangedFile[];
  readonly diff: string;
  readonly added: number;
  readonly removed: number;
  readonly totalBytes: number | null;
  readonly nextOffset: number | undefined;
  readonly lossy: boolean;
}

export interface ShownFile {
  readonly kind: 'file' | 'folder';
  /** The text; for a folder its names, one per line, folders ending in "/". */
  readonly content: string;
  readonly sizeBytes: number;
  readonly nextOffset: number | undefined;
  readonly lossy: boolean;
}

/** How much of a message is shown in full. */
const MAX_MESSAGE_CHARS = 16_000;

/**
 * A commit with its changes; a merge is compared with its first parent.
 * @param path limits the diff to a file or folder
 */
export async function showCommit(
  program: GitProgram,
  repository: Repository,
  ref: string,
  offset: number,
  signal?: AbortSignal,
): Promise<ShownCommit> {
  checkRevision(ref);
  if (ref.startsWith('^') || /\.\.|\^[@!]$/.test(ref)) {
    throw new CodedError(
      'INVALID_PARAMS',
      `"${ref}" is a range of commits.`,
      'git_log {"ref":...} lists the commits of a range, git_diff {"ref":...} compares its ends.',
    );
  }
  const base = [
    'log',
    '--max-count=1',
    '-m',
    '--first-parent',
    '--decorate=short',
    '--encoding=UTF-8',
    ...PATCH_FLAGS,
  ];
  const run = { cwd: repository.top, reads: true, signal };
  const target = ['--end-of-options', ref, '--'];
  const ignored = await ignoredFilesOf(
    program,
    [
      'log',
      '--max-count=1',
      '-m',
      '--first-parent',
      '--name-only',
      '--no-renames',
      '-z',
      '--format=',
      ...target,
    ],
    run,
  );
  if (ignored.length > 0) throw refused(ignored.slice(0, 5).join(', '));
  const patch = await readPatch(
    program,
    [...base, `--format=tformat:${COMMIT_FORMAT}`, '--raw', '--patch', ...target],
    run,
    { fieldCount: COMMIT_FIELDS.length, list: true },
    offset,
  );
  if (patch.fields[0] === undefined) throw refNotFound(ref);
  const { totalBytes, nextOffset, lossy } = patch;
  const commit = commitEntry(patch.fields, MAX_MESSAGE_CHARS);
  const shown = { commit, files: patch.files, diff: patch.text, totalBytes, nextOffset, lossy };
  if (nextOffset === undefined && offset === 0) {
    const { added, removed } = countPatch(patch.text);
    return { ...shown, added, removed };
  }
  const numstat = await program.run([...base, '--format=tformat:', '--numstat', '-z', ...target], run);
  const files = withLineCounts(patch.files, numstat.stdout);
  const add = (key: 'added' | 'removed') => files.reduce((total, file) => total + (file[key] ?? 0), 0);
  return { ...shown, files, added: add('added'), removed: add('removed') };
}

/**
 * The content of a file (or the names in a folder) at a revision.
 * @param revision a commit, or `:0` … `:3` for the stages of the index
 * @throws {CodedError} REF_NOT_FOUND, FILE_NOT_FOUND, BINARY_FILE
 */
export async function showFile(
  program: GitProgram,
  repository: Repository,
  revision: string,
  path: RepoPath,
  offset: number,
  signal?: AbortSignal,
): Promise<ShownFile> {
  if (revision !== '') checkRevision(revision);
  const bytes = pathToBytes(path);
  if (bytes.includes(0x0a)) {
    throw new CodedError(
      'UNSUPPORTED_FILE',
      'A file with a line break in its name cannot be shown this way.',
      `Use run_command "git show ${forShell(`${revision}:${path}`)}".`,
    );
  }
  const reader = new ObjectReader(offset);
  // The name goes in by stdin: it is no argument, and need not be UTF-8.
  await program.run(['cat-file', '--batch'], {
    cwd: repository.top,
    reads: true,
    signal,
    input: Buffer.concat([Buffer.from(`${revision}:`), bytes, Buffer.from('\n')]),
    onStdout: (chunk) => reader.push(chunk),
  });
  const header = reader.header.match(/^([0-9a-f]{40,64}) (\w+) (\d+)$/);
  if (header === null) throw await notThere(program, repository, revision, path, signal);
  const [, hash = '', type] = header;
  const sizeBytes = Number(header[3]);
  if (type === 'tree') return listTree(program, repository, hash, signal);
  if (type !== 'blob') {
    throw new CodedError(
      'UNSUPPORTED_FILE',
      `"${path}" is a submodule there (${hash}).`,
      'Use git_show in the submodule, with its folder as "path".',
    );
  }
  const piece = reader.piece(sizeBytes);
  if (piece.subarray(0, 8_000).includes(0)) {
    throw new CodedError(
      'BINARY_FILE',
      `"${path}" at ${revision || 'the index'} is binary, ${sizeBytes} bytes.`,
      `Write it to a file with run_command "git show ${forShell(`${revision}:${path}`)} > file" and look at that.`,
      { size_bytes: sizeBytes },
    );
  }
  const more = offset + piece.length < sizeBytes;
  const kept = more ? piece.subarray(0, cutPoint(piece)) : piece;
  return {
    kind: 'file',
    content: kept.toString('utf8'),
    sizeBytes,
    nextOffset: more ? offset + kept.length : undefined,
    lossy: !isUtf8(kept),
  };
}

async function listTree(
  program: GitProgram,
  repository: Repository,
  hash: string,
  signal?: AbortSignal,
): Promise<ShownFile> {
  const result = await program.run(['ls-tree', '-z', hash], { cwd: repository.top, reads: true, signal });
  const lines: string[] = [];
  for (let at = 0; at < result.stdout.length; ) {
    const end = result.stdout.indexOf(0, at);
    const tab = result.stdout.indexOf(0x09, at);
    const isTree = result.stdout.toString('latin1', at, tab).includes(' tree ');
    lines.push(pathFromBytes(result.stdout.subarray(tab + 1, end)) + (isTree ? '/' : ''));
    at = end + 1;
  }
  const content = Buffer.from(`${lines.join('\n')}\n`);
  const kept =
    content.length > MAX_PIECE_BYTES
      ? content.subarray(0, cutPoint(content.subarray(0, MAX_PIECE_BYTES)))
      : content;
  return {
    kind: 'folder',
    content: kept.toString('utf8'),
    sizeBytes: content.length,
    nextOffset: undefined,
    lossy: false,
  };
}

async function notThere(
  program: GitProgram,
  repository: Repository,
  revision: string,
  path: RepoPath,
  signal?: AbortSignal,
): Promise<CodedError> {
  if (!/^(:[0-3])?$/.test(revision)) {
    const known = await tryResolveCommit(program, repository, revision, signal);
    if (known === undefined) return refNotFound(revision);
  }
  const where =
    revision === '' || revision === ':0'
      ? 'in the index'
      : revision.startsWith(':')
        ? `in stage ${revision.slice(1)} of the index`
        : `at ${revision}`;
  return new CodedError(
    'FILE_NOT_FOUND',
    `There is no "${path}" ${where}.`,
    'git_log {"file":...} lists the commits that touch a file. A path after ":" starts at the top of the repository.',
  );
}

/** Takes the header line and one piece of the content from `cat-file --batch`. */
class ObjectReader {
  readonly #offset: number;
  header = '';
  #headerDone = false;
  #seen = 0;
  #chunks: Buffer[] = [];
  #kept = 0;

  constructor(offset: number) {
    this.#offset = offset;
  }

  push(chunk: Buffer): boolean {
    let rest = chunk;
    if (!this.#headerDone) {
      const end = chunk.indexOf(0x0a);
      this.header += chunk.toString('utf8', 0, end === -1 ? chunk.length : end);
      if (end === -1) return this.header.length < 64 * 1024;
      this.#headerDone = true;
      rest = chunk.subarray(end + 1);
    }
    const skip = Math.max(this.#offset - this.#seen, 0);
    this.#seen += rest.length;
    if (skip < rest.length) {
      const part = rest.subarray(skip, skip + MAX_PIECE_BYTES - this.#kept);
      this.#chunks.push(part);
      this.#kept += part.length;
    }
    return this.#kept < MAX_PIECE_BYTES;
  }

  /** The piece without the line break that git puts after the object. */
  piece(sizeBytes: number): Buffer {
    return Buffer.concat(this.#chunks).subarray(0, Math.max(sizeBytes - this.#offset, 0));
  }
}
