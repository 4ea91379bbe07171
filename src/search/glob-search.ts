import { resolve } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import { isWindows } from '../runtime/platform.ts';
import type { Engine, ListRequest } from './engine.ts';
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
  /** Default `newest`; `path` spares asking for the age of each file. */
  readonly order?: 'newest' | 'path' | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What the workspace never shows, by its path relative to the folder. */
  readonly hides?: ((path: string) => boolean) | undefined;
}

export interface GlobResult {
  /** Relative to the folder, `/`-separated, newest first, files of the same age by name. */
  readonly paths: readonly string[];
  /** All that match. */
  readonly total: number;
  /** Nothing matches, but something would if it were not for the ignore rules. */
  readonly ignoredMatch: boolean;
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
  const anywhere = !rooted && !rest.includes('/') && names[0] !== '**';
  return { folder: start, pattern: `${excludes ? '!' : ''}${anywhere ? '**/' : ''}${names.join('/')}` };
}

/** How long to look among ignored files when nothing else matches: only for a better answer than "nothing". */
const PROBE_MS = 1000;

/** Lists what matches, newest first over all matches, and then cuts. */
export async function searchByGlob(
  engine: Engine,
  times: ModificationTimes,
  request: GlobRequest & { deadlineMs: number },
): Promise<GlobResult> {
  const plan = planFor(request);
  const found: string[] = [];
  const batches: Promise<Float64Array>[] = [];
  const ending = (await mayEnter(request, plan))
    ? await engine.listFiles(listRequest(request, plan), (paths) => {
        const { hides } = request;
        const matching = paths.filter(hides ? (path) => plan.matches(path) && !hides(path) : plan.matches);
        for (const path of matching) found.push(path);
        if (matching.length > 0 && request.order !== 'path')
          batches.push(times.of(request.folder, matching, found.length));
        return true;
      })
    : { timedOut: false, problems: [], problemCount: 0 };
  const changed = (await Promise.all(batches)).flatMap((batch) => [...batch]);
  request.signal?.throwIfAborted();
  return {
    paths: newest(found, changed, request.offset ?? 0, request.maxResults),
    total: found.length,
    ignoredMatch:
      found.length === 0 &&
      plan.ignoreRules &&
      !plan.excludes &&
      (await matchesIgnored(engine, request, plan)),
    ...ending,
  };
}

/** What a pattern means for the walk. */
interface Plan {
  readonly excludes: boolean;
  readonly ignoreRules: boolean;
  /** Where to start: the segments before the first wildcard. */
  readonly base: string;
  readonly hidden: boolean;
  readonly namesGit: boolean;
  readonly maxDepth: number | undefined;
  readonly matches: (path: string) => boolean;
}

function planFor({ pattern, includeIgnored }: GlobRequest): Plan {
  const excludes = pattern.startsWith('!');
  const glob = excludes ? pattern.slice(1) : pattern;
  const compiled = compileGlob(glob, { dot: excludes });
  const { base, tail } = excludes ? { base: '', tail: glob } : splitLiteral(glob);
  return {
    excludes,
    ignoreRules: !includeIgnored,
    base,
    hidden: !excludes && namesHidden(tail),
    namesGit: !excludes && /(?:^|[/{,])\.git(?:$|[/},])/.test(glob),
    maxDepth: excludes ? undefined : compileGlob(tail, { dot: false }).maxDepth,
    matches: excludes
      ? (path) => !compiled.matches(path) && !/(?:^|\/)\./.test(path)
      : (path) => compiled.matches(path),
  };
}

function listRequest(request: GlobRequest & { deadlineMs: number }, plan: Plan): ListRequest {
  return {
    folder: request.folder,
    below: plan.base,
    maxDepth: plan.maxDepth,
    hidden: plan.hidden,
    ignoreRules: plan.ignoreRules,
    gitFolder: !plan.ignoreRules && plan.namesGit,
    deadlineMs: request.deadlineMs,
    signal: request.signal,
  };
}

async function mayEnter({ folder }: GlobRequest, { base, ignoreRules }: Plan): Promise<boolean> {
  // What git keeps for itself is nobody's source; one has to ask for it by name and for ignored files.
  if (ignoreRules && base.split('/').includes('.git')) return false;
  return base === '' || isReachable(folder, base, { ignoreRules });
}

async function matchesIgnored(
  engine: Engine,
  request: GlobRequest & { deadlineMs: number },
  plan: Plan,
): Promise<boolean> {
  const all = { ...plan, ignoreRules: false };
  if (!(await mayEnter(request, all))) return false;
  const deadlineMs = Math.min(request.deadlineMs, performance.now() + PROBE_MS);
  let found = false;
  await engine.listFiles(listRequest({ ...request, deadlineMs }, all), (paths) => {
    found ||= paths.some((path) => plan.matches(path) && !request.hides?.(path));
    return !found;
  });
  return found;
}

function newest(
  paths: readonly string[],
  changed: readonly number[],
  offset: number,
  count: number,
): string[] {
  const order = Uint32Array.from(paths.keys());
  order.sort((a, b) => (changed[b] ?? 0) - (changed[a] ?? 0) || (paths[a]! < paths[b]! ? -1 : 1));
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
