/** What both engines owe their callers: order, limits, pages, cancellation, odd files. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assetFile } from '../../src/runtime/assets.ts';
import { createSearch, type Search, type TextRequest } from '../../src/search/index.ts';
import { createJavaScriptEngine } from '../../src/search/javascript/engine.ts';
import { createRipgrepEngine } from '../../src/search/ripgrep/engine.ts';
import { makeTree, type Tree } from './support/tree.ts';

const FILES = 400;

for (const name of ['ripgrep', 'javascript'] as const) {
  describe(name, () => {
    let tree: Tree;
    let search: Search;
    const grep = (request: Partial<TextRequest> & { pattern: string }) =>
      search.grep({ folder: tree.root, mode: 'lines', maxResults: 100, maxBytes: 1e6, ...request });

    before(async () => {
      tree = await makeTree({ git: false });
      const engine =
        name === 'ripgrep' ? createRipgrepEngine((await assetFile('rg'))!) : createJavaScriptEngine();
      search = createSearch({ stateDir: tree.root, engine });
      await tree.write('.gitignore', 'ignored/\n*.log\n');
      await tree.write('ignored/deep/x.ts');
      await tree.write('a.log', 'needle in a log\n');
      await tree.write('.hidden.ts', 'needle\n');
      for (let index = 0; index < FILES; index++) {
        const path = `many/d${index % 7}/f${index}.ts`;
        await tree.write(
          path,
          Array.from({ length: 5 }, (_, line) => `needle ${index} ${line}\nhay\n`).join(''),
        );
        await tree.touch(path, 1_700_000_000 + ((index * 37) % FILES));
      }
    });
    after(() => tree?.remove());

    test('glob sorts by time over all matches, then cuts; offset goes on', async () => {
      const all = await search.glob({ folder: tree.root, pattern: 'many/**/*.ts', maxResults: 5000 });
      assert.equal(all.total, FILES);
      const expected = Array.from({ length: FILES }, (_, index) => index)
        .sort((a, b) => ((b * 37) % FILES) - ((a * 37) % FILES))
        .map((index) => `many/d${index % 7}/f${index}.ts`);
      assert.deepEqual(all.paths, expected);
      const page = await search.glob({
        folder: tree.root,
        pattern: 'many/**/*.ts',
        maxResults: 7,
        offset: 10,
      });
      assert.deepEqual(page.paths, expected.slice(10, 17));
      assert.equal(page.total, FILES);
    });

    test('glob heeds .gitignore outside of a repository, and says that only ignored files match', async () => {
      const one = (pattern: string, includeIgnored = false) =>
        search.glob({ folder: tree.root, pattern, includeIgnored, maxResults: 10 });
      for (const pattern of ['**/*.log', 'ignored/**', 'ignored/deep/x.ts']) {
        const found = await one(pattern);
        assert.deepEqual([found.total, found.ignoredMatch], [0, true], pattern);
        assert.equal((await one(pattern, true)).total, 1, pattern);
      }
      const nothing = await one('**/*.zip');
      assert.deepEqual([nothing.total, nothing.ignoredMatch], [0, false]);
      assert.equal((await one('**/.*.ts')).total, 1);
    });

    test('the contents of .git are listed only when asked for by name', async () => {
      await tree.write('.git/HEAD', 'ref: refs/heads/main\n');
      const count = async (pattern: string, includeIgnored: boolean) =>
        (await search.glob({ folder: tree.root, pattern, includeIgnored, maxResults: 10 })).total;
      assert.equal(await count('.*/**', true), 0);
      assert.equal(await count('.git/**', false), 0);
      assert.equal(await count('.git/**', true), 1);
      assert.equal(await count('**/.git/HEAD', true), 1);
    });

    test('pages of a cut search are disjoint and complete', async () => {
      const seen = new Map<string, number>();
      let cursor: string | undefined;
      let pages = 0;
      do {
        const found = await grep({ pattern: 'needle', glob: 'many/**', maxResults: 333, cursor, after: 1 });
        assert.equal(found.truncated, found.nextCursor !== undefined);
        assert.equal(found.matches, pages < 6 ? 333 : 2);
        for (const { path, lines } of found.files) {
          for (const { number, isMatch } of lines) {
            if (isMatch) seen.set(`${path}:${number}`, (seen.get(`${path}:${number}`) ?? 0) + 1);
          }
        }
        assert.deepEqual(
          found.files.map((file) => file.path),
          found.files.map((file) => file.path).sort(),
        );
        cursor = found.nextCursor;
        pages++;
      } while (cursor !== undefined);
      assert.equal(pages, 7);
      assert.equal(seen.size, FILES * 5);
      assert.ok([...seen.values()].every((times) => times === 1));
    });

    test('a result that ends exactly at the limit is complete', async () => {
      const found = await grep({ pattern: 'needle', glob: 'many/d0/f0.ts', maxResults: 5 });
      assert.deepEqual([found.matches, found.truncated, found.totalMatches], [5, false, 5]);
    });

    test('files and counts are exact in total and paged in path order', async () => {
      const first = await grep({ pattern: 'needle', mode: 'counts', maxResults: 150 });
      assert.deepEqual([first.totalFiles, first.totalMatches, first.truncated], [FILES, FILES * 5, true]);
      const rest = await grep({
        pattern: 'needle',
        mode: 'counts',
        maxResults: 1000,
        cursor: first.nextCursor,
      });
      const paths = [...first.files, ...rest.files].map((file) => file.path);
      assert.equal(new Set(paths).size, FILES);
      assert.deepEqual(paths, [...paths].sort());
      assert.ok([...first.files, ...rest.files].every((file) => file.count === 5));
    });

    test('bytes bound a page, too, and the first result is always in it', async () => {
      const found = await grep({ pattern: 'needle', maxResults: 5000, maxBytes: 2000 });
      assert.ok(found.truncated && found.matches > 10 && found.matches < 200);
      assert.equal((await grep({ pattern: 'needle', maxBytes: 1 })).matches, 1);
    });

    test('a cursor of another search, or none of ours, is refused', async () => {
      const { nextCursor } = await grep({ pattern: 'needle', maxResults: 1 });
      for (const [pattern, cursor] of [
        ['hay', nextCursor],
        ['needle', 'nonsense'],
      ] as const) {
        await assert.rejects(grep({ pattern, cursor }), { code: 'INVALID_PARAMS' });
      }
    });

    test('a file that is named is searched, ignored and hidden or not', async () => {
      assert.equal((await grep({ pattern: 'needle', fileName: 'a.log' })).matches, 1);
      assert.equal((await grep({ pattern: 'needle', fileName: '.hidden.ts' })).matches, 1);
      await tree.write('odd/-e.txt', 'needle\n');
      assert.equal(
        (await grep({ pattern: 'needle', folder: `${tree.root}/odd`, fileName: '-e.txt' })).matches,
        1,
      );
    });

    test('hidden files are searched where the glob names them', async () => {
      await tree.write('.github/workflows/ci.yml', 'needle\n');
      const paths = async (glob: string) =>
        (await grep({ pattern: 'needle', glob })).files.map(({ path }) => path);
      assert.deepEqual(await paths('.github/**'), ['.github/workflows/ci.yml']);
      assert.deepEqual(await paths('**/.github/**/*.yml'), ['.github/workflows/ci.yml']);
      assert.deepEqual(await paths('*.yml'), []);
      assert.deepEqual(await paths('.*.ts'), ['.hidden.ts']);
      assert.ok((await paths('!.github/**')).every((path) => !path.startsWith('.')));
    });

    test('binary files: silent on the way, named when they are asked for', async () => {
      await tree.write('bin/x.dat', Buffer.from('needle\0needle\n'));
      assert.equal((await grep({ pattern: 'needle', glob: 'bin/**' })).files.length, 0);
      const named = await grep({ pattern: 'needle', folder: `${tree.root}/bin`, fileName: 'x.dat' });
      assert.deepEqual(
        named.files.map(({ path, isBinary, lines }) => [path, isBinary, lines.length]),
        [['x.dat', true, 0]],
      );
    });

    test('names and lines may contain anything', async () => {
      const odd = [
        'new\nline.ts',
        'co:lon:12:x.ts',
        'quo\'te".ts',
        '$(touch x).ts',
        ' spa ce .ts',
        '-rf.ts',
        'ünï.ts',
      ];
      for (const path of odd) await tree.write(`names/${path}`, 'odd-name: 12:34:x\n');
      const found = await grep({ pattern: 'odd-name', folder: `${tree.root}/names` });
      assert.deepEqual(found.files.map((file) => file.path).sort(), [...odd].sort());
      assert.ok(found.files.every(({ lines }) => lines[0]?.text === 'odd-name: 12:34:x'));
      const listed = await search.glob({ folder: `${tree.root}/names`, pattern: '**/*.ts', maxResults: 100 });
      assert.deepEqual([...listed.paths].sort(), [...odd].sort());
    });

    test('long lines are cut around the match, foreign bytes are marked', async () => {
      await tree.write('long/one.txt', `${'ä'.repeat(300_000)}NEEDLE${'ö'.repeat(300_000)}`);
      const text = (await grep({ pattern: 'NEEDLE' })).files[0]?.lines[0]?.text ?? '';
      assert.match(text, /^\[599\d\d\d bytes cut\] ä+NEEDLEö+ \[599\d\d\d bytes cut\]$/);
      assert.ok(Buffer.byteLength(text) < 1100);
      await tree.write('long/latin.txt', Buffer.from('caf\xe9 LATIN\n', 'latin1'));
      assert.equal(
        (await grep({ pattern: 'LATIN' })).files[0]?.lines[0]?.text,
        'caf\ufffd LATIN [not UTF-8]',
      );
    });

    test('a value that begins with a dash is never an option', async () => {
      for (const pattern of ['--files', '-e', '--pre=touch canary']) {
        assert.equal((await grep({ pattern, fixedStrings: true })).matches, 0);
        assert.equal((await grep({ pattern: 'needle', glob: pattern })).matches, 0);
      }
    });

    test('RIPGREP_CONFIG_PATH changes nothing', async () => {
      await tree.write('../../home/rg.conf', '--invert-match\n');
      process.env['RIPGREP_CONFIG_PATH'] = `${tree.root}/../../home/rg.conf`;
      try {
        assert.equal((await grep({ pattern: 'needle 0 0' })).matches, 1);
      } finally {
        delete process.env['RIPGREP_CONFIG_PATH'];
      }
    });

    test('an abort ends the search with its reason', async () => {
      const controller = new AbortController();
      const reason = new Error('the client went away');
      const running = grep({ pattern: 'needle', maxResults: 1e6, signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(running, reason);
      await assert.rejects(grep({ pattern: 'needle', signal: controller.signal }), reason);
      await assert.rejects(
        search.glob({ folder: tree.root, pattern: '**', maxResults: 1, signal: controller.signal }),
        reason,
      );
    });

    test('when the time is up the answer is what was found, marked', async () => {
      const found = await grep({ pattern: 'needle', timeoutMs: 0 });
      assert.deepEqual([found.timedOut, found.truncated], [true, true]);
      assert.equal(
        (await search.glob({ folder: tree.root, pattern: '**', maxResults: 1, timeoutMs: 0 })).timedOut,
        true,
      );
    });

    test('a pattern that backtracks for ever neither hangs nor delays the server', async () => {
      await tree.write('evil/a.txt', `${'a'.repeat(40)}b\n`);
      let ticks = 0;
      const timer = setInterval(() => ticks++, 10);
      const request = { folder: `${tree.root}/evil`, timeoutMs: 700 };
      const found = await grep({ ...request, pattern: '^(a+)+$' });
      assert.equal(found.matches, 0);
      // With look-around it is PCRE2's turn, which gives up by itself and says so.
      const looking = await grep({ ...request, pattern: '^(a+)+(?=c)$' });
      assert.ok(looking.timedOut || looking.problemCount > 0);
      clearInterval(timer);
      if (name === 'javascript') assert.ok(ticks > 50, `${ticks} ticks in 1.4 s`);
    });

    test('32 searches at once', async () => {
      const results = await Promise.all(
        Array.from({ length: 32 }, (_, index) => grep({ pattern: `needle ${index} 0$`, maxResults: 10 })),
      );
      assert.ok(results.every((found) => found.matches === 1));
    });
  });
}

