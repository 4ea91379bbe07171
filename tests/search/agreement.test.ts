/**
 * Both engines against the rg program itself, on one tree and one table. `--full` makes the tree ten times as large.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import picomatch from 'picomatch';
import { assetFile } from '../../src/runtime/assets.ts';
import { anchorGlob, createSearch, type Search } from '../../src/search/index.ts';
import { createJavaScriptEngine } from '../../src/search/javascript/engine.ts';
import { createRipgrepEngine } from '../../src/search/ripgrep/engine.ts';
import { makeAgreementTree, type Tree } from './support/tree.ts';

const FILES = process.env['LOCAL_CODER_TEST_FULL'] === '1' ? 20_000 : 2_000;

/** Globs that name no hidden file: what rg's own --glob selects among the files that rg lists. */
const GLOBS = [
  '**/*.ts',
  '*.ts',
  'src/**/*.ts',
  'src/*.ts',
  'src/**',
  '**/src/**',
  '*.{ts,tsx}',
  '**/*.{js,md}',
  '{src,docs}/**',
  '{src/x,README}.*',
  'packages/p{1,2,1?}/**/*.ts',
  '**/index.*',
  'README.md',
  'Makefile',
  '*.log',
  '**/*.log',
  'packages/*/src/*/f1*.ts',
  'packages/p1/**',
  '**/[a-f]*.ts',
  '**/[!a-f]*.md',
  '**/f?.ts',
  '**/f??.js',
  'src/lib/[[]id[]].ts',
  'src/lib/\\[id\\].ts',
  'src/lib/{[{]b[}],x}.ts',
  '**/*space*',
  '**/ß.ts',
  '**/ünïcödé/**',
  '**/-dash.ts',
  '**/*"*',
  'src/new*',
  '*.TS',
  '**/*.gen.ts',
  'node_modules/**',
  'dist/**',
  'vendor/**',
  'build/**',
  'nested/**',
  '**/top.txt',
  '**/only-here.txt',
  '**/anchored-global.txt',
  '*.outer',
  '*.excluded',
  '*.ignored',
  '**/src/m1/**',
  'packages/**/m2/*.json',
  '**/**/*.md',
  '*',
  '**',
  'src/loop/**',
  '!*.ts',
  '!packages/**',
  'no/such/*',
  'src/**/y.ts',
  'text/*.t?t',
  '**/deep/**/y.ts',
  'a**s',
  '**s.txt',
];
/** Globs that do: a shell's rule, for which picomatch is the judge. */
const HIDDEN_GLOBS = [
  '.env',
  '**/.env*',
  '.github/**',
  '.github/**/*.yml',
  '.*',
  '.*/**',
  '{.github,src}/**/*.*',
  '**/.shown/*',
];

