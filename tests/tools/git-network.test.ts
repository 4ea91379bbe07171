import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { serveOverHttp } from '../git/http-remote.ts';
import { paths, World, type WorldOptions } from '../git/support.ts';

/** A repository with a bare remote `origin` and a second clone of it, as another person has. */
function withRemote(t: Parameters<typeof serveOverHttp>[0], options: WorldOptions = {}) {
  const world = new World(t, options);
  world.commit('one', { 'a.txt': '1\n' });
  world.git(world.folder, 'clone', '-q', '--bare', 'work', 'remote.git');
  world.git(world.root, 'remote', 'add', 'origin', join(world.folder, 'remote.git'));
  world.git(world.root, 'fetch', '-q');
  world.git(world.root, 'branch', '-q', '--set-upstream-to=origin/main');
  world.git(world.folder, 'clone', '-q', 'remote.git', 'other');
  const other = join(world.folder, 'other');
  const remote = join(world.folder, 'remote.git');
  return {
    world,
    other,
    remote,
    /** Somebody else pushes a commit. */
    theirs(message: string, files: Record<string, string>) {
      world.git(other, 'pull', '-q', '--rebase');
      const hash = world.commit(message, files, other);
      world.git(other, 'push', '-q', 'origin', 'HEAD');
      return hash;
    },
    remoteHook(name: string, script: string) {
      const file = join(remote, 'hooks', name);
      writeFileSync(file, `#!/bin/sh\n${script}\n`);
      chmodSync(file, 0o755);
    },
  };
}

describe('git_fetch', () => {
  test('says what is new and where the branch stands', async (t) => {
    const { world, theirs, other } = withRemote(t);
    assert.match((await world.ok('git_fetch')).summary, /Nothing new\. On main \(level with origin\/main\)/);
    theirs('two', { b: '1' });
    world.git(other, 'push', '-q', 'origin', 'HEAD:refs/heads/topic');
    const { data, summary } = await world.ok('git_fetch');
    assert.deepEqual(
      data.updates.map((update: { ref: string; change: string }) => `${update.ref} ${update.change}`).sort(),
      ['origin/main updated', 'origin/topic new'],
    );
    assert.match(summary, /behind 1 of origin\/main/);
    assert.equal(world.exists('b'), false);
  });

  test('without a remote, from an unknown one, and from an address that is not there', async (t) => {
    const world = new World(t);
    assert.match((await world.fails('REF_NOT_FOUND', 'git_fetch')).data.error.hint, /git remote add/);
    world.git(world.root, 'remote', 'add', 'origin', join(world.folder, 'nowhere.git'));
    await world.fails('REF_NOT_FOUND', 'git_fetch', { remote: 'nosuch' });
    const { data } = await world.fails('GIT_FAILED', 'git_fetch');
    assert.equal(data.error.reason, 'no such repository');
  });
});

