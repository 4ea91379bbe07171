import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { World } from '../git/support.ts';

function read(world: World, path: string): string {
  return readFileSync(join(world.root, path), 'utf8');
}

describe('git_branch', () => {
  test('lists branches with upstream, ahead, behind, gone, and where else they are checked out', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1' });
    world.git(world.folder, 'clone', '-q', '--bare', 'work', 'remote.git');
    world.git(world.root, 'remote', 'add', 'origin', join(world.folder, 'remote.git'));
    world.git(world.root, 'fetch', '-q');
    world.git(world.root, 'branch', '-q', '--set-upstream-to=origin/main');
    world.commit('two', { a: '2' });
    world.git(world.root, 'branch', '-q', 'gone');
    world.git(world.root, 'config', 'branch.gone.remote', 'origin');
    world.git(world.root, 'config', 'branch.gone.merge', 'refs/heads/gone');
    world.git(world.root, 'worktree', 'add', '-q', '-b', 'side/ünï', join(world.folder, 'side'));
    const { data, summary } = await world.ok('git_branch', { action: 'list' });
    const by = Object.fromEntries(data.branches.map((branch: { name: string }) => [branch.name, branch]));
    assert.deepEqual(
      [by['main'].current, by['main'].upstream, by['main'].ahead, by['main'].behind],
      [true, 'origin/main', 1, 0],
    );
    assert.equal(by['main'].subject, 'two');
    assert.equal(by['gone'].upstream_gone, true);
    assert.equal(by['side/ünï'].worktree, join(world.folder, 'side'));
    assert.deepEqual(data.remote_branches, ['origin/main']);
    assert.equal(summary, '3 branches, 1 on remotes; current: main.');
    const inSide = await world.ok('git_branch', { action: 'list', path: join(world.folder, 'side') });
    assert.equal(inSide.data.current, 'side/ünï');
  });

  test('of an unborn and of a detached HEAD', async (t) => {
    const world = new World(t);
    assert.deepEqual((await world.ok('git_branch', { action: 'list' })).data, {
      current: 'main',
      branches: [],
      remote_branches: [],
      truncated: false,
    });
    const head = world.commit('one', { a: '1' });
    world.git(world.root, 'checkout', '-q', '--detach');
    const { data } = await world.ok('git_branch', { action: 'list' });
    assert.deepEqual([data.current, data.head], [null, head]);
  });

  test('creates, switches, creates and switches, deletes', async (t) => {
    const world = new World(t);
    const one = world.commit('one', { a: '1' });
    const two = world.commit('two', { a: '2' });
    const created = await world.ok('git_branch', { action: 'create', name: 'old', start: 'HEAD~1' });
    assert.equal(created.data.commit, one);
    assert.match(created.summary, /still on main/);
    world.write('untouched', 'x');
    assert.match((await world.ok('git_branch', { action: 'switch', name: 'old' })).summary, /^On old at/);
    assert.equal(read(world, 'a'), '1');
    await world.ok('git_branch', { action: 'create-and-switch', name: 'feature/x', start: two });
    assert.equal(world.git(world.root, 'symbolic-ref', '--short', 'HEAD'), 'feature/x');
    await world.fails('ALREADY_EXISTS', 'git_branch', { action: 'create', name: 'old' });
    await world.fails('ALREADY_EXISTS', 'git_branch', { action: 'create-and-switch', name: 'old' });
    assert.match(
      (await world.ok('git_branch', { action: 'delete', name: 'old' })).summary,
      new RegExp(`was ${one.slice(0, 7)}`),
    );
    await world.fails('REJECTED', 'git_branch', { action: 'delete', name: 'feature/x' });
    world.commit('only here', { b: '1' });
    world.git(world.root, 'switch', '-q', 'main');
    const refused = await world.fails('REJECTED', 'git_branch', { action: 'delete', name: 'feature/x' });
    assert.match(refused.data.error.hint, /git branch -D feature\/x/);
    await world.fails('REF_NOT_FOUND', 'git_branch', { action: 'delete', name: 'nosuch' });
    await world.fails('REF_NOT_FOUND', 'git_branch', { action: 'switch', name: 'nosuch' });
    await world.fails('REF_NOT_FOUND', 'git_branch', { action: 'create', name: 'x', start: 'nosuch' });
    await world.fails('INVALID_PARAMS', 'git_branch', { action: 'create' });
    await world.fails('INVALID_PARAMS', 'git_branch', { action: 'switch', name: 'main', start: 'HEAD' });
    assert.match(
      (await world.fails('INVALID_PARAMS', 'git_branch', { action: 'create', name: 'a b' })).summary,
      /space/,
    );
  });

  test('switches to what only a remote has, and follows it', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1' });
    world.git(world.folder, 'clone', '-q', 'work', 'clone');
    world.git(world.root, 'branch', 'topic');
    const clone = join(world.folder, 'clone');
    world.git(clone, 'fetch', '-q');
    const { summary } = await world.ok('git_branch', { action: 'switch', name: 'topic', path: clone });
    assert.match(summary, /On topic \(level with origin\/topic\)/);
    world.git(clone, 'switch', '-q', 'main');
    world.git(clone, 'branch', '-q', '-D', 'topic');
    await world.ok('git_checkout', { branch: 'topic', path: clone });
    assert.equal(world.git(clone, 'config', 'branch.topic.remote'), 'origin');
  });
});

