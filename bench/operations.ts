/**
 * What is measured: for each operation the abstract request, what it needs before (not timed), and the check without
 * which a time does not count. Adapters turn a request into calls of their server.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  CHANGED_FILE,
  CHANGED_LINE,
  COMMON_PATTERN,
  commitSubjects,
  type Fixture,
  LIST_FOLDER,
  LOG_FILE,
  logLine,
  RARE_FILES,
  RARE_WORD,
  SHORT_FILES,
  shortFile,
  shortLines,
  tableLine,
  UNTRACKED_FILE,
} from './fixture.ts';

export interface FileRequest {
  /** Relative to the served folder. */
  readonly path: string;
  readonly absolute: string;
}
export type ReadRequest = FileRequest & { readonly index: number };
export type RangeRequest = FileRequest & { readonly first: number; readonly count: number };
export type WriteRequest = FileRequest & { readonly content: string };
export type EditRequest = FileRequest & {
  readonly oldText: string;
  readonly newText: string;
  readonly before: string;
};
export interface PatchRequest {
  readonly patch: string;
  readonly files: readonly (FileRequest & { readonly before: string; readonly after: string })[];
}
export interface PatternRequest {
  readonly pattern: string;
  readonly folder: string;
  readonly limit: number;
}
export interface CommandRequest {
  readonly command: string;
  readonly folder: string;
}

export interface Requests {
  readonly tools_list: undefined;
  readonly read: ReadRequest;
  readonly read_range: RangeRequest;
  readonly write: WriteRequest;
  readonly edit: EditRequest;
  readonly patch: PatchRequest;
  readonly glob: PatternRequest;
  readonly glob_narrow: PatternRequest;
  readonly grep_rare: PatternRequest;
  readonly grep_common: PatternRequest;
  readonly shell_true: CommandRequest;
  readonly shell_seq: CommandRequest;
  readonly git_status: CommandRequest;
  readonly git_diff: CommandRequest;
  readonly git_log: CommandRequest;
  readonly list: FileRequest;
  readonly read_x32: readonly ReadRequest[];
}
export type OperationName = keyof Requests;

export interface Operation<Request> {
  readonly title: string;
  /** @param owner names the adapter, so that each writes files of its own */
  request(fixture: Fixture, iteration: number, owner: string): Request;
  prepare?(request: Request): void;
  /** @throws unless the answer is right and complete; a string is a remark for the report */
  verify(answer: string, request: Request, fixture: Fixture): string | undefined;
}

export class WrongAnswer extends Error {}

const RANGE_FIRST = 50_001;
const RANGE_COUNT = 1_000;
const FIRST_MATCHES = 100;
const SEQ_LAST = 200_000;
const PARALLEL_READS = 32;
const NARROW = 'services/svc-07/';
/** More than any pattern here matches: the whole list is wanted. */
const ALL_FILES = 5_000;