describe('git_push', () => {
  test('of the current branch, of a new one with set_upstream, of a tag', async (t) => {
    const { world, remote } = withRemote(t);
    assert.match((await world.ok('git_push')).summary, /up to date/);
    const two = world.commit('two', { 'a.txt': '2\n' });
    const { data } = await world.ok('git_push');
    assert.deepEqual([data.refs[0].to, data.refs[0].result], ['main', 'updated']);
    assert.equal(world.git(remote, 'rev-parse', 'main'), two);
    world.git(world.root, 'switch', '-q', '-c', 'topic');
    const bare = await world.fails('GIT_FAILED', 'git_push');
    assert.equal(bare.data.error.reason, 'no upstream');
    assert.match(bare.data.error.hint, /"set_upstream":true/);
    assert.match((await world.ok('git_push', { set_upstream: true })).summary, /topic: new/);
    assert.equal(world.git(world.root, 'rev-parse', '--abbrev-ref', 'topic@{upstream}'), 'origin/topic');
    world.git(world.root, 'tag', 'v1');
    await world.ok('git_push', { remote: 'origin', branch: 'v1' });
    assert.equal(world.git(remote, 'tag'), 'v1');
    await world.fails('REF_NOT_FOUND', 'git_push', { branch: 'nosuch' });
    world.git(world.root, 'checkout', '-q', '--detach');
    await world.fails('INVALID_PARAMS', 'git_push', { set_upstream: true });
  });

  test('rejected: the remote has other commits, known and unknown here', async (t) => {
    const { world, theirs } = withRemote(t);
    theirs('theirs', { b: '1' });
    world.commit('ours', { c: '1' });
    const unknown = await world.fails('REJECTED', 'git_push');
    assert.equal(unknown.data.error.reason, 'non-fast-forward');
    assert.match(unknown.data.error.hint, /git_pull \{"rebase":true\}/);
    await world.ok('git_fetch');
    const known = await world.fails('REJECTED', 'git_push');
    assert.equal(known.data.error.reason, 'non-fast-forward');
    await world.ok('git_pull', { rebase: true });
    await world.ok('git_push');
  });

  test('rejected: by a hook with its words, a protected branch, a checked out branch, a moved tag', async (t) => {
    const { world, remoteHook, other } = withRemote(t);
    world.commit('two', { b: '1' });
    remoteHook('pre-receive', 'echo "Ticket number missing, see https://user:secret@host/x" >&2; exit 1');
    const hook = await world.fails('REJECTED', 'git_push');
    assert.equal(hook.data.error.reason, 'hook declined');
    assert.match(hook.data.error.remote_output, /Ticket number missing, see https:\/\/host/);
    remoteHook(
      'pre-receive',
      'echo "error: GH006: Protected branch update failed for refs/heads/main." >&2; exit 1',
    );
    const guarded = await world.fails('REJECTED', 'git_push');
    assert.equal(guarded.data.error.reason, 'protected branch');
    assert.match(guarded.data.error.hint, /pull request/);
    world.git(world.root, 'remote', 'add', 'other', other);
    assert.equal(
      (await world.fails('REJECTED', 'git_push', { remote: 'other', branch: 'main' })).data.error.reason,
      'checked out',
    );
    remoteHook('pre-receive', 'exit 0');
    world.git(world.root, 'tag', 'v1');
    await world.ok('git_push', { branch: 'v1' });
    world.git(world.root, 'tag', '-f', 'v1', 'HEAD~1');
    assert.equal(
      (await world.fails('REJECTED', 'git_push', { branch: 'v1' })).data.error.reason,
      'already exists',
    );
  });

  test('refused by the own pre-push hook, in its words', async (t) => {
    const { world } = withRemote(t);
    world.commit('two', { b: '1' });
    world.hook('pre-push', 'echo "tests are red" >&2; exit 1');
    const { data } = await world.fails('REJECTED', 'git_push');
    assert.equal(data.error.reason, 'pre-push hook');
    assert.equal(data.error.hook_output, 'tests are red');
  });

  test('never forces and never deletes, whatever the name', async (t) => {
    const { world, theirs, remote } = withRemote(t);
    const kept = theirs('theirs', { b: '1' });
    world.commit('ours', { c: '1' });
    await world.fails('REF_NOT_FOUND', 'git_push', { branch: '+main' });
    await world.fails('INVALID_PARAMS', 'git_push', { branch: ':main' });
    await world.fails('INVALID_PARAMS', 'git_push', { branch: 'main:main' });
    await world.fails('INVALID_PARAMS', 'git_push', { branch: 'refs/heads/*' });
    world.git(world.root, 'branch', '+main');
    await world.ok('git_push', { branch: '+main' });
    assert.equal(world.git(remote, 'rev-parse', 'main'), kept);
  });
});

