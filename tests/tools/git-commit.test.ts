import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { paths, World } from '../git/support.ts';

/** Names that break anything which passes them through a shell, a line, or an option parser. */
const HARD_NAMES = [
  '-rf',
  '--force',
  'with space.txt',
  'tab\there',
  'line\nbreak',
  "quote'single",
  'quote"double',
  '$(touch canary)',
  '`touch canary`',
  ';touch canary',
  ':(exclude)x',
  ':!x',
  '*.txt',
  '[a-z]',
  '\\back\\slash',
  'ünïcödé 日本語 🎉',
  '#hash',
  '~tilde',
  '..dots',
  'trailing.',
];

describe('git_add', () => {
  test('stages new, changed and deleted files and folders, and says what is staged', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1', gone: 'gone', 'dir/x': 'x' });
    world.write('a', '2');
    world.write('new', '1');
    world.write('dir/y', '1');
    world.write('left', '1');
    rmSync(join(world.root, 'gone'));
    const { data, summary } = await world.ok('git_add', { files: ['a', 'new', 'gone', 'dir'] });
    assert.deepEqual(paths(data.staged), ['a', 'dir/y', 'gone', 'new']);
    assert.equal(summary, 'Staged now: a (modified), dir/y (added), gone (deleted), new (added).');
    assert.deepEqual(data.counts, { staged: 4, unstaged: 0, untracked: 1, conflicted: 0, total: 5 });
  });

  test('with neither files nor all lists what could be staged and stages nothing', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1' });
    world.write('a', '2');
    world.write('new', '1');
    const { data, summary } = await world.ok('git_add');
    assert.deepEqual(paths(data.could_be_staged), ['a', 'new']);
    assert.match(summary, /Could be staged: a \(modified\), new \(untracked\)/);
    assert.equal(world.git(world.root, 'diff', '--cached', '--name-only'), '');
    assert.match((await world.ok('git_add', { all: true })).summary, /a \(modified\), new \(added\)/);
    await world.fails('INVALID_PARAMS', 'git_add', { all: true, files: ['a'] });
  });

  test('refuses ignored and unknown files and names them', async (t) => {
    const world = new World(t);
    world.commit('one', { '.gitignore': '*.log\n' });
    world.write('x.log', '1');
    const { summary, data } = await world.fails('REJECTED', 'git_add', { files: ['x.log'] });
    assert.match(summary, /x\.log/);
    assert.match(data.error.hint, /git add -f/);
    assert.match((await world.fails('FILE_NOT_FOUND', 'git_add', { files: ['nosuch'] })).summary, /"nosuch"/);
    await world.fails('INVALID_PARAMS', 'git_add', { files: ['/etc/hostname'] });
    await world.fails('INVALID_PARAMS', 'git_add', { files: ['../outside'] });
  });

  test('every hard name is taken literally, and shown so that it can be given back', async (t) => {
    const world = new World(t);
    for (const name of HARD_NAMES) world.write(name, 'x');
    world.write('x', 'untouched');
    world.write('a.txt', 'untouched');
    world.write('a', 'untouched');
    for (const name of HARD_NAMES) await world.ok('git_add', { files: [name] });
    const staged = execNames(world.git(world.root, 'diff', '--cached', '--name-only', '-z'));
    assert.deepEqual(staged, [...HARD_NAMES].sort());
    const status = await world.ok('git_status');
    const shown = status.data.entries
      .filter((entry: { staged?: string }) => entry.staged)
      .map((e: { path: string }) => e.path);
    assert.deepEqual([...shown].sort(), [...HARD_NAMES].sort());
    await world.ok('git_commit', { message: 'hard names', files: shown });
    for (const name of HARD_NAMES) {
      world.write(name, 'changed');
      assert.equal((await world.ok('git_diff', { file: name })).data.files_changed, 1, name);
      assert.equal((await world.ok('git_log', { file: name })).data.entries.length, 1, name);
      assert.match((await world.ok('git_blame', { file: name })).bulk, /changed/, name);
      if (!name.includes('\n'))
        assert.equal((await world.ok('git_show', { ref: 'HEAD', file: name })).bulk, 'x', name);
      await world.ok('git_restore', { files: [name] });
      assert.equal(readFileSync(join(world.root, name), 'utf8'), 'x', name);
    }
    assert.deepEqual(status.data.counts.untracked, 3);
    assert.equal(readdirSync(world.root).includes('canary'), false);
  });

  test("a name that is not UTF-8 goes through every tool in git's quoted form", async (t) => {
    const world = new World(t);
    const name = Buffer.concat([
      Buffer.from(`${world.root}/dir/caf`),
      Buffer.from([0xe9]),
      Buffer.from(' "x".txt'),
    ]);
    world.write('dir/other', '1');
    writeFileSync(name, 'one\n');
    await world.ok('git_add', { files: ['dir/other'] });
    const quoted = '"dir/caf\\351 \\"x\\".txt"';
    assert.deepEqual(paths((await world.ok('git_status')).data.entries), ['dir/other', quoted]);
    const { data } = await world.ok('git_commit', { message: 'latin', files: [quoted] });
    assert.deepEqual(paths(data.files), [quoted]);
    assert.equal((await world.ok('git_show', { ref: 'HEAD', file: quoted })).bulk, 'one\n');
    writeFileSync(name, 'two\n');
    assert.match((await world.ok('git_diff')).summary, /not UTF-8/);
    await world.fails('UNSUPPORTED_FILE', 'git_diff', { file: quoted });
    const restored = await world.ok('git_restore', { files: [quoted] });
    assert.deepEqual(restored.data.overwritten, [quoted]);
    assert.equal(readFileSync(name, 'utf8'), 'one\n');
    await world.ok('git_add', { path: 'dir', files: ['"caf\\351 \\"x\\".txt"'] });
  });

  test('names are relative to path, to the root, and to the top of the repository', async (t) => {
    const world = new World(t);
    const repo = join(world.root, 'projects/app');
    world.git(world.root, 'init', '-q', 'projects/app');
    world.commit('one', { 'src/a': '1', 'src/gone': '1' }, repo);
    for (const file of ['src/a', 'projects/app/src/a', join(repo, 'src/a'), './src/../src/a']) {
      world.write('src/a', file, repo);
      const { data } = await world.ok('git_add', { path: 'projects/app', files: [file] });
      assert.deepEqual(paths(data.staged), ['projects/app/src/a'], file);
      world.git(repo, 'reset', '-q', '--hard');
    }
    rmSync(join(repo, 'src/gone'));
    for (const [path, file] of [
      ['projects/app/src', 'gone'],
      ['projects/app/src', 'src/gone'],
      ['projects/app', 'projects/app/src/gone'],
    ]) {
      const { data } = await world.ok('git_add', { path, files: [file] });
      assert.deepEqual(paths(data.staged), ['projects/app/src/gone'], `${path} ${file}`);
      world.git(repo, 'reset', '-q');
    }
  });

  test('marks a conflict as resolved, warns of markers, and all refuses them', async (t) => {
    const world = new World(t);
    conflict(world);
    const refused = await world.fails('CONFLICT', 'git_add', { all: true });
    assert.deepEqual(refused.data.error.files, ['f.txt']);
    await world.fails('CONFLICT', 'git_commit', { message: 'x', stage_all: true });
    assert.equal((await world.ok('git_status')).data.counts.conflicted, 1);
    const warned = await world.ok('git_add', { files: ['f.txt'] });
    assert.match(warned.summary, /Warning: f\.txt still contains conflict markers/);
    world.write('f.txt', 'resolved\n');
    assert.equal((await world.ok('git_add', { all: true })).data.warnings, undefined);
    const { summary } = await world.ok('git_commit', { message: 'merged' });
    assert.match(summary, /^Committed \w+ "merged", on main: 1 file/);
    assert.equal(world.git(world.root, 'log', '-1', '--format=%P').split(' ').length, 2);
  });

  test('says what to do about a lock that stays, and waits for one that goes', async (t) => {
    const world = new World(t);
    world.write('a', '1');
    world.write('.git/index.lock', '');
    const { data } = await world.fails('BUSY', 'git_add', { all: true });
    assert.match(data.error.hint, /delete it/);
    const pending = world.ok('git_add', { all: true });
    setTimeout(() => rmSync(join(world.root, '.git/index.lock')), 50);
    await pending;
  });

  test('ten parallel calls do not fight for the index', async (t) => {
    const world = new World(t);
    const names = Array.from({ length: 10 }, (_, n) => `f${n}`);
    for (const name of names) world.write(name, name);
    await Promise.all(names.map((name) => world.ok('git_add', { files: [name] })));
    assert.equal((await world.ok('git_status')).data.counts.staged, 10);
  });
});

