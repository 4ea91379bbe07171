import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { paths, World } from '../git/support.ts';

describe('git_status', () => {
  test('of a repository without a commit', async (t) => {
    const world = new World(t);
    world.write('a.txt', 'a\n');
    const { data, summary } = await world.ok('git_status');
    assert.equal(data.branch, 'main');
    assert.equal(data.head, null);
    assert.deepEqual(data.entries, [{ path: 'a.txt', status: 'untracked' }]);
    assert.match(summary, /no commits yet/);
  });

  test('tells staged, unstaged, both, renamed, deleted and untracked apart', async (t) => {
    const world = new World(t);
    const head = world.commit('one', {
      'mod.txt': '1\n',
      'both.txt': '1\n',
      'gone.txt': '1\n',
      'old.txt': 'long enough to be seen as a rename\n',
    });
    world.write('mod.txt', '2\n');
    world.write('both.txt', '2\n');
    world.git(world.root, 'add', 'both.txt');
    world.write('both.txt', '3\n');
    rmSync(join(world.root, 'gone.txt'));
    world.git(world.root, 'mv', 'old.txt', 'new.txt');
    world.write('folder/untracked.txt', 'x');
    const { data } = await world.ok('git_status');
    assert.equal(data.head, head);
    const by = Object.fromEntries(data.entries.map((entry: { path: string }) => [entry.path, entry]));
    assert.deepEqual(by['mod.txt'], { path: 'mod.txt', status: 'modified', unstaged: 'modified' });
    assert.deepEqual(by['both.txt'], {
      path: 'both.txt',
      status: 'modified',
      staged: 'modified',
      unstaged: 'modified',
    });
    assert.deepEqual(by['gone.txt'], { path: 'gone.txt', status: 'deleted', unstaged: 'deleted' });
    assert.deepEqual(by['new.txt'], {
      path: 'new.txt',
      status: 'renamed',
      staged: 'renamed',
      old_path: 'old.txt',
    });
    assert.deepEqual(by['folder/'], { path: 'folder/', status: 'untracked' });
    assert.deepEqual(data.counts, { staged: 2, unstaged: 3, untracked: 1, conflicted: 0, total: 5 });
  });

  test('knows the upstream, ahead and behind, and that it is gone', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1' });
    world.git(world.folder, 'clone', '-q', '--bare', 'work', 'remote.git');
    world.git(world.root, 'remote', 'add', 'origin', join(world.folder, 'remote.git'));
    world.git(world.root, 'fetch', '-q');
    world.git(world.root, 'branch', '-q', '--set-upstream-to=origin/main');
    world.commit('two', { a: '2' });
    world.git(
      world.root,
      'update-ref',
      'refs/remotes/origin/main',
      world.git(world.root, 'commit-tree', '-p', 'HEAD~1', '-m', 'x', 'HEAD^{tree}'),
    );
    const { data } = await world.ok('git_status');
    assert.deepEqual([data.upstream, data.ahead, data.behind], ['origin/main', 1, 1]);
    world.git(world.root, 'update-ref', '-d', 'refs/remotes/origin/main');
    const gone = await world.ok('git_status');
    assert.equal(gone.data.ahead, undefined);
    assert.match(gone.summary, /upstream origin\/main is gone/);
  });

  test('of a detached HEAD', async (t) => {
    const world = new World(t);
    const head = world.commit('one', { a: '1' });
    world.git(world.root, 'checkout', '-q', '--detach');
    const { data, summary } = await world.ok('git_status');
    assert.equal(data.branch, null);
    assert.equal(data.head, head);
    assert.match(summary, /^Detached at/);
  });

  test('names the versions of a conflict, and git_show gives each of them', async (t) => {
    const world = new World(t);
    world.commit('base', { 'dir/f.txt': 'base\n' });
    world.git(world.root, 'checkout', '-q', '-b', 'other');
    world.commit('theirs', { 'dir/f.txt': 'theirs\n' });
    world.git(world.root, 'checkout', '-q', 'main');
    world.commit('ours', { 'dir/f.txt': 'ours\n' });
    world.gitFails(world.root, 'merge', 'other');
    const { data, summary } = await world.ok('git_status');
    assert.equal(data.state.operation, 'merge');
    assert.equal(data.state.commit, world.git(world.root, 'rev-parse', 'other'));
    assert.match(summary, /merge is in progress.*git_commit/);
    const [entry] = data.entries;
    assert.equal(entry.status, 'conflicted');
    assert.equal(entry.conflict, 'both modified');
    assert.deepEqual(entry.versions, { base: ':1:dir/f.txt', ours: ':2:dir/f.txt', theirs: ':3:dir/f.txt' });
    for (const side of ['base', 'ours', 'theirs'] as const) {
      assert.equal((await world.ok('git_show', { ref: entry.versions[side] })).bulk, `${side}\n`);
    }
    const diff = await world.ok('git_diff');
    assert.match(diff.bulk, /<<<<<<</);
    assert.equal(diff.data.files_changed, 1);
  });

  test('names only the versions that exist', async (t) => {
    const world = new World(t);
    world.commit('base', { 'f.txt': 'base\n' });
    world.git(world.root, 'checkout', '-q', '-b', 'other');
    world.git(world.root, 'rm', '-q', 'f.txt');
    world.git(world.root, 'commit', '-q', '-m', 'delete');
    world.git(world.root, 'checkout', '-q', 'main');
    world.commit('ours', { 'f.txt': 'ours\n' });
    world.gitFails(world.root, 'merge', 'other');
    const { data } = await world.ok('git_status');
    assert.equal(data.entries[0].conflict, 'deleted by them');
    assert.deepEqual(data.entries[0].versions, { base: ':1:f.txt', ours: ':2:f.txt' });
    await world.fails('FILE_NOT_FOUND', 'git_show', { ref: ':3:f.txt' });
  });

  test('a rebase, a cherry-pick, a revert, an am and a bisect in progress', async (t) => {
    const world = new World(t);
    world.commit('base', { f: 'base\n' });
    const other = world.git(world.root, 'branch', 'other') || 'other';
    world.commit('main 1', { f: 'main 1\n' });
    const first = world.git(world.root, 'rev-parse', 'HEAD');
    world.commit('main 2', { f: 'main 2\n' });
    world.git(world.root, 'checkout', '-q', other);
    world.commit('other 1', { f: 'other\n' });
    const state = async () => (await world.ok('git_status')).data.state;

    world.gitFails(world.root, 'rebase', 'main');
    const rebase = await state();
    assert.deepEqual([rebase.operation, rebase.branch, rebase.step, rebase.total], ['rebase', 'other', 1, 1]);
    assert.equal(rebase.commit, world.git(world.root, 'rev-parse', 'main'));
    assert.match(rebase.next, /git rebase --continue/);
    world.git(world.root, 'rebase', '--abort');

    world.gitFails(world.root, 'rebase', '--apply', 'main');
    assert.equal((await state()).operation, 'rebase');
    world.git(world.root, 'rebase', '--abort');

    world.gitFails(world.root, 'cherry-pick', 'main');
    assert.equal((await state()).operation, 'cherry-pick');
    world.git(world.root, 'cherry-pick', '--abort');

    world.git(world.root, 'checkout', '-q', 'main');
    world.gitFails(world.root, 'revert', '--no-edit', first);
    assert.equal((await state()).operation, 'revert');
    world.git(world.root, 'revert', '--abort');

    const patch = world.git(world.root, 'format-patch', '-1', '--stdout', other);
    world.write('../p.patch', `${patch}\n`);
    world.gitFails(world.root, 'am', join(world.folder, 'p.patch'));
    assert.equal((await state()).operation, 'am');
    world.git(world.root, 'am', '--abort');

    world.git(world.root, 'bisect', 'start');
    const bisect = await state();
    assert.deepEqual([bisect.operation, bisect.branch], ['bisect', 'main']);
    world.git(world.root, 'bisect', 'reset');
    assert.equal(await state(), undefined);
  });

  test('in a linked working tree, with its own merge', async (t) => {
    const world = new World(t);
    world.commit('base', { f: 'base\n' });
    world.git(world.root, 'worktree', 'add', '-q', '-b', 'side', join(world.folder, 'side'));
    const side = join(world.folder, 'side');
    world.commit('main', { f: 'main\n' });
    world.commit('side', { f: 'side\n' }, side);
    world.gitFails(side, 'merge', 'main');
    const { data } = await world.ok('git_status', { path: side });
    assert.equal(data.branch, 'side');
    assert.equal(data.state.operation, 'merge');
    assert.deepEqual(paths(data.entries), [join(side, 'f')]);
    assert.equal((await world.ok('git_status')).data.state, undefined);
  });

  test('in a submodule, and of a changed submodule', async (t) => {
    const world = new World(t);
    const lib = join(world.folder, 'lib');
    world.git(world.folder, 'init', '-q', 'lib');
    world.commit('lib', { 'l.txt': '1\n' }, lib);
    world.git(world.root, 'submodule', '--quiet', 'add', lib, 'vendor/lib');
    world.git(world.root, 'commit', '-q', '-m', 'add lib');
    world.write('vendor/lib/l.txt', '2\n');
    world.write('vendor/lib/new.txt', '2\n');
    const outer = await world.ok('git_status');
    assert.equal(outer.data.entries[0].submodule, 'modified files, untracked files');
    const inner = await world.ok('git_status', { path: 'vendor/lib' });
    assert.deepEqual(paths(inner.data.entries), ['vendor/lib/l.txt', 'vendor/lib/new.txt']);
    const error = await world.fails('INVALID_PARAMS', 'git_add', { files: ['vendor/lib/l.txt'] });
    assert.match(error.summary, /submodule "vendor\/lib"/);
    await world.ok('git_add', { path: 'vendor/lib', files: ['vendor/lib/l.txt'] });
  });

  test('of any folder, one file, through a symlink, and of a shown path given back', async (t) => {
    const world = new World(t);
    world.commit('one', { 'src/deep/a.txt': '1\n', 'b.txt': '1\n' });
    world.write('src/deep/a.txt', '2\n');
    world.write('b.txt', '2\n');
    symlinkSync(join(world.root, 'src'), join(world.folder, 'link'));
    for (const path of [
      undefined,
      'src',
      'src/deep',
      world.root,
      join(world.folder, 'link', 'deep'),
      '.git/hooks',
    ]) {
      const { data } = await world.ok('git_status', path === undefined ? {} : { path });
      assert.deepEqual(paths(data.entries), ['b.txt', 'src/deep/a.txt'], path);
    }
    for (const path of ['src/deep/a.txt', join(world.folder, 'link/deep/a.txt')]) {
      const { data } = await world.ok('git_status', { path });
      assert.deepEqual(paths(data.entries), ['src/deep/a.txt'], path);
    }
  });

  test('says that a folder is in no repository, or not there', async (t) => {
    const world = new World(t);
    const { data } = await world.fails('NOT_A_REPOSITORY', 'git_status', { path: world.home });
    assert.match(data.error.hint, /git init/);
    await world.fails('FILE_NOT_FOUND', 'git_status', { path: 'missing' });
    world.git(world.folder, 'init', '-q', '--bare', 'bare.git');
    const bare = await world.fails('NOT_AVAILABLE', 'git_status', { path: join(world.folder, 'bare.git') });
    assert.match(bare.summary, /bare repository/);
    world.commit('one', { a: '1' });
    world.git(world.root, 'push', '-q', join(world.folder, 'bare.git'), 'main');
    const path = join(world.folder, 'bare.git');
    assert.equal((await world.ok('git_log', { path })).data.entries.length, 1);
    assert.equal((await world.ok('git_show', { path, ref: 'main:a' })).bulk, '1');
    assert.equal((await world.ok('git_branch', { path, action: 'list' })).data.current, 'main');
  });

  test('finds the repository whatever the environment says', async (t) => {
    const world = new World(t, {
      env: {
        GIT_DIR: '/nowhere',
        GIT_WORK_TREE: '/',
        GIT_INDEX_FILE: '/nowhere',
        GIT_GLOB_PATHSPECS: '1',
        GIT_TRACE: '1',
        GIT_EXTERNAL_DIFF: '/bin/false',
        LC_ALL: 'C.UTF-8',
        LANGUAGE: 'de',
      },
    });
    const { env } = world;
    const clean = { PATH: env['PATH'], HOME: env['HOME'], GIT_CONFIG_GLOBAL: env['GIT_CONFIG_GLOBAL'] };
    Object.assign(world, { env: clean });
    world.git(world.root, 'init', '-q');
    world.commit('one', { a: '1\n' });
    world.write('a', '2\n');
    assert.deepEqual(paths((await world.ok('git_status')).data.entries), ['a']);
    assert.match((await world.ok('git_diff')).bulk, /^-1\n\+2$/m);
  });

  test('cuts a long list and names the call that goes on', async (t) => {
    const world = new World(t);
    for (let index = 0; index < 1_200; index++) world.write(`file-${String(index).padStart(4, '0')}.txt`, '');
    const first = await world.ok('git_status');
    assert.equal(first.data.entries.length, 1_000);
    assert.equal(first.data.counts.untracked, 1_200);
    assert.equal(first.data.truncated, true);
    assert.equal(first.data.next, 'git_status {"offset":1000}');
    const rest = await world.ok('git_status', { offset: 1_000 });
    assert.equal(rest.data.entries.length, 200);
    assert.equal(rest.data.truncated, false);
    assert.equal(rest.data.entries[0].path, 'file-1000.txt');
  });

  test('leaves the index alone: no lock, no rewrite', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1\n' });
    world.write('.git/index.lock', '');
    world.write('a', '2\n');
    assert.deepEqual(paths((await world.ok('git_status')).data.entries), ['a']);
  });

  test('of 100,000 files', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1' });
    const blob = world.git(world.root, 'hash-object', 'a');
    const list = Array.from(
      { length: 100_000 },
      (_, n) => `100644 ${blob} 0\tdir-${n % 300}/file-${n}.ts`,
    ).join('\n');
    execFileSync('git', ['update-index', '--index-info'], { cwd: world.root, env: world.env, input: list });
    const { data, bytes } = await world.ok('git_status');
    assert.deepEqual(data.counts, {
      staged: 100_000,
      unstaged: 100_000,
      untracked: 0,
      conflicted: 0,
      total: 100_000,
    });
    assert.equal(data.truncated, true);
    assert.ok(bytes < 256 * 1024);
    const commit = await world.ok('git_commit', { message: 'many' });
    assert.match(commit.summary, /100000 files: .* and 99980 more/);
    assert.ok(commit.bytes < 256 * 1024);
  });

  test('of a repository that belongs to somebody else says what to do', async (t) => {
    const world = new World(t, { env: { GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' } });
    const { data } = await world.fails('PERMISSION_DENIED', 'git_status');
    assert.match(data.error.hint, /safe\.directory/);
  });

  test('of a sparse checkout', async (t) => {
    const world = new World(t);
    world.commit('one', { 'in/a': '1\n', 'out/b': '1\n' });
    world.git(world.root, 'sparse-checkout', 'set', '--cone', 'in');
    assert.equal(world.exists('out/b'), false);
    assert.equal((await world.ok('git_status')).data.counts.total, 0);
    assert.equal((await world.ok('git_show', { ref: 'HEAD', file: 'out/b' })).bulk, '1\n');
    world.write('out/new', 'x');
    const error = await world.fails('REJECTED', 'git_add', { files: ['out/new'] });
    assert.match(error.data.error.hint, /sparse-checkout/);
  });
});

describe('git itself', () => {
  test('missing is an error for git tools that says what to install', async (t) => {
    const world = new World(t);
    Object.assign(world.services, {
      git: (await import('../../src/git/index.ts')).createGit({
        env: { ...world.env, PATH: world.home },
        accessMode: 'full',
      }),
    });
    const error = await world.fails('GIT_NOT_FOUND', 'git_status');
    assert.match(error.data.error.hint, /Install git 2\.30/);
  });

  test('too old is refused, and a newer one is found without a restart', async (t) => {
    const world = new World(t);
    world.write('bin/git', '#!/bin/sh\necho git version 2.29.3\n', world.folder);
    const bin = join(world.folder, 'bin');
    const { chmodSync } = await import('node:fs');
    chmodSync(join(bin, 'git'), 0o755);
    Object.assign(world.services, {
      git: (await import('../../src/git/index.ts')).createGit({
        env: { ...world.env, PATH: `${bin}:${world.env['PATH']}` },
        accessMode: 'full',
      }),
    });
    const error = await world.fails('GIT_NOT_FOUND', 'git_status');
    assert.match(error.summary, /2\.29 is too old/);
    rmSync(join(bin, 'git'));
    await world.ok('git_status');
  });
});
