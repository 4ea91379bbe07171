import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { pathFromBytes, pathFromQuoted, pathToBytes } from '../../src/git/file-names.ts';
import { checkBranchName, checkRemote, forShell, withoutCredentials } from '../../src/git/names.ts';
import { countPatch, cutPoint } from '../../src/git/patch-output.ts';
import { parsePush } from '../../src/git/push-report.ts';
import { splitRevisionPath } from '../../src/git/revision.ts';
import { parseStatus } from '../../src/git/status.ts';

/** Whether git itself takes a name for a branch. */
function gitTakes(name: string): boolean {
  try {
    execFileSync('git', ['check-ref-format', '--branch', name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('branch names', () => {
  const names = [
    'main',
    'feature/login',
    'a.b',
    'a-b',
    '+main',
    '@x',
    'x@',
    'HEAD',
    'ünï',
    '-x',
    '--orphan=x',
    '.x',
    'x/.y',
    'x.',
    'x..y',
    'x.lock',
    'x.lock/y',
    'a/b.lock',
    'x y',
    'x~1',
    'x^',
    'x:y',
    'x?',
    'x*',
    'x[',
    'x\\y',
    '/x',
    'x/',
    'x//y',
    'x@{y',
    'x{y}',
    '#1',
    '$x',
    'x\ty',
  ];
  for (const name of names) {
    test(JSON.stringify(name), () => {
      let taken = true;
      try {
        checkBranchName(name);
      } catch {
        taken = false;
      }
      assert.equal(taken, gitTakes(name));
    });
  }
});

describe('remotes', () => {
  const kind = (remote: string) => {
    try {
      return checkRemote(remote, ['origin', 'we:ird']);
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const table: Record<string, string> = {
    origin: 'name',
    'we:ird': 'name',
    upstream: 'REF_NOT_FOUND',
    'https://host/x.git': 'address',
    'ssh://git@host/x': 'address',
    'git@host:me/x.git': 'address',
    'host:x': 'address',
    '/srv/x.git': 'address',
    '../x.git': 'address',
    'C:\\x': 'address',
    'file:///x': 'address',
    'ext::sh -c x': 'DENIED',
    'transport::address': 'DENIED',
    '--upload-pack=x': 'INVALID_PARAMS',
    '': 'INVALID_PARAMS',
    'a\nb': 'INVALID_PARAMS',
    'ssh://-oProxyCommand=x/y': 'REF_NOT_FOUND',
    'helper://x': 'REF_NOT_FOUND',
    'git@-oProxyCommand=x:y': 'REF_NOT_FOUND',
  };
  for (const [remote, expected] of Object.entries(table)) {
    test(JSON.stringify(remote), () => assert.equal(kind(remote), expected));
  }
});

test('names that are not UTF-8 survive the way into JSON and back', () => {
  for (const bytes of [
    Buffer.from('plain.txt'),
    Buffer.from('ünï "quoted"\n\t\\'),
    Buffer.from([0x63, 0xe9, 0x22, 0x5c, 0x0a, 0x7f, 0x01]),
    Buffer.from([0xff]),
  ]) {
    const path = pathFromBytes(bytes);
    assert.deepEqual(pathToBytes(JSON.parse(JSON.stringify(path))), bytes);
  }
  assert.equal(pathFromBytes(Buffer.from([0x63, 0xe9])), '"c\\351"');
  assert.equal(pathFromQuoted('"a\\tb\\"c\\\\d"'), 'a\tb"c\\d');
  assert.equal(pathFromQuoted('"\\303\\244"'), 'ä');
});

test('revisions with a path', () => {
  assert.equal(splitRevisionPath('HEAD'), undefined);
  assert.equal(splitRevisionPath(':/fix: this'), undefined);
  assert.equal(splitRevisionPath('HEAD^{/a:b}'), undefined);
  assert.deepEqual(splitRevisionPath('HEAD^{/a:b}:c:d'), { revision: 'HEAD^{/a:b}', path: 'c:d' });
  assert.deepEqual(splitRevisionPath(':2:a b'), { revision: ':2', path: 'a b' });
  assert.deepEqual(splitRevisionPath(':a'), { revision: '', path: 'a' });
});

test('pieces are cut after a line, else after a whole character', () => {
  const cut = (text: string, end: number) =>
    Buffer.from(text)
      .subarray(0, end)
      .subarray(0, cutPoint(Buffer.from(text).subarray(0, end)))
      .toString();
  assert.equal(cut('one\ntwo\nthree', 11), 'one\ntwo\n');
  assert.equal(cut('ä€🎉', 2), 'ä');
  assert.equal(cut('ä€🎉', 3), 'ä');
  assert.equal(cut('ä€🎉', 4), 'ä');
  assert.equal(cut('ä€🎉', 5), 'ä€');
  assert.equal(cut('ä€🎉', 8), 'ä€');
  assert.equal(cut('ä€🎉', 9), 'ä€🎉');
  assert.equal(cutPoint(Buffer.alloc(20, 0x80)) > 0, true);
});

test('patches are counted by their marks, not by what the lines look like', () => {
  const patch = [
    'diff --git a/x b/x',
    '--- a/x',
    '+++ b/x',
    '@@ -1,3 +1,3 @@ context',
    ' diff --git a/no b/no',
    '--- removed, looks like a header',
    '+++ added, looks like a header',
    ' @@ -1 +1 @@',
    '\\ No newline at end of file',
    'diff --cc y',
    '--- a/y',
    '+++ b/y',
    '@@@ -1,1 -1,1 +1,3 @@@',
    '++<<<<<<< HEAD',
    ' +ours',
    '- theirs',
    '',
  ].join('\n');
  assert.deepEqual(countPatch(patch), { files: 2, added: 3, removed: 2 });
});

test('a push report', () => {
  const report =
    'To /x\n=\trefs/heads/a:refs/heads/a\t[up to date]\n!\trefs/heads/b:refs/heads/b\t[rejected] (fetch first)\n*\trefs/tags/v:refs/tags/v\t[new tag]\nDone\n';
  assert.deepEqual(
    parsePush(report).map(({ to, result }) => [to, result]),
    [
      ['a', 'up to date'],
      ['b', 'rejected'],
      ['v', 'new'],
    ],
  );
});

test('credentials leave addresses, words are quoted for a shell', () => {
  assert.equal(
    withoutCredentials("fatal: 'https://a:b@host/x' and ssh://t@h/y"),
    "fatal: 'https://host/x' and ssh://h/y",
  );
  assert.equal(forShell('feature/x-1'), 'feature/x-1');
  assert.equal(forShell("a'b $(c)"), "'a'\\''b $(c)'");
});

test('100,000 entries are counted although few are kept', () => {
  const records = ['# branch.oid (initial)', '# branch.head main'];
  for (let index = 0; index < 100_000; index++) records.push(`? file-${index}`);
  const started = performance.now();
  const report = parseStatus(Buffer.from(`${records.join('\0')}\0`), 50_000, 10);
  assert.equal(report.counts.untracked, 100_000);
  assert.equal(report.entries[0]?.path, 'file-50000');
  assert.equal(report.entries.length, 10);
  assert.ok(performance.now() - started < 2_000);
});