function execNames(output: string): string[] {
  return output
    .split('\0')
    .filter((name) => name !== '')
    .sort();
}

/** Leaves a merge with one conflict in f.txt. */
function conflict(world: World): void {
  world.commit('base', { 'f.txt': 'base\n', 'other.txt': '1\n' });
  world.git(world.root, 'checkout', '-q', '-b', 'other');
  world.commit('theirs', { 'f.txt': 'theirs\n' });
  world.git(world.root, 'checkout', '-q', 'main');
  world.commit('ours', { 'f.txt': 'ours\n' });
  world.gitFails(world.root, 'merge', 'other');
}

describe('git_commit', () => {
  test('commits what is staged and lists it, with what is left', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1', b: '1' });
    world.write('a', '2');
    world.write('b', '2');
    world.write('new', '1');
    world.git(world.root, 'add', 'a');
    const { data, summary } = await world.ok('git_commit', { message: 'Change a\n\nBecause.\n#12 stays\n' });
    assert.match(
      summary,
      /^Committed \w+ "Change a", on main: 1 file: a \(modified\)\. Not committed: 1 unstaged, 1 untracked\.$/,
    );
    assert.equal(data.commit, world.git(world.root, 'rev-parse', 'HEAD'));
    assert.equal(world.git(world.root, 'log', '-1', '--format=%B'), 'Change a\n\nBecause.\n#12 stays');
    assert.deepEqual(data.files, [{ path: 'a', status: 'modified' }]);
  });

  test('the first commit of a repository, with hard text in the message', async (t) => {
    const world = new World(t);
    world.write('a', '1');
    const message = '--amend $(touch canary) `touch canary` "quoted" \'single\' 🎉';
    const { data } = await world.ok('git_commit', { message, files: ['a'] });
    assert.equal(data.subject, message);
    assert.equal(world.git(world.root, 'log', '--format=%s'), message);
    assert.equal(world.exists('canary'), false);
  });

  test('files: exactly those, new and deleted ones too, and what else is staged stays staged', async (t) => {
    const world = new World(t);
    world.commit('one', { a: 'a', b: 'b', gone: 'gone', removed: 'removed' });
    world.write('a', '2');
    world.write('b', '2');
    world.write('new', '1');
    world.write('untracked', '1');
    rmSync(join(world.root, 'gone'));
    world.git(world.root, 'rm', '-q', 'removed');
    world.git(world.root, 'add', 'b');
    const { data } = await world.ok('git_commit', { message: 'two', files: ['a', 'new', 'gone', 'removed'] });
    assert.deepEqual(
      data.files.map((file: { path: string; status: string }) => `${file.path} ${file.status}`),
      ['a modified', 'gone deleted', 'new added', 'removed deleted'],
    );
    assert.equal(world.git(world.root, 'diff', '--cached', '--name-only'), 'b');
    assert.equal(world.git(world.root, 'status', '--short', 'untracked'), '?? untracked');
    await world.fails('FILE_NOT_FOUND', 'git_commit', { message: 'x', files: ['nosuch'] });
    await world.fails('NOTHING_TO_COMMIT', 'git_commit', { message: 'x', files: ['a'] });
    assert.equal(world.git(world.root, 'diff', '--cached', '--name-only'), 'b');
  });

  test('many files at once, more than fit into arguments', async (t) => {
    const world = new World(t);
    const files = Array.from({ length: 700 }, (_, n) => `folder with a long name/file number ${n}.txt`);
    for (const file of files) world.write(file, file);
    world.write('left out', 'x');
    const { data } = await world.ok('git_commit', { message: 'many', files });
    assert.equal(world.git(world.root, 'ls-files').split('\n').length, 700);
    assert.equal(data.remaining.untracked, 1);
    assert.deepEqual(
      readdirSync(join(world.root, '.git')).filter((name) => name.startsWith('local-coder')),
      [],
    );
  });

  test('stage_all takes everything that is not ignored; a folder or "." in files works', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1', '.gitignore': 'ignored\n' });
    world.write('a', '2');
    world.write('sub/new', '1');
    world.write('ignored', '1');
    assert.deepEqual(
      paths((await world.ok('git_commit', { message: 'two', path: 'sub', stage_all: true })).data.files),
      ['a', 'sub/new'],
    );
    world.write('sub/new', '2');
    world.write('a', '3');
    assert.deepEqual(paths((await world.ok('git_commit', { message: 'three', files: ['sub'] })).data.files), [
      'sub/new',
    ]);
    world.write('b', '1');
    assert.deepEqual(paths((await world.ok('git_commit', { message: 'four', files: ['.'] })).data.files), [
      'a',
      'b',
    ]);
  });

  test('with nothing staged lists what could be and takes nothing silently', async (t) => {
    const world = new World(t);
    const head = world.commit('one', { a: '1' });
    const clean = await world.fails('NOTHING_TO_COMMIT', 'git_commit', { message: 'x' });
    assert.match(clean.summary, /working tree is clean/);
    world.write('a', '2');
    world.write('new', '1');
    const { data, summary } = await world.fails('NOTHING_TO_COMMIT', 'git_commit', { message: 'x' });
    assert.match(summary, /a \(modified\), new \(untracked\)/);
    assert.deepEqual(paths(data.error.could_be_staged), ['a', 'new']);
    assert.equal(world.git(world.root, 'rev-parse', 'HEAD'), head);
    await world.fails('INVALID_PARAMS', 'git_commit', { message: ' \n', stage_all: true });
    await world.fails('INVALID_PARAMS', 'git_commit', { message: 'x', files: ['a'], stage_all: true });
  });

  test('a merge commits as a whole, and unresolved conflicts are named', async (t) => {
    const world = new World(t);
    conflict(world);
    const open = await world.fails('CONFLICT', 'git_commit', { message: 'x' });
    assert.deepEqual(open.data.error.files, ['f.txt']);
    world.write('f.txt', 'ours\n');
    await world.ok('git_add', { files: ['f.txt'] });
    world.write('other.txt', '2\n');
    const partial = await world.fails('CONFLICT', 'git_commit', { message: 'x', files: ['other.txt'] });
    assert.match(partial.summary, /merge/);
    world.git(world.root, 'reset', '-q', '--', 'other.txt');
    // Resolved to our side: nothing differs from HEAD, and the merge still wants its commit.
    await world.ok('git_commit', { message: 'merged' });
  });

  test('files are named as a call takes them also in a repository below the root', async (t) => {
    const world = new World(t);
    const inner = join(world.root, 'inner');
    world.git(world.root, 'init', '-q', 'inner');
    world.write('inner/f.txt', 'base\n');
    const named = await world.fails('NOTHING_TO_COMMIT', 'git_commit', { message: 'x', path: 'inner' });
    assert.deepEqual(paths(named.data.error.could_be_staged), ['inner/f.txt']);
    assert.match(named.summary, /inner\/f\.txt \(untracked\)/);
    const commit = async (text: string) => {
      world.write('inner/f.txt', text);
      await world.ok('git_commit', { message: text, path: 'inner', files: ['inner/f.txt'] });
    };
    await commit('base\n');
    world.git(inner, 'checkout', '-q', '-b', 'other');
    await commit('theirs\n');
    world.git(inner, 'checkout', '-q', 'main');
    await commit('ours\n');
    world.gitFails(inner, 'merge', 'other');
    for (const more of [{}, { stage_all: true }]) {
      const open = await world.fails('CONFLICT', 'git_commit', { message: 'x', path: 'inner', ...more });
      assert.deepEqual(open.data.error.files, ['inner/f.txt']);
    }
    const stash = await world.fails('CONFLICT', 'git_stash', { action: 'push', path: 'inner' });
    assert.match(stash.data.error.hint, /git_status says how/);
  });

  test('an unknown author is an error that says what to set', async (t) => {
    const world = new World(t, { env: { GIT_AUTHOR_NAME: '', GIT_COMMITTER_NAME: '' } });
    const { writeFileSync: write } = await import('node:fs');
    write(join(world.home, 'gitconfig'), '[user]\n\tuseConfigOnly = true\n');
    world.write('a', '1');
    const { data } = await world.fails('GIT_FAILED', 'git_commit', { message: 'x', files: ['a'] });
    assert.equal(data.error.reason, 'identity');
    assert.match(data.error.hint, /git config user\.name/);
  });

  test('hooks run as in a terminal: their refusal, their words, their pathspecs', async (t) => {
    const world = new World(t);
    world.hook('pre-commit', 'echo "checks: no semicolons" >&2; echo to stdout; exit 1');
    world.write('a', '1');
    const { data, summary } = await world.fails('REJECTED', 'git_commit', { message: 'x', files: ['a'] });
    assert.match(summary, /hook/);
    assert.match(data.error.hook_output, /checks: no semicolons/);
    assert.match(data.error.hook_output, /to stdout/);
    // A hook that uses patterns, like most that look at changed files.
    world.hook(
      'pre-commit',
      'git diff --cached --name-only -- "*.js" ":(exclude)skip*" >&2; test -z "$GIT_LITERAL_PATHSPECS"',
    );
    world.write('one.js', '1');
    world.write('skip.js', '1');
    world.write('two.txt', '1');
    const good = await world.ok('git_commit', { message: 'x', files: ['one.js', 'skip.js', 'two.txt'] });
    assert.equal(good.data.hook_output, 'one.js');
    world.hook('commit-msg', 'echo "[T-1] $(cat "$1")" > "$1"');
    world.write('a', '2');
    assert.equal(
      (await world.ok('git_commit', { message: 'prefixed', files: ['a'] })).data.subject,
      '[T-1] prefixed',
    );
  });

  test('a hook that leaves something running does not hold the answer', async (t) => {
    const world = new World(t);
    world.hook('post-commit', `sleep 60 & echo $! > '${world.folder}/pid'`);
    world.write('a', '1');
    const started = performance.now();
    await world.ok('git_commit', { message: 'x', files: ['a'] });
    assert.ok(performance.now() - started < 20_000);
    process.kill(Number(readFileSync(join(world.folder, 'pid'), 'utf8')));
  });

  test('a cancelled commit leaves no lock behind', async (t) => {
    const world = new World(t);
    world.hook('pre-commit', `: > '${world.folder}/started'; sleep 60`);
    world.write('a', '1');
    const controller = new AbortController();
    const pending = world.call('git_commit', { message: 'x', files: ['a'] }, controller.signal);
    while (!world.exists('started', world.folder)) await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort();
    assert.equal((await pending).data.error.code, 'CANCELLED');
    assert.equal(world.exists('.git/index.lock'), false);
    rmSync(join(world.root, '.git/hooks/pre-commit'));
    await world.ok('git_commit', { message: 'x', files: ['a'] });
  });

  test('on a detached HEAD and in a linked working tree', async (t) => {
    const world = new World(t);
    world.commit('one', { a: '1' });
    world.git(world.root, 'checkout', '-q', '--detach');
    world.write('a', '2');
    assert.match(
      (await world.ok('git_commit', { message: 'two', files: ['a'] })).summary,
      /on a detached HEAD/,
    );
    const side = join(world.folder, 'side');
    world.git(world.root, 'worktree', 'add', '-q', '-b', 'side', side);
    world.write('b', '1', side);
    const { data } = await world.ok('git_commit', { message: 'side', path: side, files: ['b'] });
    assert.equal(data.branch, 'side');
    assert.deepEqual(paths(data.files), [join(side, 'b')]);
  });
});
