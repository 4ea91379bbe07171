import { CodedError } from '../runtime/errors.ts';
import type { GitProgram, GitRun } from './git-program.ts';

/**
 * Files that a command would show although the ignore rules exclude them: tracked all the same, or from a time before
 * the rule. The mode read-only does not show them.
 * @param list a command that prints the names of the files concerned, ended by NUL
 * @param leaveOut see DiffOptions
 * @returns their paths, none in other modes
 */
export async function ignoredFilesOf(
  program: GitProgram,
  list: readonly string[],
  run: Pick<GitRun, 'cwd' | 'signal'>,
  leaveOut?: (paths: readonly string[]) => Promise<readonly string[]>,
): Promise<string[]> {
  if (program.accessMode !== 'read-only') return [];
  const names = await program.run(list, { ...run, reads: true });
  // `./`: a name that begins with a colon is no pathspec with a meaning of its own.
  const listed = names.stdout
    .toString('latin1')
    .split('\0')
    .map((name) => name.replace(/^\n/, ''))
    .filter((name) => name !== '');
  if (listed.length === 0) return [];
  const checked = await program.run(['check-ignore', '--no-index', '--stdin', '-z'], {
    ...run,
    reads: true,
    plainPathspecs: true,
    input: Buffer.from(listed.map((name) => `./${name}\0`).join(''), 'latin1'),
    accept: [0, 1],
  });
  const ignored = checked.stdout
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '')
    .map((path) => path.slice('./'.length));
  const others = await leaveOut?.(listed.map((name) => Buffer.from(name, 'latin1').toString('utf8')));
  const paths = [...new Set([...ignored, ...(others ?? [])])];
  if (paths.some((path) => path.includes('\ufffd'))) throw refused('files whose names are no text');
  return paths;
}

/** Pathspecs that leave these files out, for a command that runs with `plainPathspecs`. */
export function withoutFiles(paths: readonly string[], only: string | undefined): string[] {
  return [
    only === undefined || only === '.' ? ':(top)' : `:(top,literal)${only}`,
    ...paths.map((path) => `:(top,exclude,literal)${path}`),
  ];
}

export function refused(what: string): CodedError {
  return new CodedError(
    'DENIED',
    `This would show ${what}, which the ignore rules exclude, and the access mode is read-only.`,
    'git_diff with "ref": "<commit>^..<commit>" shows what else the commit changes; git_show with "file" shows one file of it.',
  );
}
