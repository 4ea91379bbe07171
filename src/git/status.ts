import { pathFromBytes, type RepoPath } from './file-names.ts';
import type { GitProgram } from './git-program.ts';
import type { Repository } from './repository.ts';
import { type OperationState, operationInProgress } from './state.ts';

export type ChangeWord = 'modified' | 'added' | 'deleted' | 'renamed' | 'copied' | 'type changed';
export type EntryStatus = ChangeWord | 'untracked' | 'conflicted';

export interface StatusEntry {
  readonly path: RepoPath;
  /** What happened to it, the working tree's change before the staged one. */
  readonly status: EntryStatus;
  /** The change in the index against HEAD. */
  readonly staged?: ChangeWord;
  /** The change in the working tree against the index. */
  readonly unstaged?: ChangeWord;
  /** Where a renamed or copied file came from. */
  readonly old_path?: RepoPath;
  /** For conflicts: how it came about ("both modified", "deleted by us", …). */
  readonly conflict?: string;
  /** For conflicts: the versions that exist, as `ref` of git_show. */
  readonly versions?: { readonly base?: string; readonly ours?: string; readonly theirs?: string };
  /** For submodules: what is different inside. */
  readonly submodule?: string;
}

export interface StatusCounts {
  readonly staged: number;
  readonly unstaged: number;
  readonly untracked: number;
  readonly conflicted: number;
  /** Entries altogether; a file may be staged and unstaged at once. */
  readonly total: number;
}

export interface StatusReport {
  /** Undefined when HEAD is detached. */
  readonly branch?: string;
  /** Full hash of HEAD; undefined before the first commit. */
  readonly head?: string;
  readonly upstream?: string;
  /** Undefined when there is no upstream, or when it is gone. */
  readonly ahead?: number;
  readonly behind?: number;
  readonly stashes: number;
  readonly state?: OperationState;
  readonly counts: StatusCounts;
  /** At most the `limit` asked for, from `offset` on. */
  readonly entries: readonly StatusEntry[];
}

export interface StatusOptions {
  /** Only these files and folders. */
  readonly paths?: readonly string[];
  /** Default "normal": a folder with nothing tracked in it is one entry, ending in "/". */
  readonly untracked?: 'no' | 'normal' | 'all';
  readonly offset?: number;
  readonly limit?: number;
}

/** The state of a working tree, from one git process. */
export async function readStatus(
  program: GitProgram,
  repository: Repository,
  options: StatusOptions = {},
  signal?: AbortSignal,
): Promise<StatusReport> {
  const [result, state] = await Promise.all([
    program.run(statusArguments(await program.startsNothing(), options), {
      cwd: repository.top,
      reads: true,
      signal,
      maxBytes: 256 * 1024 * 1024,
    }),
    operationInProgress(repository),
  ]);
  const report = parseStatus(result.stdout, options.offset ?? 0, options.limit ?? Number.POSITIVE_INFINITY);
  return state === undefined ? report : { ...report, state };
}

function statusArguments(startsNothing: boolean, options: StatusOptions): string[] {
  return [
    'status',
    '--porcelain=v2',
    '--branch',
    '--show-stash',
    '--ahead-behind',
    '--find-renames',
    `--untracked-files=${options.untracked ?? 'normal'}`,
    // Looking into submodules would run the filters of their own configuration.
    ...(startsNothing ? ['--ignore-submodules=dirty'] : []),
    '-z',
    '--',
    ...(options.paths ?? []),
  ];
}