describe('git_checkout', () => {
  test('of a branch, a tag and a commit, with changes carried along', async (t) => {
    const world = new World(t);
    const one = world.commit('one', { a: '1', b: '1' });
    world.git(world.root, 'tag', 'v1');
    world.commit('two', { a: '2' });
    world.write('b', 'mine');
    const { data, summary } = await world.ok('git_checkout', { branch: 'v1' });
    assert.deepEqual([data.current, data.head], [null, one]);
    assert.match(summary, /^Detached at .*Carried along: 1 unstaged/);
    assert.equal(read(world, 'b'), 'mine');
    await world.ok('git_checkout', { branch: 'main' });
    await world.ok('git_checkout', { branch: 'HEAD~1' });
    await world.ok('git_checkout', { branch: '@{-1}' });
    // A file name is never taken for a branch.
    await world.fails('REF_NOT_FOUND', 'git_checkout', { branch: 'b' });
    assert.equal(read(world, 'b'), 'mine');
  });

  test('stops before it overwrites changes, untracked or ignored files, and names them', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1' });
    world.git(world.root, 'branch', 'plain');
    world.commit('two', { a: '2', untracked: 'theirs', '.env': 'theirs' });
    world.git(world.root, 'switch', '-q', 'plain');
    world.write('a', 'mine');
    const changed = await world.fails('CONFLICT', 'git_checkout', { branch: 'main' });
    assert.deepEqual(changed.data.error.files, ['a']);
    assert.match(changed.data.error.hint, /git_stash/);
    world.git(world.root, 'checkout', '-q', 'a');
    world.write('untracked', 'mine');
    const untracked = await world.fails('CONFLICT', 'git_branch', { action: 'switch', name: 'main' });
    assert.deepEqual(untracked.data.error.files, ['untracked']);
    world.write('.git/info/exclude', '.env\nuntracked\n');
    world.write('.env', 'SECRET=mine');
    const ignored = await world.fails('CONFLICT', 'git_checkout', { branch: 'main' });
    assert.deepEqual(ignored.data.error.files.sort(), ['.env', 'untracked']);
    assert.equal(read(world, '.env'), 'SECRET=mine');
  });

  test('is done although the post-checkout hook fails, and says so', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1' });
    world.git(world.root, 'branch', 'other');
    world.hook('post-checkout', 'echo no index built >&2; exit 3');
    const { data, summary } = await world.ok('git_checkout', { branch: 'other' });
    assert.equal(data.current, 'other');
    assert.match(summary, /post-checkout hook failed/);
    assert.match(data.hook_output, /no index built/);
  });

  test('in the middle of a merge, and of a branch that another working tree has', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1' });
    world.git(world.root, 'worktree', 'add', '-q', '-b', 'side', join(world.folder, 'side'));
    const taken = await world.fails('REJECTED', 'git_checkout', { branch: 'side' });
    assert.match(taken.summary, /another working tree/);
    world.git(world.root, 'switch', '-q', '-c', 'other');
    world.commit('theirs', { a: 'theirs' });
    world.git(world.root, 'switch', '-q', 'main');
    world.commit('ours', { a: 'ours' });
    world.gitFails(world.root, 'merge', 'other');
    await world.fails('CONFLICT', 'git_checkout', { branch: 'other' });
    await world.fails('CONFLICT', 'git_branch', { action: 'switch', name: 'other' });
  });
});