export const OPERATIONS: { readonly [Name in OperationName]: Operation<Requests[Name]> } = {
  tools_list: {
    title: 'tools/list',
    request: () => undefined,
    verify: (answer) => expect((JSON.parse(answer) as { tools: unknown[] }).tools.length > 0, 'no tools'),
  },
  read: {
    title: 'read a file of 200 lines',
    request: readRequest,
    verify: verifyRead,
  },
  read_range: {
    title: 'read 1,000 lines in the middle of 100,000',
    request: (fixture) => ({ ...file(fixture, LOG_FILE), first: RANGE_FIRST, count: RANGE_COUNT }),
    verify(answer, { first, count }) {
      expectInOrder(
        answer,
        Array.from({ length: count }, (_, n) => logLine(first + n)),
      );
      for (const outside of [first - 1, first + count]) {
        expect(!answer.includes(logLine(outside)), `line ${outside} was not asked for`);
      }
      return undefined;
    },
  },
  write: {
    title: 'write a file of 200 lines',
    request: (fixture, iteration, owner) => ({
      ...file(fixture, `scratch/${owner}/write.ts`),
      content: `${shortLines(iteration % SHORT_FILES).join('\n')}\n// ${iteration}\n`,
    }),
    prepare: ({ absolute }) => reset(absolute, 'what stood here before\n'),
    verify: (_, { absolute, content }) => expectContent(absolute, content),
  },
  edit: {
    title: 'replace one line of 2,000',
    request(fixture, iteration, owner) {
      const row = 900 + (iteration % 400);
      return {
        ...file(fixture, `scratch/${owner}/edit.ts`),
        oldText: tableLine(row),
        newText: tableLine(row, `edit ${iteration}`),
        before: fixture.table,
      };
    },
    prepare: ({ absolute, before }) => reset(absolute, before),
    verify: (_, { absolute, before, oldText, newText }) =>
      expectContent(
        absolute,
        before.replace(oldText, () => newText),
      ),
  },
  patch: {
    title: 'patch of 2 files, 3 hunks',
    request: patchRequest,
    prepare({ files }) {
      for (const { absolute, before } of files) reset(absolute, before);
    },
    verify(_, { files }) {
      for (const { absolute, after } of files) expectContent(absolute, after);
      return undefined;
    },
  },
  glob: {
    title: 'glob `**/*.ts` (3,065 files)',
    request: (fixture) => ({ pattern: '**/*.ts', folder: fixture.root, limit: ALL_FILES }),
    verify: (answer, _, fixture) => verifyPaths(answer, fixture, fixture.typescriptFiles),
  },
  glob_narrow: {
    title: 'glob in one folder of 75',
    request: (fixture) => ({ pattern: `${NARROW}**/*.ts`, folder: fixture.root, limit: ALL_FILES }),
    verify: (answer, _, fixture) =>
      verifyPaths(
        answer,
        fixture,
        fixture.typescriptFiles.filter((path) => path.startsWith(NARROW)),
      ),
  },
  grep_rare: {
    title: 'grep for a rare word (3 hits)',
    request: (fixture) => ({ pattern: RARE_WORD, folder: fixture.root, limit: FIRST_MATCHES }),
    verify(answer) {
      for (const path of RARE_FILES) expect(slashes(answer).includes(path), `no hit in ${path}`);
      return answer.includes('node_modules') ? 'searches what git ignores, too' : undefined;
    },
  },
  grep_common: {
    title: 'grep for a common pattern, first 100',
    request: (fixture) => ({ pattern: COMMON_PATTERN, folder: fixture.root, limit: FIRST_MATCHES }),
    verify(answer, { limit }) {
      const count = answer.match(new RegExp(COMMON_PATTERN, 'g'))?.length ?? 0;
      return expect(count >= limit, `only ${count} matches`);
    },
  },
  shell_true: {
    title: '`true` in the shell',
    request: (fixture) => ({ command: 'true', folder: fixture.root }),
    verify: (answer) =>
      expect(!/not found|"exit_code":[1-9]/i.test(answer), `answered: ${answer.slice(0, 100)}`),
  },
  shell_seq: {
    title: '1.3 MB of output',
    request: (fixture) => ({ command: `seq 1 ${SEQ_LAST}`, folder: fixture.root }),
    verify(answer) {
      const numbers = answer.match(/^\d+$/gm)?.map(Number) ?? [];
      const hasEnd = numbers.at(-1) === SEQ_LAST;
      expect(hasEnd || numbers[0] === 1, 'neither the beginning nor the end of the output');
      return numbers.length === SEQ_LAST ? undefined : `returns ${numbers.length} of ${SEQ_LAST} lines`;
    },
  },
  git_status: {
    title: 'git status',
    request: (fixture) => ({ command: 'git status --porcelain --branch', folder: fixture.root }),
    verify: (answer) =>
      expect(answer.includes(CHANGED_FILE) && answer.includes(UNTRACKED_FILE), 'a changed file is missing'),
  },
  git_diff: {
    title: 'git diff',
    request: (fixture) => ({ command: 'git diff', folder: fixture.root }),
    verify: (answer) => expect(answer.includes(`+${CHANGED_LINE}`), 'the changed line is missing'),
  },
  git_log: {
    title: 'git log, 20 commits',
    request: (fixture) => ({ command: 'git log -n 20', folder: fixture.root }),
    verify: (answer) => expectInOrder(answer, commitSubjects()),
  },
  list: {
    title: 'list a folder of 200 files',
    request: (fixture) => file(fixture, LIST_FOLDER),
    verify(answer, _, fixture) {
      for (const name of fixture.listed) expect(answer.includes(name), `${name} is missing`);
      return undefined;
    },
  },
  read_x32: {
    title: '32 reads at once',
    request: (fixture, iteration) =>
      Array.from({ length: PARALLEL_READS }, (_, n) => readRequest(fixture, iteration + n)),
    verify(answer, requests) {
      const answers = JSON.parse(answer) as string[];
      for (const [n, request] of requests.entries()) verifyRead(answers[n] ?? '', request);
      return undefined;
    },
  },
};

