import { CodedError } from '../runtime/errors.ts';
import type { GitProgram } from './git-program.ts';
import { MAX_PIECE_BYTES } from './patch-output.ts';
import type { Repository } from './repository.ts';

export interface BlamedCommit {
  readonly hash: string;
  readonly short: string;
  readonly author: string;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly subject: string;
  /** How many of the lines shown are from it. */
  readonly lines: number;
}

export interface BlameReport {
  /** `<short hash> <line number>) <text>` for every line. */
  readonly blame: string;
  /** The commits of these lines, the one with most lines first. */
  readonly commits: readonly BlamedCommit[];
  readonly startLine: number;
  readonly endLine: number;
  /** The line to go on from; undefined when everything asked for is there. */
  readonly nextLine: number | undefined;
}

const SHORT = 8;

/** Who last changed each line, uncommitted changes included. */
export async function readBlame(
  program: GitProgram,
  repository: Repository,
  options: { path: string; startLine?: number; endLine?: number },
  signal?: AbortSignal,
): Promise<BlameReport> {
  const start = options.startLine ?? 1;
  if (options.endLine !== undefined && options.endLine < start) {
    throw new CodedError(
      'INVALID_PARAMS',
      `"end_line" ${options.endLine} is before "start_line" ${start}.`,
      'Swap the two, or leave one out.',
    );
  }
  const ranged = options.startLine !== undefined || options.endLine !== undefined;
  const parser = new BlameParser();
  try {
    await program.run(
      [
        'blame',
        '--no-textconv',
        '--porcelain',
        ...(ranged ? ['-L', `${start},${options.endLine ?? ''}`] : []),
        '--',
        options.path,
      ],
      { cwd: repository.top, reads: true, signal, onStdout: (chunk) => parser.push(chunk) },
    );
  } catch (error) {
    throw explain(error, options.path);
  }
  return parser.finish(start);
}

function explain(error: unknown, path: string): unknown {
  if (!(error instanceof CodedError)) return error;
  const output = String(error.details?.['git_output'] ?? '');
  const lines = output.match(/has only (\d+) lines?/);
  if (lines !== null) {
    return new CodedError(
      'INVALID_PARAMS',
      `"${path}" has only ${lines[1]} lines.`,
      'Give a range inside of the file.',
    );
  }
  // A file that the repository's configuration names; git quotes the line that it cannot use, whatever the file is.
  if (/^fatal: (invalid object name: |could not open object name list: )/m.test(output)) {
    return new CodedError(
      'GIT_FAILED',
      "git blame cannot use the file that blame.ignoreRevsFile of the repository's configuration names: it is not a list of commits.",
      'Have the setting mended or removed (git config --get-all blame.ignoreRevsFile).',
    );
  }
  if (
    /no such path|cannot stat path|Cannot lstat|no such ref: HEAD/i.test(output) ||
    error.code === 'REF_NOT_FOUND'
  ) {
    return new CodedError(
      'FILE_NOT_FOUND',
      `"${path}" is not in HEAD, so no line of it has a history.`,
      'git_status shows whether it is untracked.',
    );
  }
  return error;
}

class BlameParser {
  #rest: Buffer = Buffer.alloc(0);
  readonly #commits = new Map<string, { author: string; date: string; subject: string; lines: number }>();
  #current = { hash: '', line: 0 };
  readonly #lines: string[] = [];
  #bytes = 0;
  #full = false;

  push(chunk: Buffer): boolean {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, at)) {
      this.#line(bytes.toString('utf8', at, end));
      at = end + 1;
      if (this.#full) return false;
    }
    this.#rest = bytes.subarray(at);
    // One line that alone is larger than an answer.
    return this.#rest.length < 16 * MAX_PIECE_BYTES;
  }

  finish(start: number): BlameReport {
    const commits = [...this.#commits].map(([hash, info]) => ({
      hash,
      short: hash.slice(0, SHORT),
      ...info,
    }));
    const shown = commits.filter((commit) => commit.lines > 0).sort((a, b) => b.lines - a.lines);
    const endLine = start + this.#lines.length - 1;
    return {
      blame: this.#lines.join(''),
      commits: shown,
      startLine: start,
      endLine,
      nextLine: this.#full ? endLine + 1 : undefined,
    };
  }

  #line(text: string): void {
    if (text.startsWith('\t')) {
      this.#content(text.slice(1));
      return;
    }
    const header = text.match(/^([0-9a-f]{40,64}) \d+ (\d+)/);
    if (header !== null) {
      this.#current = { hash: header[1]!, line: Number(header[2]) };
      return;
    }
    let commit = this.#commits.get(this.#current.hash);
    if (commit === undefined) {
      commit = { author: '', date: '', subject: '', lines: 0 };
      this.#commits.set(this.#current.hash, commit);
    }
    if (text.startsWith('author ')) commit.author = text.slice('author '.length);
    else if (text.startsWith('summary ')) commit.subject = text.slice('summary '.length);
    else if (text.startsWith('author-time ')) {
      commit.date = new Date(Number(text.slice('author-time '.length)) * 1000)
        .toISOString()
        .replace('.000Z', 'Z');
    }
  }

  #content(text: string): void {
    const line = `${this.#current.hash.slice(0, SHORT)} ${this.#current.line}) ${text}\n`;
    this.#bytes += Buffer.byteLength(line);
    if (this.#bytes > MAX_PIECE_BYTES && this.#lines.length > 0) {
      this.#full = true;
      return;
    }
    this.#lines.push(line);
    const commit = this.#commits.get(this.#current.hash);
    if (commit !== undefined) commit.lines++;
  }
}