interface TextCase {
  readonly pattern: string;
  readonly flags?: readonly string[];
  readonly fixedStrings?: boolean;
  readonly caseInsensitive?: boolean;
  readonly multiline?: boolean;
  readonly glob?: string;
  readonly before?: number;
  readonly after?: number;
}
const TEXTS: readonly TextCase[] = [
  ...[
    'alpha',
    '^alpha',
    'alpha$',
    'alpha.$',
    '^$',
    '^.$',
    'a.*a',
    'al(ph|xx)a',
    'gamm[ab]',
    '[^a-z ]+beta',
    '\\bfoo\\b',
    '\\Bbar',
    '\\d+',
    '^\\d{2,3}$',
    '\\w+\\(\\w\\)',
    '\\s\\s',
    '\\S+$',
    '(?i)ALPHA',
    '(?i:be)ta',
    'x(?i)Y',
    '\\x61lpha',
    '\\u{e9}',
    '\\p{Greek}+',
    '\\p{Lu}',
    '\\pL{6}',
    '[[:upper:]]{2}',
    '[[:^ascii:]]',
    '[a-z&&[^aeiou]]{4}',
    '[\\w--\\d]{7}',
    '[]x]',
    '[-x]',
    'foo\\.bar',
    '\\{foo\\}',
    'a\\+b',
    '\\^caret',
    '\\$dollar',
    '\\t',
    '\\\\slash',
    '"quoted"',
    '\\-1\\.5',
    '日本',
    '.{5000,}',
    'caf.',
    'stra(ß|ss)e',
    '(?P<year>\\d{4})-\\d\\d',
    'alpha|beta',
    '(alpha|beta) ',
    '(?x) al pha',
    '\\Aalpha',
    'alpha\\z',
    'foo}',
    'no such thing anywhere',
    '(?<=foo)\\(',
    '(\\d)\\1',
    'foo(?!_)',
    '\\<foo\\>',
    '(?-u:\\w)+é',
    'a{0}lpha',
  ].map((pattern) => ({ pattern })),
  { pattern: 'ALPHA', caseInsensitive: true },
  { pattern: 'straSSE', caseInsensitive: true },
  { pattern: 'σίσυφος', caseInsensitive: true },
  { pattern: 'foo(bar', fixedStrings: true },
  { pattern: 'a*b', fixedStrings: true },
  { pattern: 'FOO.BAR', fixedStrings: true, caseInsensitive: true },
  { pattern: '--', fixedStrings: true },
  { pattern: '-dash' },
  { pattern: '--files' },
  { pattern: 'begin\\n  one', multiline: true },
  { pattern: '(?s)begin.*?end', multiline: true },
  { pattern: '^begin$\\n^end$', multiline: true },
  { pattern: 'begin[^x]*?three', multiline: true },
  { pattern: '  one\n  two', multiline: true, fixedStrings: true },
  { pattern: 'three', before: 2, after: 1 },
  { pattern: 'begin', before: 1, after: 1 },
  { pattern: 'alpha', glob: '*.ts' },
  { pattern: 'alpha', glob: '!*.ts' },
  { pattern: 'alpha', glob: '*.{log,tmp}' },
  { pattern: 'alpha', glob: 'src/**' },
  { pattern: 'alpha', glob: 'packages/p1/**/*.ts' },
  { pattern: 'alpha', glob: '/packages/' },
  { pattern: 'alpha', glob: '!packages' },
  { pattern: 'alpha', glob: '.env*' },
];

const LOOSE = new Set(['caf.', '[[:^ascii:]]']);

