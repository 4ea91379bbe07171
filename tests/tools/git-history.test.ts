import assert from 'node:assert/strict';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { paths, World } from '../git/support.ts';

describe('git_diff', () => {
  test('of the working tree, the index, a ref and a range', async (t) => {
    const world = new World(t);
    world.commit('one', { 'a.txt': 'one\n', 'b.txt': 'x\n' });
    world.commit('two', { 'a.txt': 'two\n' });
    world.write('a.txt', 'three\n');
    world.git(world.root, 'add', 'a.txt');
    world.write('a.txt', 'four\n');
    const changes = async (args: Record<string, unknown>) => {
      const { bulk } = await world.ok('git_diff', args);
      return bulk
        .split('\n')
        .filter((line) => /^[+-]\w/.test(line))
        .join(' ');
    };
    assert.equal(await changes({}), '-three +four');
    assert.equal(await changes({ staged: true }), '-two +three');
    assert.equal(await changes({ ref: 'HEAD~1' }), '-one +four');
    assert.equal(await changes({ ref: 'HEAD~1..HEAD' }), '-one +two');
    assert.equal(await changes({ ref: 'HEAD~1', staged: true }), '-one +three');
    assert.equal(await changes({ ref: 'HEAD~1', file: 'b.txt' }), '');
    const { data, summary } = await world.ok('git_diff');
    assert.deepEqual([data.files_changed, data.added, data.removed, data.truncated], [1, 1, 1, false]);
    assert.equal(data.files, undefined);
    assert.match(summary, /1 file changed, \+1 -1 \(working tree against index\)/);
  });

  test('that is empty says where the changes are', async (t) => {
    const world = new World(t);
    world.commit('one', { 'a.txt': 'one\n' });
    assert.match((await world.ok('git_diff')).summary, /working tree is clean/);
    world.write('new.txt', 'x');
    world.write('a.txt', 'two\n');
    world.git(world.root, 'add', 'a.txt');
    const { summary, bulk } = await world.ok('git_diff');
    assert.equal(bulk, '');
    assert.match(summary, /1 staged, 1 untracked.*"staged":true.*Untracked files are not part/);
  });

  test('of a name that git does not know was "No differences … The working tree is clean"', async (t) => {
    const world = new World(t);
    world.commit('one', { 'a.txt': 'one\n', 'sub/b.txt': 'x\n' });
    world.write('new.txt', 'x');
    const known = await world.ok('git_diff', { file: 'sub' });
    assert.equal(known.summary, 'No differences in sub, working tree against index.');
    for (const args of [{ file: 'a.tx' }, { file: 'a.tx', staged: true }, { file: 'a.tx', ref: 'HEAD' }]) {
      const { summary } = await world.fails('FILE_NOT_FOUND', 'git_diff', args);
      assert.equal(summary, 'git knows no file "a.tx".');
    }
    assert.match((await world.ok('git_diff', { file: 'new.txt' })).summary, /1 untracked/);
  });

  test('shows renames, modes, binary files, symlinks and both signs of a new last line', async (t) => {
    const world = new World(t);
    world.commit('one', {
      'old name.txt': 'the same text in both\n',
      'x.sh': 'x\n',
      'b.bin': Buffer.from([0, 1, 2]),
      link: 'was a file\n',
      end: 'a',
    });
    world.git(world.root, 'mv', 'old name.txt', 'new name.txt');
    world.git(world.root, 'update-index', '--chmod=+x', 'x.sh');
    world.write('b.bin', Buffer.from([0, 3]));
    rmSync(join(world.root, 'link'));
    symlinkSync('x.sh', join(world.root, 'link'));
    world.write('end', 'a\n');
    const { bulk, data } = await world.ok('git_diff', { ref: 'HEAD' });
    assert.match(bulk, /rename from old name\.txt\nrename to new name\.txt/);
    assert.match(bulk, /Binary files a\/b\.bin and b\/b\.bin differ/);
    assert.match(bulk, /new file mode 120000/);
    assert.match(bulk, /No newline at end of file/);
    // The mode is only in the index, where core.fileMode sees the file without it.
    assert.equal(data.files_changed, 4);
    assert.match((await world.ok('git_diff', { staged: true })).bulk, /new mode 100755/);
  });

  test('is the same whatever the user has configured', async (t) => {
    const world = new World(t);
    world.commit('one', { 'ä.txt': 'one\n' });
    world.write('ä.txt', 'two\n');
    const plain = await world.ok('git_diff');
    for (const [key, value] of [
      ['diff.noprefix', 'true'],
      ['diff.mnemonicPrefix', 'true'],
      ['color.ui', 'always'],
      ['color.diff', 'always'],
      ['core.pager', 'false'],
      ['diff.renames', 'false'],
      ['diff.relative', 'true'],
      ['core.quotePath', 'true'],
      ['status.showUntrackedFiles', 'no'],
      ['status.branch', 'false'],
      ['log.showSignature', 'true'],
      ['log.decorate', 'no'],
      ['format.pretty', 'oneline'],
      ['diff.submodule', 'log'],
    ]) {
      world.git(world.root, 'config', key!, value!);
    }
    world.write('sub/x', '');
    assert.equal((await world.ok('git_diff', { path: 'sub' })).bulk, plain.bulk);
    assert.match(plain.bulk, /^diff --git a\/ä\.txt b\/ä\.txt$/m);
    assert.equal((await world.ok('git_status')).data.counts.untracked, 1);
    assert.deepEqual((await world.ok('git_log')).data.entries[0].refs, ['HEAD -> main']);
  });

  test('larger than an answer is cut between lines, lists every file, and goes on exactly', async (t) => {
    const world = new World(t);
    const line = (n: number) => `Zeile ${n} mit Umlauten äöü und einem € dazu\n`;
    const body = Array.from({ length: 6_000 }, (_, n) => line(n)).join('');
    world.commit('one', { 'a.txt': body, 'b.txt': body, 'c.txt': 'c\n' });
    world.write('a.txt', body.replaceAll('Zeile', 'Line'));
    world.write('b.txt', body.replaceAll('Zeile', 'Row'));
    world.write('c.txt', 'C\n');
    const expected = `${world.git(world.root, 'diff')}\n`;
    let [reply, text, calls] = [await world.ok('git_diff'), '', 0];
    assert.equal(reply.data.total_bytes, Buffer.byteLength(expected));
    assert.deepEqual(
      reply.data.files.map((file: Record<string, unknown>) => [file['path'], file['added'], file['removed']]),
      [
        ['a.txt', 6_000, 6_000],
        ['b.txt', 6_000, 6_000],
        ['c.txt', 1, 1],
      ],
    );
    for (;;) {
      calls++;
      text += reply.bulk;
      assert.ok(reply.bytes <= 256 * 1024, `${reply.bytes} bytes`);
      if (!reply.data.truncated) break;
      assert.ok(reply.bulk.endsWith('\n'));
      reply = await world.ok('git_diff', JSON.parse(reply.data.next.replace('git_diff ', '')));
    }
    assert.ok(calls > 2);
    assert.equal(text, expected);
  });

  test('with bytes that are not UTF-8 says so', async (t) => {
    const world = new World(t);
    world.commit('one', { a: 'a\n' });
    world.write('a', Buffer.from('caf\xe9\n', 'latin1'));
    assert.match((await world.ok('git_diff')).summary, /not UTF-8/);
  });

  test('of an unknown revision is an error, also before the first commit', async (t) => {
    const world = new World(t);
    await world.fails('REF_NOT_FOUND', 'git_diff', { ref: 'HEAD' });
    world.commit('one', { a: 'a\n' });
    const { summary } = await world.fails('REF_NOT_FOUND', 'git_diff', { ref: 'nosuch' });
    assert.match(summary, /"nosuch"/);
    await world.fails('INVALID_PARAMS', 'git_diff', { file: '/etc/passwd' });
  });
});

