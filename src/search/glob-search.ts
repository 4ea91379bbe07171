import { resolve } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import { isWindows } from '../runtime/platform.ts';
import type { Ending, Engine } from './engine.ts';
import { compileGlob, namesHidden } from './glob-pattern.ts';
import { isReachable } from './ignore-rules.ts';
import type { ModificationTimes } from './modification-times.ts';

export interface GlobRequest {
  /** Absolute path of a folder. */
  readonly folder: string;
  /** As prepared by `anchorGlob`. */
  readonly pattern: string;
  readonly includeIgnored?: boolean | undefined;
  /** How many of the newest to leave out, and how many to return after them. */
  readonly offset?: number | undefined;
  readonly maxResults: number;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GlobResult {
  /** Relative to the folder, `/`-separated, newest first, files of the same age by name. */
  readonly paths: readonly string[];
  /** All that match. */
  readonly total: number;
  /** The time was up: `total` and the order speak of what had been found by then. */
  readonly timedOut: boolean;
  readonly problems: readonly string[];
  readonly problemCount: number;
}

/**
 * Turns a caller's pattern, which may be absolute or begin with `./`, `../` or `~/`, into a folder and a pattern
 * below it. The folder of a relative pattern is `folder` unless the pattern leads out of it.
 *
 * @throws {CodedError} INVALID_PATTERN for `..` after a wildcard
 */
export function anchorGlob(
  folder: string,
  pattern: string,
  absolute: (path: string) => string,
): { folder: string; pattern: string } {
  let rest = isWindows ? pattern.replaceAll('\\', '/') : pattern;
  const excludes = rest.startsWith('!');
  if (excludes) rest = rest.slice(1);
  if (rest === '') {
    throw new CodedError('INVALID_PATTERN', 'The pattern is empty.', 'Give one such as "**/*.ts".');
  }
  const rooted = /^(?:\/|~\/|[A-Za-z]:\/)/.test(rest) && (isWindows || !/^[A-Za-z]:/.test(rest));
  let start = folder;
  if (rooted) {
    const { base, tail } = splitLiteral(rest);
    start = absolute(base === '' ? '/' : base);
    rest = tail;
    // Under the given folder the ignore rules on the way down hold, as for the same pattern written relatively.
    const inside = below(folder, start);
    if (inside !== undefined) {
      rest = inside === '' ? rest : `${escapeGlob(inside)}/${rest}`;
      start = folder;
    }
  }
  const names: string[] = [];
  for (const name of rest.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.length === 0) start = resolve(start, '..');
    else if (/[*?[{\\]/.test(names.pop()!)) {
      throw new CodedError(
        'INVALID_PATTERN',
        `In "${pattern}" a ".." follows a wildcard.`,
        'Give the folder as path and a pattern without "..".',
      );
    }
  }
  if (names.length === 0 || rest.endsWith('/')) names.push('**');
  // A pattern without a slash holds at every depth, as in ripgrep and .gitignore; `./*.ts` and `/a/*.ts` do not.
  const anywhere = !rooted && !rest.includes('/');
  return { folder: start, pattern: `${excludes ? '!' : ''}${anywhere ? '**/' : ''}${names.join('/')}` };
}

/** Lists what matches, newest first over all matches, and then cuts. */
export async function searchByGlob(
  engine: Engine,
  times: ModificationTimes,
  request: GlobRequest & { deadlineMs: number },
): Promise<GlobResult> {
  const excludes = request.pattern.startsWith('!');
  const glob = excludes ? request.pattern.slice(1) : request.pattern;
  const pattern = compileGlob(glob, { dot: excludes });
  const { base, tail } = excludes ? { base: '', tail: glob } : splitLiteral(glob);
  const ignoreRules = !request.includeIgnored;
  // What git keeps for itself is nobody's source; one has to ask for it by name and for ignored files.
  if (ignoreRules && base.split('/').includes('.git')) return NOTHING;
  if (base !== '' && !(await isReachable(request.folder, base, { ignoreRules }))) return NOTHING;
  const hidden = !excludes && namesHidden(tail);
  const depth = excludes ? undefined : compileGlob(tail, { dot: false }).maxDepth;

  const found: string[] = [];
  const batches: Promise<Float64Array>[] = [];
  const ending = await engine.listFiles(
    {
      folder: request.folder,
      below: base,
      maxDepth: depth,
      hidden,
      ignoreRules,
      gitFolder: !ignoreRules && /(?:^|[/{,])\.git(?:$|[/},])/.test(glob),
      deadlineMs: request.deadlineMs,
      signal: request.signal,
    },
    (paths) => {
      const matching = paths.filter((path) => pattern.matches(path) !== excludes);
      if (matching.length === 0) return;
      for (const path of matching) found.push(path);
      batches.push(times.of(request.folder, matching));
    },
  );
  const changed = (await Promise.all(batches)).flatMap((batch) => [...batch]);
  request.signal?.throwIfAborted();
  return {
    paths: newest(found, changed, request.offset ?? 0, request.maxResults),
    total: found.length,
    ...ending,
  };
}

const NOTHING: GlobResult & Ending = { paths: [], total: 0, timedOut: false, problems: [], problemCount: 0 };

function newest(
  paths: readonly string[],
  changed: readonly number[],
  offset: number,
  count: number,
): string[] {
  const order = Uint32Array.from(paths.keys());
  order.sort((a, b) => changed[b]! - changed[a]! || (paths[a]! < paths[b]! ? -1 : 1));
  return Array.from(order.subarray(offset, offset + count), (index) => paths[index]!);
}

/** The leading segments without a wildcard, the last segment never among them, and the rest. */
function splitLiteral(glob: string): { base: string; tail: string } {
  const names = glob.split('/');
  const first = names.findIndex((name) => /[*?[\]{}\\]/.test(name));
  const end = Math.min(first < 0 ? names.length : first, names.length - 1);
  return { base: names.slice(0, end).join('/'), tail: names.slice(end).join('/') };
}

/** `inner` relative to `outer`, '' when they are the same, undefined when it lies elsewhere. */
function below(outer: string, inner: string): string | undefined {
  const normal = (path: string) => (isWindows ? path.replaceAll('\\', '/') : path).replace(/\/$/, '');
  const [o, i] = [normal(outer), normal(inner)];
  if (i === o) return '';
  return i.startsWith(`${o}/`) ? i.slice(o.length + 1) : undefined;
}

function escapeGlob(path: string): string {
  return path.replace(/[*?[\]{}\\!]/g, '\\$&');
}