describe('engines agree with rg', () => {
  let tree: Tree;
  let rg: string;
  const engines: Search[] = [];
  before(async () => {
    tree = await makeAgreementTree(FILES);
    const program = await assetFile('rg');
    assert.ok(program, 'the ripgrep package is installed');
    rg = program;
    for (const engine of [createRipgrepEngine(rg), createJavaScriptEngine()]) {
      engines.push(createSearch({ stateDir: tree.root, engine }));
    }
  });
  after(() => tree?.remove());

  const runRg = (args: readonly string[], cwd = tree.root): string => {
    try {
      return execFileSync(rg, ['--no-config', ...args], {
        cwd,
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch (error) {
      // 1: nothing found.
      const { status, stdout } = error as { status: number; stdout: string };
      assert.ok(status === 1, `rg ${args.join(' ')} ended with ${status}`);
      return stdout;
    }
  };
  const list = (args: readonly string[], cwd?: string) =>
    runRg(['--files', '--null', ...args], cwd)
      .split('\0')
      .filter(Boolean);
  const ours = async (search: Search, pattern: string, includeIgnored = false, folder = tree.root) => {
    const anchored = anchorGlob(folder, pattern, (path) => path);
    const found = await search.glob({ ...anchored, includeIgnored, maxResults: 1e6, order: 'path' });
    assert.equal(found.paths.length, found.total);
    return [...found.paths].sort();
  };

  for (const pattern of GLOBS) {
    test(`glob ${pattern}`, async () => {
      const listed = new Set(list([]));
      const expected = list([`--glob=${pattern}`]).filter(
        (path) => listed.has(path) && !/(^|\/)\./.test(path),
      );
      for (const search of engines) {
        assert.deepEqual(await ours(search, pattern), expected.sort(), await search.engineName());
      }
    });
  }

  for (const pattern of HIDDEN_GLOBS) {
    test(`glob ${pattern}`, async () => {
      const anywhere = pattern.includes('/') ? pattern : `**/${pattern}`;
      const matches = picomatch(anywhere, { dot: false });
      const expected = list(['--hidden', '--glob=!.git']).filter((path) => matches(path));
      assert.ok(expected.length > 0);
      for (const search of engines) {
        assert.deepEqual(await ours(search, pattern), expected.sort(), await search.engineName());
      }
    });
  }

  for (const pattern of ['**/*.js', '*.log', 'node_modules/**', 'dist/**', '**/x.ts', 'packages/p1/**']) {
    test(`glob ${pattern} with ignored files`, async () => {
      const expected = list(['--no-ignore', `--glob=${pattern}`]).filter((path) => !/(^|\/)\./.test(path));
      for (const search of engines) {
        assert.deepEqual(await ours(search, pattern, true), expected.sort(), await search.engineName());
      }
    });
  }

  for (const folder of [
    'packages',
    'packages/p1',
    'packages/p1/src',
    'nested',
    'src',
    'sub/node_modules',
    'vendor',
    '.github',
    '..',
  ]) {
    test(`files below ${folder}`, async () => {
      const start = `${tree.root}/${folder}`.replace('/repo/..', '');
      // Above the repository .gitignore files hold, too, although ripgrep alone would want a repository for that.
      const flags = folder === '..' ? ['--no-require-git'] : [];
      const expected = list(flags, start).filter((path) => !/(^|\/)\./.test(path));
      for (const search of engines) {
        assert.deepEqual(await ours(search, '**', false, start), expected.sort(), await search.engineName());
      }
    });
  }

  for (const [index, text] of TEXTS.entries()) {
    test(`grep ${JSON.stringify(text)}`, async () => {
      const flags = ['--line-number', '--no-heading', '--null', '--no-context-separator', '--with-filename'];
      if (text.fixedStrings) flags.push('-F');
      if (text.caseInsensitive) flags.push('-i');
      if (text.multiline) flags.push('-U');
      if (text.glob) flags.push(`--glob=${text.glob}`);
      if (text.before) flags.push(`-B${text.before}`);
      if (text.after) flags.push(`-A${text.after}`);
      if (/\(\?<?[=!]|\\1/.test(text.pattern)) flags.push('-P');
      const printed = runRg([...flags, '-e', text.pattern, '.']);
      const expected = [...printed.matchAll(/\.\/([^\0]*)\0(\d+)([:-])/g)]
        .map(([, path, line, kind]) => `${path!.replace(/^[\s\S]*offset \d+\)\n\.\//, '')}\0${line}${kind}`)
        .sort();
      for (const search of engines) {
        const found = await search.grep({
          ...text,
          folder: tree.root,
          mode: 'lines',
          maxResults: 1e6,
          maxBytes: 1e9,
        });
        // The JavaScript engine takes a byte that is not UTF-8 for some character, rg for none.
        const isLoose = LOOSE.has(text.pattern) && (await search.engineName()) === 'javascript';
        const files = found.files.filter(({ path }) => !(isLoose && path === 'text/latin1.txt'));
        const lines = files.flatMap(({ path, lines }) =>
          lines.map(({ number, isMatch }) => `${path}\0${number}${isMatch ? ':' : '-'}`),
        );
        assert.deepEqual(lines.sort(), expected, await search.engineName());
        if (text.before || text.after || isLoose || index % 3 !== 0) continue;
        const counts = await search.grep({
          ...text,
          folder: tree.root,
          mode: 'counts',
          maxResults: 1e6,
          maxBytes: 1e9,
        });
        const counted = counts.files.map(({ path, count }) => `${path}\0${count}`);
        const rgCounts = runRg([
          ...flags.filter((flag) => !flag.startsWith('--line')),
          '-c',
          '-e',
          text.pattern,
          '.',
        ]);
        const expectedCounts = [...rgCounts.matchAll(/\.\/([^\0]*)\0(\d+)\n/g)].map(
          ([, path, count]) => `${path}\0${count}`,
        );
        assert.deepEqual(counted.sort(), expectedCounts.sort(), `${await search.engineName()}: counts`);
      }
    });
  }

  for (const pattern of [
    '(',
    '[a',
    '*a',
    'a{2',
    '\\y',
    'x{3,1}',
    '(?z)',
    '[z-a]',
    'a\\nb',
    '[[:nope:]',
    'x{,2}y',
  ]) {
    test(`both refuse ${pattern}`, async () => {
      for (const search of engines) {
        await assert.rejects(
          search.grep({ pattern, folder: tree.root, mode: 'lines', maxResults: 10, maxBytes: 1e6 }),
          { code: 'INVALID_PATTERN' },
          await search.engineName(),
        );
      }
    });
  }
});