/** Parses `git status --porcelain=v2 --branch --show-stash -z` (git-status(1), "Porcelain Format Version 2"). */
export function parseStatus(output: Buffer, offset: number, limit: number): StatusReport {
  const head: { -readonly [K in keyof StatusReport]?: StatusReport[K] } = {};
  const counts = { staged: 0, unstaged: 0, untracked: 0, conflicted: 0, total: 0 };
  const entries: StatusEntry[] = [];
  let stashes = 0;
  for (let at = 0; at < output.length; ) {
    const end = endOf(output, at);
    const kind = output[at];
    if (kind === HASH) {
      const [name = '', value = ''] = splitOnce(output.toString('utf8', at + 2, end));
      if (name === 'branch.oid' && value !== '(initial)') head.head = value;
      else if (name === 'branch.head' && value !== '(detached)') head.branch = value;
      else if (name === 'branch.upstream') head.upstream = value;
      else if (name === 'stash') stashes = Number(value);
      else if (name === 'branch.ab') {
        const [ahead, behind] = value.split(' ').map((number) => Math.abs(Number(number)));
        head.ahead = ahead!;
        head.behind = behind!;
      }
      at = end + 1;
      continue;
    }
    let next = end + 1;
    const wanted = counts.total >= offset && entries.length < limit;
    counts.total++;
    if (kind === QUESTION) {
      counts.untracked++;
      if (wanted) entries.push({ path: pathFromBytes(output.subarray(at + 2, end)), status: 'untracked' });
    } else if (kind === UNMERGED) {
      counts.conflicted++;
      if (wanted) entries.push(conflictEntry(output, at, end));
    } else {
      if (output[at + 2] !== DOT) counts.staged++;
      if (output[at + 3] !== DOT) counts.unstaged++;
      const renamed = kind === RENAMED;
      const oldEnd = renamed ? endOf(output, next) : end;
      if (wanted)
        entries.push(changedEntry(output, at, end, renamed ? output.subarray(next, oldEnd) : undefined));
      if (renamed) next = oldEnd + 1;
    }
    at = next;
  }
  return { ...head, stashes, counts, entries };
}

const [HASH, QUESTION, UNMERGED, RENAMED, DOT, SPACE] = [0x23, 0x3f, 0x75, 0x32, 0x2e, 0x20];

const WORDS: Readonly<Record<string, ChangeWord>> = {
  M: 'modified',
  A: 'added',
  D: 'deleted',
  R: 'renamed',
  C: 'copied',
  T: 'type changed',
};

const CONFLICTS: Readonly<Record<string, string>> = {
  DD: 'both deleted',
  AU: 'added by us',
  UD: 'deleted by them',
  UA: 'added by them',
  DU: 'deleted by us',
  AA: 'both added',
  UU: 'both modified',
};

function changedEntry(output: Buffer, at: number, end: number, oldPath: Buffer | undefined): StatusEntry {
  const { fields, path } = splitFields(output, at, end, oldPath === undefined ? 8 : 9);
  const staged = WORDS[fields[1]![0]!];
  const unstaged = WORDS[fields[1]![1]!];
  const submodule = submoduleWords(fields[2]!);
  return {
    path,
    status: staged === 'added' && unstaged !== 'deleted' ? 'added' : (unstaged ?? staged ?? 'modified'),
    ...(staged && { staged }),
    ...(unstaged && { unstaged }),
    ...(oldPath && { old_path: pathFromBytes(oldPath) }),
    ...(submodule && { submodule }),
  };
}

function conflictEntry(output: Buffer, at: number, end: number): StatusEntry {
  const { fields, path } = splitFields(output, at, end, 10);
  const there = (stage: number) => fields[2 + stage] !== '000000';
  const submodule = submoduleWords(fields[2]!);
  return {
    path,
    status: 'conflicted',
    conflict: CONFLICTS[fields[1]!] ?? fields[1]!,
    versions: {
      ...(there(1) && { base: `:1:${path}` }),
      ...(there(2) && { ours: `:2:${path}` }),
      ...(there(3) && { theirs: `:3:${path}` }),
    },
    ...(submodule && { submodule }),
  };
}

function submoduleWords(field: string): string | undefined {
  if (!field.startsWith('S')) return undefined;
  const words = [
    field[1] === 'C' && 'new commits',
    field[2] === 'M' && 'modified files',
    field[3] === 'U' && 'untracked files',
  ];
  return words.filter(Boolean).join(', ') || 'changed';
}

/** The first `count` fields, which have no spaces, and the path that is the rest. */
function splitFields(
  output: Buffer,
  at: number,
  end: number,
  count: number,
): { fields: string[]; path: RepoPath } {
  const fields: string[] = [];
  let start = at;
  for (let index = 0; index < count; index++) {
    const space = output.indexOf(SPACE, start);
    fields.push(output.toString('latin1', start, space));
    start = space + 1;
  }
  return { fields, path: pathFromBytes(output.subarray(start, end)) };
}

function endOf(output: Buffer, from: number): number {
  const end = output.indexOf(0, from);
  return end === -1 ? output.length : end;
}

function splitOnce(text: string): [string, string] {
  const space = text.indexOf(' ');
  return space === -1 ? [text, ''] : [text.slice(0, space), text.slice(space + 1)];
}