describe('git_log', () => {
  test('gives entries with refs, body and parents, and the call that goes on', async (t) => {
    const world = new World(t);
    for (let index = 1; index <= 12; index++) world.commit(`commit ${index}`, { a: `${index}\n` });
    world.git(world.root, 'tag', 'v1');
    world.git(
      world.root,
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'Subject "quoted"',
      '-m',
      'Body\n\nwith a second paragraph',
    );
    const { data, summary } = await world.ok('git_log');
    assert.equal(data.entries.length, 10);
    assert.equal(data.truncated, true);
    assert.equal(data.entries[0].subject, 'Subject "quoted"');
    assert.equal(data.entries[0].body, 'Body\n\nwith a second paragraph');
    assert.equal(data.entries[0].author, 'Ada Tester');
    assert.match(data.entries[0].date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/);
    assert.deepEqual(data.entries[1].refs, ['tag: v1']);
    assert.match(summary, /10 commits.*There are more/);
    const rest = await world.ok('git_log', JSON.parse(data.next.replace('git_log ', '')));
    assert.deepEqual(
      rest.data.entries.map((entry: { subject: string }) => entry.subject),
      ['commit 3', 'commit 2', 'commit 1'],
    );
    assert.equal(rest.data.truncated, false);
  });

  test('of a file follows renames, of a deleted file and a folder works, and of a ref', async (t) => {
    const world = new World(t);
    world.commit('create', { 'src/old.txt': 'some text that stays the same\n', 'gone.txt': 'x' });
    world.git(world.root, 'rm', '-q', 'gone.txt');
    world.git(world.root, 'mv', 'src/old.txt', 'src/new.txt');
    world.git(world.root, 'commit', '-q', '-m', 'rename');
    world.commit('other', { other: '1' });
    world.git(world.root, 'branch', 'side', 'HEAD~1');
    const subjects = async (args: Record<string, unknown>) =>
      (await world.ok('git_log', args)).data.entries.map((entry: { subject: string }) => entry.subject);
    assert.deepEqual(await subjects({ file: 'src/new.txt' }), ['rename', 'create']);
    assert.deepEqual(await subjects({ path: 'src/new.txt' }), ['rename', 'create']);
    assert.deepEqual(await subjects({ file: 'gone.txt' }), ['rename', 'create']);
    assert.deepEqual(await subjects({ file: 'src' }), ['rename', 'create']);
    assert.deepEqual(await subjects({ path: 'src' }), ['other', 'rename', 'create']);
    assert.deepEqual(await subjects({ ref: 'side', count: 1 }), ['rename']);
    assert.deepEqual(await subjects({ ref: 'side..main' }), ['other']);
    assert.match((await world.ok('git_log', { file: 'never.txt' })).summary, /No commits of never\.txt/);
  });

  test('of an unborn branch is empty, of an unknown ref an error, of a shallow clone says where it ends', async (t) => {
    const world = new World(t);
    assert.match((await world.ok('git_log')).summary, /No commits yet/);
    world.commit('one', { a: '1' });
    world.commit('two', { a: '2' });
    world.git(world.root, 'pack-refs', '--all');
    await world.fails('REF_NOT_FOUND', 'git_log', { ref: 'nosuch' });
    world.git(world.folder, 'clone', '-q', '--depth=1', `file://${world.root}`, 'shallow');
    const shallow = await world.ok('git_log', { path: join(world.folder, 'shallow') });
    assert.equal(shallow.data.entries.length, 1);
    assert.match(shallow.summary, /shallow clone.*--unshallow/);
    const { refs } = shallow.data.entries[0];
    assert.ok(
      refs.includes('origin/HEAD') && !refs.includes('grafted'),
      'a mark of git was listed as a branch',
    );
  });

  test('names the parents of a merge and keeps messages in other encodings readable', async (t) => {
    const world = new World(t);
    world.commit('base', { a: '1' });
    world.git(world.root, 'checkout', '-q', '-b', 'side');
    world.commit('side', { b: '1' });
    world.git(world.root, 'checkout', '-q', 'main');
    world.git(world.root, 'merge', '-q', '--no-ff', '-m', 'merge', 'side');
    world.write('m', Buffer.from('Gr\xfc\xdfe\n', 'latin1'), world.folder);
    world.git(
      world.root,
      '-c',
      'i18n.commitEncoding=ISO-8859-1',
      'commit',
      '-q',
      '--allow-empty',
      '-F',
      join(world.folder, 'm'),
    );
    const { data } = await world.ok('git_log');
    assert.equal(data.entries[0].subject, 'Grüße');
    assert.equal(data.entries[1].parents.length, 2);
    const shown = await world.ok('git_show', { ref: 'HEAD~1' });
    assert.deepEqual(paths(shown.data.files), ['b']);
    assert.match(shown.summary, /compared with its first parent/);
  });
});

