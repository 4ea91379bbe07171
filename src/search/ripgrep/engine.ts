import { availableParallelism } from 'node:os';
import type { Confinement } from '../../access/sandbox/index.ts';
import { CodedError } from '../../runtime/errors.ts';
import { isWindows } from '../../runtime/platform.ts';
import { type Ending, type Engine, type ListRequest, MAX_PROBLEMS, type MatchRequest } from '../engine.ts';
import { isInsideRepository } from '../git-excludes.ts';
import { MatchParser, PathParser } from './match-parser.ts';
import { type RipgrepEnd, runRipgrep } from './process.ts';

/** Never the user's settings or colours; names end in NUL, because they may contain anything else. */
const COMMON = ['--no-config', '--color=never', '--null'];

/** The engine on top of the ripgrep program at this absolute path. */
export function createRipgrepEngine(path: string, confinement?: Confinement): Engine {
  const program = { path, confinement };
  return {
    name: 'ripgrep',

    async listFiles(request, onPaths) {
      const where = request.below === '' ? [] : ['--', `./${request.below}`];
      const args = [...COMMON, '--files', ...(await listFlags(request)), ...where];
      let rest: Buffer = Buffer.alloc(0);
      const end = await runRipgrep(program, args, request.folder, request, (chunk) => {
        const last = chunk.lastIndexOf(0);
        if (last < 0) {
          rest = Buffer.concat([rest, chunk]);
          return true;
        }
        const text = Buffer.concat([rest, chunk.subarray(0, last)]).toString('utf8');
        rest = Buffer.from(chunk.subarray(last + 1));
        return onPaths(relativePaths(text, request.below !== ''));
      });
      return ending(end);
    },

    async findMatches(request, onFinding) {
      const run = (flags: readonly string[]) => {
        let found = false;
        let goesOn = true;
        const emit: typeof onFinding = (finding) => {
          found = true;
          goesOn = onFinding(finding);
          return goesOn;
        };
        const parser =
          request.mode === 'lines' ? new MatchParser(emit) : new PathParser(request.mode === 'counts', emit);
        return { parser, flags, found: () => found, goesOn: () => goesOn };
      };
      const args = await matchArguments(request);
      for (const attempt of [run([]), run(['--pcre2'])]) {
        const end = await runRipgrep(
          program,
          [...COMMON, ...attempt.flags, ...args],
          request.folder,
          request,
          (chunk) => attempt.parser.push(chunk),
        );
        if (attempt.goesOn()) attempt.parser.end();
        const error = attempt.found() ? undefined : patternError(end);
        if (!error) return ending(end);
        // Look-around and back references are beyond ripgrep's own engine, but not beyond the one it carries along.
        const wantsPcre2 = attempt.flags.length === 0 && /look-around|backreferences/.test(error);
        if (!wantsPcre2) throw invalidPattern(error);
      }
      throw new Error('not reached: the second attempt returns or throws');
    },
  };
}

async function listFlags(request: ListRequest): Promise<string[]> {
  const flags = [`--threads=${listThreads()}`];
  if (request.hidden) flags.push('--hidden');
  if (!request.gitFolder) flags.push('--glob=!.git');
  if (!request.ignoreRules) flags.push('--no-ignore');
  else if (!(await isInsideRepository(request.folder))) flags.push('--no-require-git');
  if (request.maxDepth !== undefined) flags.push(`--max-depth=${request.maxDepth}`);
  return flags;
}

/**
 * A list is bound by system calls, and this process works on it at the same time: with two threads on two cores it
 * takes a fifth longer than with one. 12 is ripgrep's own limit.
 */
function listThreads(): number {
  return Math.min(Math.max(availableParallelism() - 1, 1), 12);
}

async function matchArguments(request: MatchRequest): Promise<string[]> {
  const flags: string[] = [];
  if (request.mode === 'files') flags.push('--files-with-matches');
  else if (request.mode === 'counts') flags.push('--count', '--with-filename');
  else flags.push('--line-number', '--column', '--no-heading', '--with-filename', '--no-context-separator');
  if (request.mode === 'lines' && request.before > 0) flags.push(`--before-context=${request.before}`);
  if (request.mode === 'lines' && request.after > 0) flags.push(`--after-context=${request.after}`);
  if (request.fixedStrings) flags.push('--fixed-strings');
  if (request.caseInsensitive) flags.push('--ignore-case');
  if (request.multiline) flags.push('--multiline');
  if (request.hidden) flags.push('--hidden');
  if (request.glob !== undefined) flags.push(`--glob=${request.glob}`);
  if (request.hidden) flags.push('--glob=!.git');
  if (request.fileName === undefined && !(await isInsideRepository(request.folder)))
    flags.push('--no-require-git');
  return [...flags, `--regexp=${request.pattern}`, '--', `./${request.fileName ?? ''}`];
}

/** The names of a list. Thousands come at once, so that they are not touched one by one without need. */
function relativePaths(text: string, withPrefix: boolean): string[] {
  const paths = (isWindows ? text.replaceAll('\\', '/') : text).split('\0');
  return withPrefix ? paths.map((path) => path.slice('./'.length)) : paths;
}

/** ripgrep's message when it refused to search at all, as opposed to not being able to read some files. */
function patternError({ exitCode, stderr }: RipgrepEnd): string | undefined {
  if (exitCode !== 2) return undefined;
  const text = stderr.replace(/^rg: /, '').trim();
  return /\(os error \d+\)|PCRE2: error matching|File system loop/.test(text) ? undefined : text;
}

function invalidPattern(message: string): CodedError {
  if (message.startsWith('error parsing glob')) {
    return new CodedError(
      'INVALID_PATTERN',
      message,
      'Correct glob; wildcards are * ? ** {a,b} [a-z], and a backslash escapes one of them.',
    );
  }
  const needsLines = message.includes('literal "\\n" is not allowed');
  return new CodedError(
    'INVALID_PATTERN',
    needsLines ? message.split('\n')[0]! : message,
    needsLines
      ? 'Set multiline: true to match across lines.'
      : 'Correct the pattern (Rust regex syntax: a literal { or ( is written \\{ or \\(), or set fixed_strings: true to search for it as it is.',
  );
}

/** What ripgrep reports about files it could not read becomes a note, without the program's name. */
function ending({ stderr, timedOut }: RipgrepEnd): Ending {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const messages = lines.map((line) => line.replace(/^rg: /, '').replace(/^\.\//, ''));
  return { timedOut, problems: messages.slice(0, MAX_PROBLEMS), problemCount: messages.length };
}