describe('git_restore', () => {
  test('brings back staged and unstaged changes of the given files alone', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1', b: '1', 'dir/c': '1' });
    for (const file of ['a', 'b', 'dir/c']) world.write(file, '2');
    world.git(world.root, 'add', 'a');
    world.write('dir/new', 'staged only');
    world.git(world.root, 'add', 'dir/new');
    const { data, summary } = await world.ok('git_restore', { files: ['a', 'dir'] });
    assert.deepEqual(data.overwritten.sort(), ['a', 'dir/c', 'dir/new']);
    assert.match(summary, /discarded in: a, /);
    assert.equal(world.git(world.root, 'status', '--short'), 'M b'.padStart(4));
    assert.match((await world.ok('git_restore', { files: ['a'] })).summary, /No uncommitted changes/);
  });

  test('from another commit, a deleted file, a conflict; unknown files and refs are errors', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1', gone: 'back' });
    world.commit('two', { a: '2' });
    await world.ok('git_restore', { files: ['a'], source: 'HEAD~1' });
    assert.equal(read(world, 'a'), '1');
    await world.ok('git_restore', { files: ['a'] });
    world.git(world.root, 'rm', '-q', 'gone');
    await world.ok('git_restore', { files: ['gone'] });
    assert.equal(read(world, 'gone'), 'back');
    await world.fails('FILE_NOT_FOUND', 'git_restore', { files: ['nosuch'] });
    await world.fails('REF_NOT_FOUND', 'git_restore', { files: ['a'], source: 'nosuch' });
    world.write('untracked', 'mine');
    await world.fails('FILE_NOT_FOUND', 'git_restore', { files: ['untracked'] });
    assert.equal(read(world, 'untracked'), 'mine');
  });
});

describe('git_reset', () => {
  test('soft, mixed and hard, and the call that moves it back', async (t) => {
    const world = new World(t);
    const one = world.commit('one', { a: '1', keep: '1' });
    const two = world.commit('two', { a: '2' });
    const soft = await world.ok('git_reset', { mode: 'soft', ref: 'HEAD~1' });
    assert.deepEqual([soft.data.from, soft.data.to, soft.data.counts.staged], [two, one, 1]);
    const mixed = await world.ok('git_reset', { mode: 'mixed' });
    assert.deepEqual([mixed.data.counts.staged, mixed.data.counts.unstaged], [0, 1]);
    assert.equal(read(world, 'a'), '2');
    world.write('staged new', 'x');
    world.git(world.root, 'add', 'staged new');
    world.write('untracked', 'mine');
    const hard = await world.ok('git_reset', { mode: 'hard', ref: two });
    assert.deepEqual(hard.data.overwritten.sort(), ['a', 'staged new']);
    assert.match(hard.summary, new RegExp(`git_reset \\{"mode":"hard","ref":"${one}"\\}`));
    assert.equal(world.exists('staged new'), false);
    assert.equal(read(world, 'untracked'), 'mine');
    await world.fails('REF_NOT_FOUND', 'git_reset', { mode: 'hard', ref: 'nosuch' });
    // Takes a commit, never a path.
    await world.fails('REF_NOT_FOUND', 'git_reset', { mode: 'mixed', ref: 'a' });
  });

  test('hard names untracked files that the commit overwrites', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1' });
    const two = world.commit('two', { late: 'committed' });
    world.git(world.root, 'reset', '-q', '--hard', 'HEAD~1');
    world.write('late', 'mine');
    const { data } = await world.ok('git_reset', { mode: 'hard', ref: two });
    assert.deepEqual(data.overwritten, ['late']);
  });
});