describe('git_show', () => {
  test('of a commit, a tag, the first commit and an empty one', async (t) => {
    const world = new World(t);
    world.commit('first', { 'a.txt': 'a\n' });
    world.commit('second\n\nwith details', { 'a.txt': 'b\n' });
    world.git(world.root, 'tag', '-a', 'v1', '-m', 'release');
    const { data, bulk, summary } = await world.ok('git_show', { ref: 'v1' });
    assert.equal(data.commit.subject, 'second');
    assert.equal(data.commit.body, 'with details');
    assert.deepEqual(data.files, [{ path: 'a.txt', status: 'modified' }]);
    assert.match(bulk, /^diff --git a\/a\.txt[\s\S]*\n-a\n\+b\n$/);
    assert.match(summary, /1 file, \+1 -1/);
    assert.match((await world.ok('git_show', { ref: 'HEAD~1' })).bulk, /new file mode/);
    world.git(world.root, 'commit', '-q', '--allow-empty', '-m', 'empty');
    const empty = await world.ok('git_show', { ref: 'HEAD' });
    assert.deepEqual(empty.data.files, []);
    assert.equal(empty.bulk, '');
    await world.fails('REF_NOT_FOUND', 'git_show', { ref: 'nosuch' });
    await world.fails('INVALID_PARAMS', 'git_show', { ref: 'HEAD~1..HEAD' });
    assert.equal((await world.ok('git_show', { ref: ':/first' })).data.commit.subject, 'first');
    assert.equal((await world.ok('git_show', { ref: 'HEAD^{/second}' })).data.commit.subject, 'second');
  });

  test('of a file, in every way of naming it', async (t) => {
    const world = new World(t);
    world.commit('one', { 'src/a b.txt': 'old\n', 'src/z': '' });
    world.commit('two', { 'src/a b.txt': 'new\n' });
    for (const args of [
      { ref: 'HEAD~1', file: 'src/a b.txt' },
      { ref: 'HEAD~1:src/a b.txt' },
      { ref: 'HEAD~1', file: 'a b.txt', path: 'src' },
      { ref: 'HEAD~1:', file: join(world.root, 'src/a b.txt') },
    ]) {
      assert.equal((await world.ok('git_show', args)).bulk, 'old\n', JSON.stringify(args));
    }
    assert.equal((await world.ok('git_show', { ref: ':src/a b.txt' })).bulk, 'new\n');
    const folder = await world.ok('git_show', { ref: 'HEAD', file: '.' });
    assert.equal(folder.bulk, 'src/\n');
    assert.equal((await world.ok('git_show', { ref: 'HEAD:src' })).bulk, 'a b.txt\nz\n');
    await world.fails('FILE_NOT_FOUND', 'git_show', { ref: 'HEAD', file: 'nosuch' });
    await world.fails('REF_NOT_FOUND', 'git_show', { ref: 'nosuch', file: 'src/z' });
    assert.equal((await world.ok('git_show', { ref: 'HEAD', file: 'src/z' })).bulk, '');
  });

  test('of a binary file is refused, of a large one cut and continued', async (t) => {
    const world = new World(t);
    const text = Array.from({ length: 30_000 }, (_, n) => `Zeile ${n} äöü€\n`).join('');
    world.commit('one', {
      'b.bin': Buffer.from([1, 0, 2]),
      'big.txt': text,
      'one-line': 'ä'.repeat(200_000),
    });
    const { data } = await world.fails('BINARY_FILE', 'git_show', { ref: 'HEAD', file: 'b.bin' });
    assert.equal(data.error.size_bytes, 3);
    for (const [file, expected] of [
      ['big.txt', text],
      ['one-line', 'ä'.repeat(200_000)],
    ] as const) {
      let reply = await world.ok('git_show', { ref: 'HEAD', file });
      assert.equal(reply.data.size_bytes, Buffer.byteLength(expected));
      let got = reply.bulk;
      while (reply.data.truncated) {
        reply = await world.ok('git_show', JSON.parse(reply.data.next.replace('git_show ', '')));
        assert.ok(reply.bytes <= 256 * 1024);
        got += reply.bulk;
      }
      assert.equal(got, expected);
    }
  });
});

