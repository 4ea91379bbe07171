import { refNotFound } from './failures.ts';
import type { GitProgram } from './git-program.ts';
import { checkRevision } from './names.ts';
import type { Repository } from './repository.ts';

/**
 * The full hash of the commit that a caller's revision names.
 * @throws {CodedError} REF_NOT_FOUND, INVALID_PARAMS
 */
export async function resolveCommit(
  program: GitProgram,
  repository: Repository,
  ref: string,
  signal?: AbortSignal,
): Promise<string> {
  const hash = await tryResolveCommit(program, repository, ref, signal);
  if (hash === undefined) throw refNotFound(ref);
  return hash;
}

/** The same, undefined when there is no such commit. */
export async function tryResolveCommit(
  program: GitProgram,
  repository: Repository,
  ref: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const result = await program.run(
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${checkRevision(ref)}^{commit}`],
    { cwd: repository.top, reads: true, signal, accept: [0, 1, 128] },
  );
  const hash = result.stdout.toString('utf8').trim().split('\n').at(-1) ?? '';
  return result.exitCode === 0 && /^[0-9a-f]{40,64}$/.test(hash) ? hash : undefined;
}

/**
 * Splits `rev:path` (gitrevisions(7)): the colon counts outside of braces only, and `:/text` is a search.
 * `:1:path` gives the stage as its revision. Undefined when the revision names no file.
 */
export function splitRevisionPath(ref: string): { revision: string; path: string } | undefined {
  if (ref.startsWith(':/')) return undefined;
  const stage = ref.match(/^:([0-3]):(.*)$/s);
  if (stage !== null) return { revision: `:${stage[1]}`, path: stage[2]! };
  let depth = 0;
  for (let index = 0; index < ref.length; index++) {
    const character = ref[index];
    if (character === '{') depth++;
    else if (character === '}') depth--;
    else if (character === ':' && depth === 0)
      return { revision: ref.slice(0, index), path: ref.slice(index + 1) };
  }
  return undefined;
}
