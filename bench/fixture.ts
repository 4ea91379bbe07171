/**
 * The folder that everything is measured on: a git repository of 20,000 files and 150 MB, every byte of which follows
 * from a seed, so that each expected answer is known. Made once, in some ten seconds, and used again.
 *
 *     services/svc-NN/src/area-N/part-NN.*   3,000 TypeScript and 3,000 other text files
 *     short/short-NN.ts                      64 files of 200 lines, for reading
 *     entries/entry-NNN.txt                  200 files, for listing
 *     large/events.log                       100,000 lines
 *     large/table.ts                         2,000 lines, copied for editing
 *     media/media-NN.bin                     20 binary files of 512 KiB
 *     node_modules, dist, .cache             13,900 files that git ignores
 *     scratch                                written while measuring; ignored too
 *
 * Its work tree differs from the last of its 20 commits by one changed and one untracked file.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { binaryBytes, jsonText, moduleText, padded, proseText, seededRandom } from './generated-text.ts';

/** Counts up when what is made changes: an older folder is then made anew. */
const VERSION = 1;
const COMMITS = 20;

export const RARE_WORD = 'Qv7RareMarker_41c9';
export const RARE_FILES = [
  'services/svc-04/src/area-2/part-03.ts',
  'services/svc-19/src/area-0/part-12.ts',
  'services/svc-33/src/area-4/part-07.ts',
] as const;
/** Matches once per generated function, tens of thousands of times in all. */
export const COMMON_PATTERN = 'function\\s+on[A-Z]\\w+\\(';
export const LOG_FILE = 'large/events.log';
export const TABLE_FILE = 'large/table.ts';
export const LIST_FOLDER = 'entries';
export const CHANGED_FILE = 'services/svc-00/README.md';
export const UNTRACKED_FILE = 'NOTES-untracked.md';
export const CHANGED_LINE = 'A line that is not committed.';
export const SHORT_FILES = 64;

const IGNORED = ['node_modules', 'dist', '.cache', 'scratch'] as const;
/** A copy of the rare word where no search should look. */
const RARE_IGNORED_FILE = 'node_modules/dep-101/lib/unit-08.js';

export interface Fixture {
  /** Absolute path of the repository. */
  readonly root: string;
  readonly files: number;
  readonly bytes: number;
  /** Paths of the tracked .ts files. */
  readonly typescriptFiles: readonly string[];
  readonly listed: readonly string[];
  /** Content of TABLE_FILE. */
  readonly table: string;
}

type Manifest = Pick<Fixture, 'files' | 'bytes' | 'typescriptFiles' | 'listed'> & {
  readonly version: number;
};

/** @param folder is emptied when it holds no fixture of this version */
export function openFixture(folder: string, log: (message: string) => void): Fixture {
  const root = join(folder, 'repository');
  const manifestFile = join(folder, 'fixture.json');
  let manifest = readManifest(manifestFile);
  if (manifest === undefined) {
    log(`making the fixture in ${folder}`);
    rmSync(folder, { recursive: true, force: true });
    manifest = makeFixture(root);
    writeFileSync(manifestFile, JSON.stringify(manifest));
  }
  mkdirSync(join(root, 'scratch'), { recursive: true });
  return { ...manifest, root, table: readFileSync(join(root, TABLE_FILE), 'utf8') };
}

function readManifest(file: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
    return manifest.version === VERSION ? manifest : undefined;
  } catch {
    return undefined; // not made yet, or not to the end
  }
}

/** The lines of short/short-NN.ts. */
export function shortLines(index: number): string[] {
  return Array.from(
    { length: 200 },
    (_, n) =>
      `export const s${padded(index, 2)}_${padded(n + 1, 3)} = 'row ${n + 1} of short file ${index}';`,
  );
}

export function shortFile(index: number): string {
  return `short/short-${padded(index, 2)}.ts`;
}

/** Line `n`, from 1, of LOG_FILE. */
export function logLine(n: number): string {
  return `E${padded(n, 6)} ${padded((n * 6_151) % 999_983, 6)} request was answered`;
}

/** Line `n`, from 1, of TABLE_FILE. */
export function tableLine(n: number, note = `row ${n}`): string {
  return `export const entry_${padded(n, 4)} = define(${n}, '${note}');`;
}