describe('git_blame', () => {
  test('names the commit of every line, within a range, and uncommitted ones', async (t) => {
    const world = new World(t);
    const one = world.commit('one', { 'dir/a.txt': 'a\nb\nc\n' });
    const two = world.commit('two', { 'dir/a.txt': 'a\nB\nc\n' });
    world.write('dir/a.txt', 'a\nB\nc\nd\n');
    const { bulk, data } = await world.ok('git_blame', { file: 'dir/a.txt' });
    assert.equal(
      bulk,
      `${one.slice(0, 8)} 1) a\n${two.slice(0, 8)} 2) B\n${one.slice(0, 8)} 3) c\n00000000 4) d\n`,
    );
    assert.deepEqual(data.commits.map((c: { subject: string; lines: number }) => [c.subject, c.lines])[0], [
      'one',
      2,
    ]);
    const part = await world.ok('git_blame', { file: 'a.txt', path: 'dir', start_line: 2, end_line: 3 });
    assert.equal(part.bulk, `${two.slice(0, 8)} 2) B\n${one.slice(0, 8)} 3) c\n`);
    assert.deepEqual([part.data.start_line, part.data.end_line], [2, 3]);
    await world.fails('INVALID_PARAMS', 'git_blame', { file: 'dir/a.txt', start_line: 9 });
    await world.fails('INVALID_PARAMS', 'git_blame', { file: 'dir/a.txt', start_line: 3, end_line: 2 });
    world.write('new.txt', 'x\n');
    await world.fails('FILE_NOT_FOUND', 'git_blame', { file: 'new.txt' });
    await world.fails('FILE_NOT_FOUND', 'git_blame', { file: 'missing.txt' });
  });

  test('of a long file is cut and continued', async (t) => {
    const world = new World(t);
    world.commit('one', { a: Array.from({ length: 20_000 }, (_, n) => `line ${n}\n`).join('') });
    let reply = await world.ok('git_blame', { file: 'a' });
    let lines = 0;
    for (;;) {
      lines += reply.bulk.split('\n').length - 1;
      if (!reply.data.truncated) break;
      reply = await world.ok('git_blame', JSON.parse(reply.data.next.replace('git_blame ', '')));
    }
    assert.equal(lines, 20_000);
  });
});