describe('git_pull', () => {
  test('fast-forwards, merges, rebases, and lists what changed', async (t) => {
    const { world, theirs } = withRemote(t);
    assert.match((await world.ok('git_pull')).summary, /Already up to date/);
    const two = theirs('two', { b: '1' });
    const { data, summary } = await world.ok('git_pull');
    assert.equal(data.to, two);
    assert.deepEqual(data.files, [{ path: 'b', status: 'added' }]);
    assert.match(summary, /1 file changed: b/);
    theirs('three', { b: '2' });
    world.commit('ours', { c: '1' });
    const diverged = await world.fails('REJECTED', 'git_pull');
    assert.equal(diverged.data.error.reason, 'diverged');
    await world.ok('git_pull', { rebase: true });
    assert.equal(world.git(world.root, 'log', '--merges', '--oneline'), '');
    theirs('four', { b: '3' });
    await world.ok('git_pull', { rebase: false, remote: 'origin', branch: 'main' });
    assert.equal(world.git(world.root, 'log', '--merges', '--oneline').split('\n').length, 1);
  });

  test('names conflicts, dirty files, a missing branch and a missing upstream', async (t) => {
    const { world, theirs } = withRemote(t);
    theirs('theirs', { 'a.txt': 'theirs\n' });
    world.write('a.txt', 'dirty\n');
    assert.deepEqual((await world.fails('CONFLICT', 'git_pull')).data.error.files, ['a.txt']);
    await world.fails('CONFLICT', 'git_pull', { rebase: true });
    world.commit('ours', { 'a.txt': 'ours\n' });
    const conflict = await world.fails('CONFLICT', 'git_pull', { rebase: false });
    assert.deepEqual(conflict.data.error.files, ['a.txt']);
    assert.match(conflict.data.error.hint, /git merge --abort/);
    assert.equal((await world.ok('git_status')).data.state.operation, 'merge');
    world.git(world.root, 'merge', '--abort');
    await world.fails('REF_NOT_FOUND', 'git_pull', { remote: 'origin', branch: 'nosuch' });
    world.git(world.root, 'switch', '-q', '-c', 'local');
    assert.equal((await world.fails('GIT_FAILED', 'git_pull')).data.error.reason, 'no upstream');
  });
});

describe('over HTTP', () => {
  test('fetches, pushes, pulls', async (t) => {
    const { world, theirs, remote } = withRemote(t);
    world.git(remote, 'config', 'http.receivepack', 'true');
    const { address } = await serveOverHttp(t, world.folder, world.env);
    world.git(world.root, 'remote', 'set-url', 'origin', `${address}/remote.git`);
    theirs('two', { b: '1' });
    assert.deepEqual(paths((await world.ok('git_pull')).data.files), ['b']);
    const three = world.commit('three', { c: '1' });
    await world.ok('git_push');
    assert.equal(world.git(remote, 'rev-parse', 'main'), three);
  });

  test('with a password that nobody can type: an error at once, without it in any text', async (t) => {
    const { world } = withRemote(t, { env: { GIT_ASKPASS: '/bin/echo', SSH_ASKPASS: '/bin/echo' } });
    const { address } = await serveOverHttp(t, world.folder, world.env, { password: 'right' });
    world.git(world.root, 'remote', 'set-url', 'origin', `${address}/remote.git`);
    for (const tool of ['git_fetch', 'git_push', 'git_pull']) {
      const { data } = await world.fails('PERMISSION_DENIED', tool);
      assert.equal(data.error.reason, 'auth');
      assert.match(data.error.hint, /terminal/);
    }
    world.git(
      world.root,
      'remote',
      'set-url',
      'origin',
      `${address.replace('//', '//ada:sup3rsecret@')}/remote.git`,
    );
    const wrong = await world.fails('PERMISSION_DENIED', 'git_fetch');
    assert.doesNotMatch(JSON.stringify(wrong), /sup3rsecret/);
    world.git(
      world.root,
      'remote',
      'set-url',
      'origin',
      `${address.replace('//', '//ada:right@')}/remote.git`,
    );
    await world.ok('git_fetch');
  });

  test('a slow remote is handed over as a background process that finishes', async (t) => {
    const { world, theirs } = withRemote(t, { yieldMs: 300 });
    const remote = await serveOverHttp(t, world.folder, world.env, { held: true });
    world.git(world.root, 'remote', 'set-url', 'origin', `${remote.address}/remote.git`);
    const two = theirs('two', { b: '1' });
    const { data, summary } = await world.ok('git_fetch');
    assert.match(summary, /still runs.*process_output/);
    remote.release();
    const links = {
      conversation: 'test',
      signal: new AbortController().signal,
      abandoned: new AbortController().signal,
      answerByMs: performance.now() + 30_000,
      progress: () => {},
    };
    for (;;) {
      const { info } = await world.services.shell.processOutput(
        { id: data.process_id, waitMs: 20_000 },
        links,
      );
      if (info.state === 'exited') {
        assert.equal(info.exitCode, 0);
        assert.equal(info.command, 'git fetch --no-progress --end-of-options origin');
        break;
      }
    }
    assert.equal(world.git(world.root, 'rev-parse', 'origin/main'), two);
  });
});
