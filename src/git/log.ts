import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import { readTextInside } from '../workspace/index.ts';
import type { GitProgram } from './git-program.ts';
import { checkRevision } from './names.ts';
import type { Repository } from './repository.ts';

export interface LogEntry {
  readonly hash: string;
  readonly short: string;
  readonly author: string;
  readonly email: string;
  /** ISO 8601 with the author's time zone. */
  readonly date: string;
  readonly subject: string;
  readonly body?: string;
  /** Branches and tags at this commit, as git decorates them. */
  readonly refs?: readonly string[];
  /** Only for merges. */
  readonly parents?: readonly string[];
}

export interface LogOptions {
  readonly count: number;
  readonly skip?: number;
  /** Where to start; a range `a..b` works too. Default HEAD. */
  readonly ref?: string;
  /** Only commits that touch this file or folder, as a program argument. */
  readonly path?: string;
}

export interface LogReport {
  readonly entries: readonly LogEntry[];
  readonly more: boolean;
  /** The branch has no commit yet. */
  readonly unborn: boolean;
  /** The history is cut off: this is a shallow clone and the end was reached. */
  readonly shallowEnd: boolean;
}

export const COMMIT_FIELDS = ['%H', '%h', '%P', '%an', '%ae', '%aI', '%D', '%s', '%b'] as const;
/** Every field ends with NUL, which no field can contain. */
export const COMMIT_FORMAT = COMMIT_FIELDS.map((field) => `${field}%x00`).join('');

/** Bytes of entries in one answer; the rest is a further call. */
const MAX_LOG_BYTES = 200 * 1024;
/** A longer body is cut in a list; git_show has the whole one. */
const MAX_BODY_CHARS = 4_000;

/** The history, newest first, from one git process. */
export async function readLog(
  program: GitProgram,
  repository: Repository,
  options: LogOptions,
  signal?: AbortSignal,
): Promise<LogReport> {
  // git follows one file across renames; a folder, or a file that is gone, it takes as it is.
  const follow =
    options.path !== undefined &&
    (await lstat(join(repository.top, options.path)).catch(() => undefined))?.isFile() === true;
  const args = [
    'log',
    '-z',
    '--no-color',
    '--decorate=short',
    '--encoding=UTF-8',
    // -z would end each entry with one more NUL after the last field; "format:" puts it between entries.
    `--format=tformat:${COMMIT_FORMAT.slice(0, -'%x00'.length)}`,
    `--max-count=${options.count + 1}`,
    `--skip=${options.skip ?? 0}`,
    ...(follow ? ['--follow'] : []),
    '--end-of-options',
    options.ref === undefined ? 'HEAD' : checkRevision(options.ref),
    '--',
    ...(options.path === undefined ? [] : [options.path]),
  ];
  try {
    const result = await program.run(args, { cwd: repository.top, reads: true, signal });
    return await report(repository, result.stdout, options);
  } catch (error) {
    const onHead = options.ref === undefined || options.ref === 'HEAD';
    if (
      onHead &&
      error instanceof CodedError &&
      error.code === 'REF_NOT_FOUND' &&
      (await isUnborn(repository))
    ) {
      return { entries: [], more: false, unborn: true, shallowEnd: false };
    }
    throw error;
  }
}

async function report(repository: Repository, output: Buffer, options: LogOptions): Promise<LogReport> {
  const fields = output.toString('utf8').split('\0');
  const available = Math.floor(fields.length / COMMIT_FIELDS.length);
  const entries: LogEntry[] = [];
  let bytes = 0;
  for (let index = 0; index < Math.min(available, options.count); index++) {
    const entry = commitEntry(fields.slice(index * COMMIT_FIELDS.length, (index + 1) * COMMIT_FIELDS.length));
    bytes += Buffer.byteLength(JSON.stringify(entry));
    if (bytes > MAX_LOG_BYTES && entries.length > 0) break;
    entries.push(entry);
  }
  const more = available > entries.length;
  const shallowEnd =
    !more && (await stat(join(repository.commonDir, 'shallow')).catch(() => undefined)) !== undefined;
  return { entries, more, unborn: false, shallowEnd };
}

/** One commit from the fields of COMMIT_FORMAT. */
export function commitEntry(fields: readonly string[], maxBodyChars = MAX_BODY_CHARS): LogEntry {
  const [
    hash = '',
    short = '',
    parents = '',
    author = '',
    email = '',
    date = '',
    refs = '',
    subject = '',
    rawBody = '',
  ] = fields;
  const body = rawBody.trim();
  // Where a shallow clone ends git says so in the place of a name.
  const names = refs.split(', ').filter((name) => name !== '' && name !== 'grafted' && name !== 'replaced');
  const parentList = parents.split(' ');
  return {
    hash,
    short,
    author,
    email,
    date,
    subject,
    ...(body && {
      body:
        body.length > maxBodyChars
          ? `${body.slice(0, maxBodyChars)} [cut: ${maxBodyChars} of ${body.length} characters; git_show has all]`
          : body,
    }),
    ...(names.length > 0 && { refs: names }),
    ...(parentList.length > 1 && { parents: parentList }),
  };
}

/** Whether HEAD names a branch that has no commit yet. */
async function isUnborn(repository: Repository): Promise<boolean> {
  const head = (await readTextInside(join(repository.gitDir, 'HEAD'), 'utf8')).trim();
  const ref = head.match(/^ref: (refs\/.+)$/)?.[1];
  if (ref === undefined) return false;
  const packed = await readTextInside(join(repository.commonDir, 'packed-refs'), 'utf8').catch(() => '');
  if (packed.split('\n').some((line) => line.endsWith(` ${ref}`))) return false;
  return (await stat(join(repository.commonDir, ref)).catch(() => undefined)) === undefined;
}
