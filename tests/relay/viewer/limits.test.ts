import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createViewer } from '../../../src/relay/viewer/index.ts';
import { outcomeOf, viewerWorld } from './support/world.ts';

interface Entry {
  name: string;
  path: string;
  type: string;
  children?: Entry[];
}

describe('limits and results of the viewer', () => {
  test('listTree: depth, folders alone, 1,000 entries, level by level', async (t) => {
    const world = await viewerWorld(t);
    await world.write('a/b/c/d/e/f.txt', 'x');
    await world.write('top.txt', 'x');
    const depth = async (value: number) =>
      (await world.call('listTree', { depth: value })).data['entries'] as Entry[];
    assert.deepEqual(await depth(0), [{ name: '.', path: '.', type: 'directory' }]);
    assert.deepEqual(await depth(1), [
      { name: 'a', path: 'a', type: 'directory' },
      { name: 'top.txt', path: 'top.txt', type: 'file' },
    ]);
    const four = await depth(4);
    assert.deepEqual(four[0]?.children?.[0]?.children?.[0]?.children, [
      { name: 'd', path: 'a/b/c/d', type: 'directory' },
    ]);
    assert.equal((await world.call('listTree', { depth: 5 })).code, 'INVALID_PARAMS');
    const folders = await world.call('listTree', { includeFiles: false });
    assert.deepEqual(
      (folders.data['entries'] as Entry[]).map(({ name }) => name),
      ['a'],
    );

    await mkdir(join(world.root, 'many'));
    await Promise.all(
      Array.from({ length: 1_200 }, (_, index) => writeFile(join(world.root, 'many', `f${index}`), '')),
    );
    const many = await world.call('listTree', { path: 'many' });
    assert.equal(many.data['truncated'], true);
    assert.equal((many.data['entries'] as Entry[]).length, 1_000);
    const all = await world.call('listTree', { depth: 4 });
    assert.equal(all.data['truncated'], true);
    assert.equal((all.data['entries'] as Entry[]).length, 3, 'the top is whole, the depths are left out');
  });

  test('inspectFile: ranges, 400 lines, 128 KiB, 1 MiB, encodings', async (t) => {
    const world = await viewerWorld(t);
    const lines = Array.from({ length: 1_000 }, (_, index) => `line ${index + 1}\r\n`);
    await world.write('lines.ts', lines.join(''));
    const read = (input: Record<string, unknown>) =>
      world.call('inspectFile', { path: 'lines.ts', ...input });
    const first = await read({});
    assert.equal(first.data['content'], lines.slice(0, 400).join(''));
    assert.deepEqual(
      [first.data['startLine'], first.data['endLine'], first.data['totalLines'], first.data['truncated']],
      [1, 400, 1_000, true],
    );
    assert.match(first.text, /\\"startLine\\":401/, 'the call that continues');
    const part = await read({ startLine: 998, endLine: 2_000 });
    assert.deepEqual([part.data['content'], part.data['truncated']], [lines.slice(997).join(''), false]);
    assert.equal((await read({ startLine: 1_001 })).code, 'INVALID_PARAMS');
    assert.equal((await read({ startLine: 5, endLine: 4 })).code, 'INVALID_PARAMS');
    assert.equal((await read({ startLine: 0 })).code, 'INVALID_PARAMS');

    await world.write('wide.txt', `${'é'.repeat(400)}\n`.repeat(400));
    const wide = await world.call('inspectFile', { path: 'wide.txt' });
    const content = String(wide.data['content']);
    assert.ok(Buffer.byteLength(content) <= 128 * 1024 && Buffer.byteLength(content) > 126 * 1024);
    assert.equal(wide.data['endLine'], content.split('\n').length - 1);
    assert.equal(wide.data['truncated'], true);

    await world.write('one-line.txt', '€'.repeat(100_000));
    const long = await world.call('inspectFile', { path: 'one-line.txt' });
    assert.ok(Buffer.byteLength(String(long.data['content'])) <= 128 * 1024);
    assert.match(String(long.data['content']), /€… \[cut: the line has 300000 bytes\]$/);
    assert.equal(long.data['truncated'], true);

    await world.write('mebibyte.txt', 'x'.repeat(1024 * 1024));
    assert.equal((await world.call('inspectFile', { path: 'mebibyte.txt' })).code, 'ok');
    await world.write('mebibyte.txt', 'x'.repeat(1024 * 1024 + 1));
    assert.equal((await world.call('inspectFile', { path: 'mebibyte.txt' })).code, 'FILE_TOO_LARGE');

    await world.write('utf16.txt', Buffer.from('\uFEFFhällo\n', 'utf16le'));
    assert.equal((await world.call('inspectFile', { path: 'utf16.txt' })).data['content'], 'hällo\n');
    await world.write('empty.txt', '');
    const empty = await world.call('inspectFile', { path: 'empty.txt' });
    assert.deepEqual([empty.data['totalLines'], empty.data['endLine'], empty.data['content']], [0, 0, '']);
  });

  test('searchFile: 50 results, 128 KiB, context, case, plain text, globs', async (t) => {
    const world = await viewerWorld(t);
    await world.write('src/a.ts', 'one\nNeedle (x)\nthree\n');
    await world.write('src/deep/b.tsx', 'needle (x)\n');
    await world.write('.github/c.yml', 'NEEDLE (x)\n');
    await world.write('many.txt', 'straw "quoted" \\ text\n'.repeat(200));
    const content = async (input: Record<string, unknown>) => {
      const { data, code } = await world.call('searchFile', {
        mode: 'content',
        query: 'needle (X)',
        ...input,
      });
      assert.equal(code, 'ok');
      return data as { matches: { path: string; line: number }[]; truncated: boolean };
    };
    const paths = async (input: Record<string, unknown>) =>
      (await content(input)).matches.map(({ path }) => path).sort();
    assert.deepEqual(await paths({}), ['.github/c.yml', 'src/a.ts', 'src/deep/b.tsx']);
    assert.deepEqual(await paths({ fileGlob: ['*.{ts,tsx}'] }), ['src/a.ts', 'src/deep/b.tsx']);
    assert.deepEqual(await paths({ fileGlob: ['src/**/*.ts'] }), ['src/a.ts']);
    assert.deepEqual(await paths({ fileGlob: ['src/*'] }), ['src/a.ts']);
    assert.deepEqual(await paths({ fileGlob: ['src/'] }), ['src/a.ts', 'src/deep/b.tsx']);
    assert.deepEqual(await paths({ fileGlob: ['!**/deep/**', '!.github/**'] }), ['src/a.ts']);
    assert.deepEqual(await paths({ pathPrefix: 'src/deep' }), ['src/deep/b.tsx']);
    assert.deepEqual(await paths({ pathPrefix: 'src/a.ts' }), ['src/a.ts']);
    const around = await content({ pathPrefix: 'src', fileGlob: ['*.ts'], contextLines: 2 });
    assert.deepEqual(around.matches, [
      { path: 'src/a.ts', line: 2, preview: 'Needle (x)', before: ['one'], after: ['three'] },
    ]);
    assert.equal(
      (await world.call('searchFile', { mode: 'content', query: 'x', fileGlob: ['a[b'] })).code,
      'INVALID_PARAMS',
    );
    assert.equal(
      (await world.call('searchFile', { mode: 'content', query: 'x'.repeat(257) })).code,
      'INVALID_PARAMS',
    );
    assert.equal(
      (await world.call('searchFile', { mode: 'content', query: 'x', maxResults: 51 })).code,
      'INVALID_PARAMS',
    );
    assert.equal(
      (await world.call('searchFile', { mode: 'content', query: 'x', pathPrefix: 'gone' })).code,
      'FILE_NOT_FOUND',
    );

    await world.write('utf16.txt', Buffer.from('\uFEFFfirst\nzwölf needles\n', 'utf16le'));
    await world.write('latin1.txt', Buffer.from('caf\xe9 zwei needles\n', 'latin1'));
    await world.write('long.txt', `${'x'.repeat(5_000)} drei needles ${'y'.repeat(5_000)}\n`);
    await world.write('far.txt', `${'some line\n'.repeat(400_000)}vier needles\n`);
    const needles = await content({ query: ' needles' });
    assert.deepEqual(
      needles.matches.map(({ path, line }) => `${path}:${line}`),
      ['far.txt:400001', 'latin1.txt:1', 'long.txt:1', 'utf16.txt:2'],
      'what is found is confirmed in every encoding and at every place',
    );

    const straw = await content({ query: 'STRAW' });
    assert.deepEqual([straw.matches.length, straw.truncated], [50, true]);
    await world.write('wide.txt', `${`straw ${'"'.repeat(940)}`}\n`.repeat(300));
    const wide = await content({ query: 'straw', pathPrefix: 'wide.txt', contextLines: 3 });
    assert.ok(Buffer.byteLength(JSON.stringify(wide.matches)) <= 128 * 1024);
    assert.equal(wide.truncated, true);

    const named = await world.call('searchFile', { mode: 'path', query: 'DEEP' });
    assert.deepEqual(named.data['matches'], [
      { name: 'deep', type: 'directory', path: 'src/deep' },
      { name: 'b.tsx', type: 'file', path: 'src/deep/b.tsx' },
    ]);
    const files = await world.call('searchFile', { mode: 'path', query: 'deep', fileGlob: ['*.tsx'] });
    assert.deepEqual(
      (files.data['matches'] as Entry[]).map(({ path }) => path),
      ['src/deep/b.tsx'],
    );
  });

  test('batchExec: order, ids, 512 KiB, no nesting', async (t) => {
    const world = await viewerWorld(t);
    await world.write('large.txt', `${'x'.repeat(327)}\n`.repeat(399));
    const operation = (id: string, path: string) => ({ id, tool: 'inspectFile', input: { path } });
    const many = await world.call('batchExec', {
      operations: ['a', 'b', 'c', 'd', 'e', 'f', 'gone', 'h'].map((id) =>
        operation(id, id === 'gone' ? 'gone.txt' : 'large.txt'),
      ),
    });
    const results = many.data['results'] as {
      id: string;
      ok: boolean;
      error?: { code: string; hint: string };
    }[];
    assert.deepEqual(
      results.map(({ id }) => id),
      ['a', 'b', 'c', 'd', 'e', 'f', 'gone', 'h'],
    );
    assert.ok(Buffer.byteLength(JSON.stringify(many.data)) <= 512 * 1024);
    const codes = results.map(({ ok, error }) => (ok ? 'ok' : error?.code));
    assert.equal(codes[6], 'FILE_NOT_FOUND');
    assert.equal(codes.filter((code) => code === 'ok').length, 3);
    assert.equal(codes.filter((code) => code === 'RESULT_TOO_LARGE').length, 4);
    const nine = Array.from({ length: 9 }, (_, index) => operation(`${index}`, 'large.txt'));
    assert.equal((await world.call('batchExec', { operations: nine })).code, 'INVALID_PARAMS');
    const twice = await world.call('batchExec', { operations: [operation('a', 'x'), operation('a', 'y')] });
    assert.equal(twice.code, 'INVALID_PARAMS');
    const nested = await world.call('batchExec', {
      operations: [{ id: 'a', tool: 'batchExec', input: { operations: [] } }],
    });
    assert.match(nested.text, /cannot be run in a batch/);
  });

  test('changes and diff: 100 files, 128 KiB, no repository, a part of one', async (t) => {
    const world = await viewerWorld(t);
    const plain = await world.call('describeWorkspaceChanges', {});
    assert.deepEqual(plain.data, { isGitRepository: false, files: [], truncated: false });
    assert.equal((await world.call('inspectWorkspaceDiff', {})).code, 'GIT_COMMAND_FAILED');
    await world.git('init', '-q', '-b', 'main');
    await Promise.all(Array.from({ length: 120 }, (_, index) => world.write(`f${index}.txt`, 'first\n')));
    await world.git('add', '-A');
    await world.git('commit', '-qm', 'first');
    await Promise.all(
      Array.from({ length: 120 }, (_, index) =>
        world.write(`f${index}.txt`, `${'second äöü\n'.repeat(200)}`),
      ),
    );
    const changes = await world.call('describeWorkspaceChanges', {});
    assert.equal(changes.data['branch'], 'main');
    assert.deepEqual([(changes.data['files'] as unknown[]).length, changes.data['truncated']], [100, true]);
    const diff = await world.call('inspectWorkspaceDiff', {});
    const bytes = Buffer.byteLength(String(diff.data['diff']));
    assert.ok(bytes <= 128 * 1024 && bytes > 100 * 1024, `${bytes}`);
    assert.equal(diff.data['truncated'], true);
    const small = await world.call('inspectWorkspaceDiff', { path: 'f1.txt', maxBytes: 1_024 });
    assert.ok(Buffer.byteLength(String(small.data['diff'])) <= 1_024);
    assert.ok(!String(small.data['diff']).includes('\ufffd'));
    const one = await world.call('inspectWorkspaceDiff', { path: 'f1.txt' });
    assert.deepEqual([one.data['path'], one.data['truncated']], ['f1.txt', false]);
    assert.match(one.text, /200 lines added, 1 removed/);
    const gone = await world.call('inspectWorkspaceDiff', { path: 'f1.txt', staged: true });
    assert.equal(gone.data['diff'], '');

    await mkdir(join(world.root, 'sub'));
    world.workspaces.push({ workspaceId: 'sub', displayName: 'Part', root: join(world.root, 'sub') });
    const part = await world.call('describeWorkspaceChanges', { workspaceId: 'sub' });
    assert.equal(part.code, 'GIT_COMMAND_FAILED');
    assert.match(part.text, /top folder lies outside/);
  });

  test('describeWorkspace and listWorkspaces', async (t) => {
    const world = await viewerWorld(t);
    await world.write('package.json', '{}');
    await world.write('Cargo.toml', '');
    await world.write('.env', 'x');
    await world.git('init', '-q');
    const { data } = await world.call('describeWorkspace', {});
    assert.deepEqual(data, {
      workspaceId: 'ws',
      displayName: 'The workspace',
      languages: ['JavaScript', 'Rust'],
      rootEntries: [
        { name: 'Cargo.toml', type: 'file' },
        { name: 'package.json', type: 'file' },
      ],
      markers: ['node-package', 'cargo', 'git-repository'],
    });
    const signal = new AbortController().signal;
    const listed = await outcomeOf(world.viewer, 'listWorkspaces', {}, signal);
    assert.deepEqual(listed.data['workspaces'], [
      { workspaceId: 'ws', displayName: 'The workspace', agentId: 'local', agentOnline: true },
    ]);
  });

  test('the owner can take default rules back, but never .git', async (t) => {
    const world = await viewerWorld(t, {
      ignore: ['!dist', '!.env.example', '!.git', 'docs/*', '!docs/*.md'],
    });
    await world.write('dist/x.txt', 'needle');
    await world.write('.env', 'needle');
    await world.write('.env.example', 'needle');
    await world.write('docs/a.md', 'needle');
    await world.write('docs/a.html', 'needle');
    await world.git('init', '-q');
    const found = await world.call('searchFile', { mode: 'content', query: 'needle' });
    assert.deepEqual((found.data['matches'] as { path: string }[]).map(({ path }) => path).sort(), [
      '.env.example',
      'dist/x.txt',
      'docs/a.md',
    ]);
    assert.equal((await world.call('inspectFile', { path: '.git/config' })).code, 'PATH_IGNORED');
    assert.equal((await world.call('inspectFile', { path: 'docs/a.html' })).code, 'PATH_IGNORED');
  });

  test('a cancelled call ends at once', async (t) => {
    const world = await viewerWorld(t);
    const cancel = new AbortController();
    const call = world.viewer.call('listTree', { workspaceId: 'ws' }, cancel.signal);
    cancel.abort(new Error('cancelled by the test'));
    await assert.rejects(call, /cancelled by the test/);
  });

  test('without ripgrep nothing more is shown', async (t) => {
    const world = await viewerWorld(t);
    await world.write('src/a.ts', 'needle\n');
    await world.write('.env', 'needle\n');
    await world.write('node_modules/x.js', 'needle\n');
    await symlink('.env', join(world.root, 'link.txt'));
    const { createSearch } = await import('../../../src/search/index.ts');
    const { createJavaScriptEngine } = await import('../../../src/search/javascript/engine.ts');
    const viewer = createViewer({
      workspaces: () => world.workspaces,
      agent: { agentId: 'local' },
      stateDir: world.stateDir,
      env: process.env,
      search: (options) => createSearch({ ...options, engine: createJavaScriptEngine([world.root]) }),
    });
    const found = await outcomeOf(viewer, 'searchFile', {
      workspaceId: 'ws',
      mode: 'content',
      query: 'needle',
    });
    assert.deepEqual(
      (found.data['matches'] as { path: string }[]).map(({ path }) => path),
      ['src/a.ts'],
    );
  });
});