function file(fixture: Fixture, path: string): FileRequest {
  return { path, absolute: join(fixture.root, path) };
}

function readRequest(fixture: Fixture, iteration: number): ReadRequest {
  const index = iteration % SHORT_FILES;
  return { ...file(fixture, shortFile(index)), index };
}

function verifyRead(answer: string, { index }: ReadRequest): undefined {
  return expectInOrder(answer, shortLines(index));
}

function patchRequest(fixture: Fixture, iteration: number, owner: string): PatchRequest {
  const rows = [[300 + (iteration % 200), 1_300 + (iteration % 200)], [700 + (iteration % 200)]];
  const files = rows.map((changed, n) => ({
    ...file(fixture, `scratch/${owner}/patch-${n}.ts`),
    before: fixture.table,
    after: changed.reduce(
      (text, row) => text.replace(tableLine(row), tableLine(row, `patch ${iteration}`)),
      fixture.table,
    ),
  }));
  const patch = files.flatMap(({ path }, n) => [
    `--- a/${path}`,
    `+++ b/${path}`,
    ...(rows[n] ?? []).flatMap((row) => [
      `@@ -${row - 1},3 +${row - 1},3 @@`,
      ` ${tableLine(row - 1)}`,
      `-${tableLine(row)}`,
      `+${tableLine(row, `patch ${iteration}`)}`,
      ` ${tableLine(row + 1)}`,
    ]),
  ]);
  return { patch: `${patch.join('\n')}\n`, files };
}

function reset(absolute: string, content: string): void {
  mkdirSync(dirname(absolute), { recursive: true });
  writeFileSync(absolute, content);
}

function expect(holds: boolean, otherwise: string): undefined {
  if (!holds) throw new WrongAnswer(otherwise);
}

function expectContent(absolute: string, content: string): undefined {
  return expect(readFileSync(absolute, 'utf8') === content, `${basename(absolute)} is not as it should be`);
}

function expectInOrder(answer: string, lines: readonly string[]): undefined {
  let from = 0;
  for (const line of lines) {
    const at = answer.indexOf(line, from);
    expect(at >= 0, `missing or out of order: ${line}`);
    from = at + line.length;
  }
}

function slashes(text: string): string {
  return text.replaceAll('\\', '/');
}

/** Exactly the expected paths, absolute or relative, each at least once. */
function verifyPaths(answer: string, fixture: Fixture, expected: readonly string[]): undefined {
  const known = new Set(expected);
  const found = new Set<string>();
  const root = `${slashes(fixture.root)}/`;
  for (const [shown] of slashes(answer).matchAll(/[\w./-]+\.ts\b(?![\w.])/g)) {
    const path = shown.startsWith(root) ? shown.slice(root.length) : shown.replace(/^\.\//, '');
    expect(known.has(path), `${path} does not match`);
    found.add(path);
  }
  return expect(found.size === expected.length, `${found.size} of ${expected.length} paths`);
}