function makeFixture(root: string): Manifest {
  const tree = new Tree(root);
  const random = seededRandom(20_260_728);
  addSources(tree, random);
  for (let n = 0; n < SHORT_FILES; n++) tree.add(shortFile(n), `${shortLines(n).join('\n')}\n`);
  for (let n = 0; n < 200; n++) tree.add(`${LIST_FOLDER}/entry-${padded(n, 3)}.txt`, `entry ${n}\n`);
  for (let n = 0; n < 20; n++) tree.add(`media/media-${padded(n, 2)}.bin`, binaryBytes(random, 512 * 1024));
  tree.add(LOG_FILE, lines(100_000, logLine));
  tree.add(
    TABLE_FILE,
    lines(2_000, (n) => tableLine(n)),
  );
  tree.add('.gitignore', `${IGNORED.map((name) => `${name}/`).join('\n')}\n`);
  const tracked = [...tree.paths];
  addIgnored(tree, random);
  commitAll(root);
  return {
    version: VERSION,
    files: tree.paths.length,
    bytes: tree.bytes,
    typescriptFiles: tracked.filter((path) => path.endsWith('.ts')).sort(),
    listed: Array.from({ length: 200 }, (_, n) => `entry-${padded(n, 3)}.txt`),
  };
}

function addSources(tree: Tree, random: () => number): void {
  const rare = new Set<string>(RARE_FILES);
  for (let service = 0; service < 40; service++) {
    const base = `services/svc-${padded(service, 2)}`;
    tree.add(`${base}/README.md`, `# Service ${service}\n\n${proseText(random, 40)}`);
    for (let part = 0; part < 75; part++) {
      const stem = `${base}/src/area-${Math.floor(part / 15)}/part-${padded(part % 15, 2)}`;
      const marker = rare.has(`${stem}.ts`) ? `// ${RARE_WORD}\n` : '';
      tree.add(`${stem}.ts`, moduleText(random, `${service}/${part}`, 12) + marker);
      if (part % 3 === 0) tree.add(`${stem}.js`, moduleText(random, `${service}/${part} old`, 8));
      if (part % 3 === 1) tree.add(`${stem}.md`, proseText(random, 60));
      if (part % 3 === 2) tree.add(`${stem}.json`, jsonText(random, 40));
    }
  }
}

function addIgnored(tree: Tree, random: () => number): void {
  for (let dependency = 0; dependency < 300; dependency++) {
    for (let unit = 0; unit < 30; unit++) {
      const name = `node_modules/dep-${padded(dependency, 3)}/lib/unit-${padded(unit, 2)}.${unit % 5 === 0 ? 'd.ts' : 'js'}`;
      const marker = name === RARE_IGNORED_FILE ? `// ${RARE_WORD}\n` : '';
      tree.add(name, moduleText(random, `dependency ${dependency}`, 21) + marker);
    }
  }
  for (let n = 0; n < 2_900; n++)
    tree.add(`dist/chunk-${padded(n, 4)}.js`, moduleText(random, `chunk ${n}`, 43));
  for (let n = 0; n < 2_000; n++) tree.add(`.cache/item-${padded(n, 4)}.json`, jsonText(random, 60));
}

function lines(count: number, line: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => `${line(n + 1)}\n`).join('');
}

class Tree {
  readonly #root: string;
  readonly #folders = new Set<string>();
  readonly paths: string[] = [];
  bytes = 0;

  constructor(root: string) {
    this.#root = root;
  }

  add(path: string, content: string | Buffer): void {
    const file = join(this.#root, path);
    const folder = dirname(file);
    if (!this.#folders.has(folder)) {
      mkdirSync(folder, { recursive: true });
      this.#folders.add(folder);
    }
    const bytes = Buffer.from(content);
    writeFileSync(file, bytes);
    this.paths.push(path);
    this.bytes += bytes.length;
  }
}

function commitAll(root: string): void {
  const at = '2026-01-01T00:00:00Z';
  const git = (...args: string[]) =>
    execFileSync(
      'git',
      ['-c', 'gc.auto=0', '-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args],
      {
        cwd: root,
        env: { ...process.env, GIT_AUTHOR_DATE: at, GIT_COMMITTER_DATE: at },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', commitSubject(0));
  for (let n = 1; n < COMMITS; n++) {
    appendFileSync(join(root, `services/svc-${padded(n, 2)}/README.md`), `Change ${n}.\n`);
    git('commit', '-q', '-a', '-m', commitSubject(n));
  }
  appendFileSync(join(root, CHANGED_FILE), `${CHANGED_LINE}\n`);
  writeFileSync(join(root, UNTRACKED_FILE), 'not tracked\n');
}

function commitSubject(n: number): string {
  return `Fixture commit ${n} of ${COMMITS}`;
}

/** The subjects of all commits, newest first. */
export function commitSubjects(): string[] {
  return Array.from({ length: COMMITS }, (_, n) => commitSubject(COMMITS - 1 - n));
}