test('a folder that may not be read is reported, not passed over', {
  skip: process.platform === 'win32' && 'needs Unix permissions',
}, async () => {
  const { spawnSync } = await import('node:child_process');
  const { chmod } = await import('node:fs/promises');
  const tree = await makeTree();
  try {
    await tree.write('open/a.txt', 'needle\n');
    await tree.write('closed/b.txt', 'needle\n');
    await chmod(`${tree.root}/closed`, 0);
    for (
      let folder = tree.root;
      !folder.endsWith('/tmp') && folder.length > 5;
      folder = folder.replace(/\/[^/]+$/, '')
    ) {
      await chmod(folder, 0o755);
    }
    const source = (file: string) => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);
    const program = `
      const { createSearch } = await import(${source('search/index.ts')});
      const { createJavaScriptEngine } = await import(${source('search/javascript/engine.ts')});
      for (const engine of [undefined, createJavaScriptEngine()]) {
        const search = createSearch({ stateDir: '/nowhere', engine });
        const at = { folder: ${JSON.stringify(tree.root)}, maxResults: 9 };
        const grep = await search.grep({ ...at, pattern: 'needle', mode: 'lines', maxBytes: 1e6 });
        const glob = await search.glob({ ...at, pattern: '**/*.txt' });
        console.log(JSON.stringify([await search.engineName(), grep.matches, grep.problems, glob.total, glob.problemCount]));
      }`;
    // root reads everything: then somebody else has to try.
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      ...user,
      cwd: '/',
      encoding: 'utf8',
    });
    const results = stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    assert.equal(results.length, 2, stderr);
    for (const [engine, matches, problems, files, problemCount] of results) {
      assert.deepEqual([matches, files, problemCount], [1, 1, 1], engine);
      assert.match(problems[0], /^closed.*(Permission denied|EACCES)/);
    }
  } finally {
    await chmod(`${tree.root}/closed`, 0o755);
    await tree.remove();
  }
});