describe('git_stash', () => {
  test('push, list, apply, pop and drop', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1', b: '1' });
    assert.match((await world.ok('git_stash', { action: 'push' })).summary, /Nothing to put aside/);
    world.write('a', '2');
    world.write('untracked', 'mine');
    const pushed = await world.ok('git_stash', { action: 'push', message: '--all $(touch canary)' });
    assert.match(
      pushed.summary,
      /Put aside as stash 0: On main: --all \$\(touch canary\)\. Left: 1 untracked\./,
    );
    assert.equal(read(world, 'a'), '1');
    world.write('b', '2');
    await world.ok('git_stash', { action: 'push', include_untracked: true });
    assert.equal(world.exists('untracked'), false);
    const { data } = await world.ok('git_stash', { action: 'list' });
    assert.deepEqual(
      data.stashes.map((entry: { index: number }) => entry.index),
      [0, 1],
    );
    await world.ok('git_stash', { action: 'apply', index: 1 });
    assert.equal(read(world, 'a'), '2');
    await world.ok('git_stash', { action: 'pop' });
    assert.equal(read(world, 'b'), '2');
    assert.equal(read(world, 'untracked'), 'mine');
    const dropped = await world.ok('git_stash', { action: 'drop' });
    assert.equal(dropped.data.commit, pushed.data.commit);
    assert.match(
      (await world.fails('REF_NOT_FOUND', 'git_stash', { action: 'pop' })).summary,
      /stash is empty/,
    );
    await world.fails('INVALID_PARAMS', 'git_stash', { action: 'pop', message: 'x' });
    world.write('a', '3');
    await world.ok('git_stash', { action: 'push' });
    assert.match(
      (await world.fails('REF_NOT_FOUND', 'git_stash', { action: 'pop', index: 7 })).summary,
      /has 1/,
    );
    assert.equal(world.exists('canary'), false);
  });

  test('pop that conflicts, or would overwrite, keeps the entry and names the files', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1\n' });
    world.write('a', 'stashed\n');
    world.write('new', 'stashed');
    await world.ok('git_stash', { action: 'push', include_untracked: true });
    world.write('a', 'dirty\n');
    const dirty = await world.fails('CONFLICT', 'git_stash', { action: 'pop' });
    assert.deepEqual(dirty.data.error.files, ['a']);
    world.git(world.root, 'checkout', '-q', 'a');
    world.write('new', 'in the way');
    const untracked = await world.fails('CONFLICT', 'git_stash', { action: 'pop' });
    assert.deepEqual(untracked.data.error.files, ['new']);
    assert.equal(read(world, 'new'), 'in the way');
    world.git(world.root, 'clean', '-fdq');
    world.git(world.root, 'reset', '-q', '--hard');
    world.commit('two', { a: 'committed\n' });
    const conflict = await world.fails('CONFLICT', 'git_stash', { action: 'pop' });
    assert.deepEqual(conflict.data.error.files, ['a']);
    assert.equal((await world.ok('git_stash', { action: 'list' })).data.stashes.length, 1);
  });
});

describe('files that an operation touches', () => {
  test('are known beforehand', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1', b: '1', c: '1' });
    world.git(world.root, 'branch', 'old');
    world.commit('two', { a: '2' });
    world.write('a', 'dirty');
    world.write('b', 'dirty');
    world.write('untracked', 'x');
    const naming = { defaultFolder: world.root, checkPath: async (path: string) => path };
    const repository = await world.services.git.open(world.root, naming);
    const touched = async (operation: Parameters<typeof repository.filesTouchedBy>[0]) =>
      (await repository.filesTouchedBy(operation)).map((file) => file.path).sort();
    assert.deepEqual(await touched({ kind: 'restore', paths: ['b', 'c'], source: 'HEAD' }), ['b']);
    assert.deepEqual(await touched({ kind: 'checkout', ref: 'old' }), ['a']);
    assert.deepEqual(await touched({ kind: 'checkout', ref: 'only-on-a-remote' }), ['a', 'b']);
    assert.deepEqual(await touched({ kind: 'reset-hard', ref: 'HEAD' }), ['a', 'b']);
    assert.deepEqual(await touched({ kind: 'stash-push', includeUntracked: false }), ['a', 'b']);
    assert.deepEqual(await touched({ kind: 'stash-push', includeUntracked: true }), ['a', 'b', 'untracked']);
    assert.deepEqual(await touched({ kind: 'pull' }), ['a', 'b']);
    world.git(world.root, 'stash', '-q', '--include-untracked');
    assert.deepEqual(await touched({ kind: 'stash-apply', index: 0 }), ['a', 'b', 'untracked']);
    world.git(world.root, 'stash', 'pop', '-q');
    world.git(world.root, 'rm', '-q', '--cached', 'c');
    assert.deepEqual(
      await touched({ kind: 'reset-hard', ref: 'HEAD' }),
      ['a', 'b', 'c', 'untracked'].filter((name) => name !== 'untracked'),
    );
  });
});
