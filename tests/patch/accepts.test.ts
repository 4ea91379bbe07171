import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyTo, type Tree } from './support/apply.ts';

interface Row {
  readonly name: string;
  readonly before: Tree;
  readonly patch: string;
  readonly after: Tree;
}

function table(title: string, rows: readonly Row[]): void {
  describe(title, () => {
    for (const { name, before, patch, after } of rows) {
      test(name, async () => assert.deepEqual(await applyTo(before, patch), after));
    }
  });
}

const ONE = { 'a.txt': 'one\ntwo\nthree\n' };
const TWO = { 'a.txt': 'one\nTWO\nthree\n' };
const CODEX = '*** Begin Patch\n*** Update File: a.txt\n@@\n one\n-two\n+TWO\n three\n*** End Patch\n';
const UNIFIED = '--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n';
const METHODS =
  'class A:\n  def m():\n    return 1\n\nclass B:\n  def m():\n    return 1\n\nclass C:\n  def m():\n    return 1\n';
const SECOND_METHOD = METHODS.replace(/(B:[\s\S]*?return) 1/, '$1 2');
const codex = (body: string): string => `*** Begin Patch\n${body}*** End Patch\n`;
const update = (body: string): string => codex(`*** Update File: a.txt\n${body}`);

table('Codex grammar', [
  { name: 'update', before: ONE, patch: CODEX, after: TWO },
  {
    name: 'add',
    before: {},
    patch: codex('*** Add File: d/n.txt\n+x\n+\n+y\n'),
    after: { 'd/n.txt': 'x\n\ny\n' },
  },
  {
    name: 'add of an empty file',
    before: {},
    patch: codex('*** Add File: __init__.py\n'),
    after: { '__init__.py': '' },
  },
  { name: 'delete', before: { ...ONE, b: 'x' }, patch: codex('*** Delete File: b\n'), after: ONE },
  { name: 'first chunk without @@', before: ONE, patch: update('-two\n+TWO\n'), after: TWO },
  {
    name: 'move with an edit',
    before: ONE,
    patch: update('*** Move to: b/c.txt\n@@\n-two\n+TWO\n'),
    after: { 'b/c.txt': TWO['a.txt'] },
  },
  {
    name: 'move without an edit',
    before: ONE,
    patch: update('*** Move to: c.txt\n'),
    after: { 'c.txt': ONE['a.txt'] },
  },
  {
    name: 'end of file anchors',
    before: { 'a.txt': 'x\ny\nx\n' },
    patch: update('@@\n-x\n+z\n*** End of File\n'),
    after: { 'a.txt': 'x\ny\nz\n' },
  },
  {
    name: 'one header',
    before: { 'a.txt': METHODS },
    patch: update('@@ class B:\n-    return 1\n+    return 2\n'),
    after: { 'a.txt': SECOND_METHOD },
  },
  {
    name: 'stacked headers',
    before: { 'a.txt': METHODS },
    patch: update('@@ class B\n@@ def m():\n-    return 1\n+    return 2\n'),
    after: { 'a.txt': SECOND_METHOD },
  },
  {
    name: 'a header that the first context line repeats',
    before: { 'a.txt': METHODS },
    patch: update('@@ class B\n@@   def m():\n   def m():\n-    return 1\n+    return 2\n'),
    after: { 'a.txt': SECOND_METHOD },
  },
  {
    name: 'header numbers choose',
    before: { 'a.txt': METHODS },
    patch: update('@@ -6,2 +6,2 @@\n   def m():\n-    return 1\n+    return 2\n'),
    after: { 'a.txt': SECOND_METHOD },
  },
  {
    name: 'additions below a header',
    before: { 'a.txt': METHODS },
    patch: update('@@ class B:\n+  x = 1\n'),
    after: { 'a.txt': METHODS.replace('class B:\n', 'class B:\n  x = 1\n') },
  },
  {
    name: 'additions without context go to the end',
    before: ONE,
    patch: update('@@\n+four\n'),
    after: { 'a.txt': 'one\ntwo\nthree\nfour\n' },
  },
  {
    name: 'additions at the end do not hide what follows',
    before: ONE,
    patch: update('@@\n+four\n@@\n-two\n+TWO\n'),
    after: { 'a.txt': 'one\nTWO\nthree\nfour\n' },
  },
  {
    name: 'hunks in order, the second below the first',
    before: { 'a.txt': 'x\na\nx\nb\nx\n' },
    patch: update('@@\n a\n-x\n+1\n@@\n b\n-x\n+2\n'),
    after: { 'a.txt': 'x\na\n1\nb\n2\n' },
  },
  {
    name: 'an empty line seen after the final newline',
    before: ONE,
    patch: update('@@\n-three\n+THREE\n \n'),
    after: { 'a.txt': 'one\ntwo\nTHREE\n' },
  },
  {
    name: 'several files',
    before: ONE,
    patch: codex('*** Add File: n\n+n\n*** Update File: a.txt\n@@\n-two\n+TWO\n'),
    after: { ...TWO, n: 'n\n' },
  },
  {
    name: 'names of a unified diff inside',
    before: ONE,
    patch: update('--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n'),
    after: TWO,
  },
]);

table('unified', [
  {
    name: 'git',
    before: ONE,
    patch: `diff --git a/a.txt b/a.txt\nindex 4cb29ea..d0c3d67 100644\n${UNIFIED}`,
    after: TWO,
  },
  { name: 'plain', before: ONE, patch: UNIFIED, after: TWO },
  { name: 'without a/ and b/', before: ONE, patch: UNIFIED.replaceAll(/ [ab]\//g, ' '), after: TWO },
  {
    name: 'a/ on one side only is a folder',
    before: { 'a/x': '1\n' },
    patch: '--- x\n+++ a/x\n@@ -1 +1 @@\n-1\n+2\n',
    after: { 'a/x': '2\n' },
  },
  {
    name: 'the folder a on both sides',
    before: { 'a/x': '1\n' },
    patch: '--- a/x\n+++ a/x\n@@ -1 +1 @@\n-1\n+2\n',
    after: { 'a/x': '2\n' },
  },
  { name: './ in names', before: ONE, patch: UNIFIED.replaceAll(/ [ab]\//g, ' ./'), after: TWO },
  {
    name: 'a name that ends with a space is not the name without it',
    before: { 'a ': 'x\n', a: 'x\n' },
    patch: '--- a/a \t\n+++ b/a \t\n@@ -1 +1 @@\n-x\n+y\n',
    after: { 'a ': 'y\n', a: 'x\n' },
  },
  {
    name: 'timestamps after a tab',
    before: ONE,
    patch: UNIFIED.replaceAll('.txt\n', '.txt\t2026-07-28 10:00:00.000000000 +0200\n'),
    after: TWO,
  },
  {
    name: 'a name with spaces, as git ends it',
    before: { 'a b': '1\n' },
    patch: '--- a/a b\t\n+++ b/a b\t\n@@ -1 +1 @@\n-1\n+2\n',
    after: { 'a b': '2\n' },
  },
  {
    name: 'C-quoted name',
    before: { 'gr\u00f6\u00dfe "x"\n': '1\n' },
    patch:
      '--- "a/gr\\303\\266\\303\\237e \\"x\\"\\n"\n+++ "b/gr\\303\\266\\303\\237e \\"x\\"\\n"\n@@ -1 +1 @@\n-1\n+2\n',
    after: { 'gr\u00f6\u00dfe "x"\n': '2\n' },
  },
  {
    name: 'new file',
    before: {},
    patch:
      'diff --git a/n b/n\nnew file mode 100755\n--- /dev/null\n+++ b/n\n@@ -0,0 +1,2 @@\n+x\n+y\n\\ No newline at end of file\n',
    after: { n: 'x\ny' },
  },
  {
    name: 'new file without diff --git',
    before: {},
    patch: '--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n',
    after: { n: 'x\n' },
  },
  {
    name: 'new file below b, without prefixes',
    before: {},
    patch: 'diff --git b/n b/n\nnew file mode 100644\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n',
    after: { 'b/n': 'x\n' },
  },
  {
    name: 'new empty file',
    before: {},
    patch: 'diff --git a/e b/e\nnew file mode 100644\nindex 0000000..e69de29\n',
    after: { e: '' },
  },
  {
    name: 'new file by numbers alone',
    before: {},
    patch: '--- a/n\n+++ b/n\n@@ -0,0 +1 @@\n+x\n',
    after: { n: 'x\n' },
  },
  {
    name: 'deleted file',
    before: { ...ONE, b: 'x\n' },
    patch: 'diff --git a/b b/b\ndeleted file mode 100644\n--- a/b\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n',
    after: ONE,
  },
  {
    name: 'rename with an edit',
    before: ONE,
    patch:
      'diff --git a/a.txt b/b.txt\nsimilarity index 80%\nrename from a.txt\nrename to b.txt\n--- a/a.txt\n+++ b/b.txt\n@@ -2 +2 @@\n-two\n+TWO\n',
    after: { 'b.txt': TWO['a.txt'] },
  },
  {
    name: 'rename without diff --git',
    before: ONE,
    patch: 'rename from a.txt\nrename to b.txt\n',
    after: { 'b.txt': ONE['a.txt'] },
  },
  {
    name: 'copy of the state before',
    before: ONE,
    patch: `${UNIFIED}diff --git a/a.txt b/c.txt\ncopy from a.txt\ncopy to c.txt\n--- a/a.txt\n+++ b/c.txt\n@@ -2 +2 @@\n-two\n+2\n`,
    after: { ...TWO, 'c.txt': 'one\n2\nthree\n' },
  },
  {
    name: 'two files swap names',
    before: { a: 'A\n', b: 'B\n' },
    patch: 'diff --git a/a b/b\nrename from a\nrename to b\ndiff --git a/b b/a\nrename from b\nrename to a\n',
    after: { a: 'B\n', b: 'A\n' },
  },
  { name: 'wrong line numbers', before: ONE, patch: UNIFIED.replace('-1,3 +1,3', '-91,3 +17,3'), after: TWO },
  { name: 'wrong counts', before: ONE, patch: UNIFIED.replace('-1,3 +1,3', '-1,9 +1,2'), after: TWO },
  { name: 'no numbers', before: ONE, patch: UNIFIED.replace('@@ -1,3 +1,3 @@', '@@'), after: TWO },
  {
    name: 'a placeholder for the numbers',
    before: ONE,
    patch: UNIFIED.replace('@@ -1,3 +1,3 @@', '@@ ... @@'),
    after: TWO,
  },
  {
    name: 'hunks out of order',
    before: { 'a.txt': 'a\nb\nc\nd\n' },
    patch: '--- a/a.txt\n+++ b/a.txt\n@@ -4 +4 @@\n-d\n+D\n@@ -1 +1 @@\n-a\n+A\n',
    after: { 'a.txt': 'A\nb\nc\nD\n' },
  },
  {
    name: '-U0 insertion after a line',
    before: ONE,
    patch: '--- a/a.txt\n+++ b/a.txt\n@@ -1,0 +2 @@\n+new\n',
    after: { 'a.txt': 'one\nnew\ntwo\nthree\n' },
  },
  {
    name: '-U0 insertion at the start',
    before: ONE,
    patch: '--- a/a.txt\n+++ b/a.txt\n@@ -0,0 +1 @@\n+new\n',
    after: { 'a.txt': 'new\none\ntwo\nthree\n' },
  },
  {
    name: 'final newline taken away',
    before: ONE,
    patch: '--- a/a.txt\n+++ b/a.txt\n@@ -3 +3 @@\n-three\n+three\n\\ No newline at end of file\n',
    after: { 'a.txt': 'one\ntwo\nthree' },
  },
  {
    name: 'final newline given',
    before: { 'a.txt': 'one' },
    patch: '--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+one\n',
    after: { 'a.txt': 'one\n' },
  },
  {
    name: 'removed "-- x" and added "++ y" look like names',
    before: { 'a.txt': '-- x\nk\n' },
    patch: '--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n--- x\n+++ y\n k\n',
    after: { 'a.txt': '++ y\nk\n' },
  },
  {
    name: 'such lines at the end of a hunk, before the next hunk',
    before: { 'a.txt': 'k\n-- x\nm\nn\n' },
    patch: '--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n k\n--- x\n+++ y\n@@ -4 +4 @@\n-n\n+N\n',
    after: { 'a.txt': 'k\n++ y\nm\nN\n' },
  },
  {
    name: 'wrong counts before the next file',
    before: { ...ONE, b: '1\n' },
    patch: `${UNIFIED.replace('-1,3 +1,3', '-1,8 +1,8')}--- a/b\n+++ b/b\n@@ -1 +1 @@\n-1\n+2\n`,
    after: { ...TWO, b: '2\n' },
  },
  {
    name: 'a mail with a signature',
    before: ONE,
    patch: `From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] Say it louder\n\n- a list\n---\n a.txt | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\ndiff --git a/a.txt b/a.txt\n${UNIFIED}-- \n2.39.5\n\n`,
    after: TWO,
  },
  {
    name: 'two commits in one text',
    before: ONE,
    patch: `From 0123456789 Mon\n\n${UNIFIED}-- \n2.39.5\n\nFrom 0123456780 Mon\n\n---\n a.txt | 2 +-\n\n${UNIFIED.replace('-two', '-TWO').replace('+TWO', '+2')}-- \n2.39.5\n`,
    after: { 'a.txt': 'one\n2\nthree\n' },
  },
  {
    name: 'an svn header',
    before: ONE,
    patch: `Index: a.txt\n${'='.repeat(67)}\n--- a.txt\t(revision 1)\n+++ a.txt\t(working copy)\n${UNIFIED.split('\n').slice(2).join('\n')}`,
    after: TWO,
  },
]);

const FENCE = '```';
table('what stands around a patch', [
  {
    name: 'a code fence with prose',
    before: ONE,
    patch: `Here it is:\n\n${FENCE}diff\n${UNIFIED}${FENCE}\n\n- I changed one line.\n+ that is all\n`,
    after: TWO,
  },
  {
    name: 'two fences, one file each',
    before: { ...ONE, b: '1\n' },
    patch: `First:\n${FENCE}diff\n${UNIFIED}${FENCE}\nthen:\n${FENCE}\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n-1\n+2\n${FENCE}\n`,
    after: { ...TWO, b: '2\n' },
  },
  {
    // A context line that is a fence ended the patch: what came after it was dropped, or refused.
    name: 'a fence around a change of a file with fences',
    before: { 'a.md': `${FENCE}sh\none\n${FENCE}\ntwo\n${FENCE}\nthree\n${FENCE}\n` },
    patch: `${FENCE}diff\n--- a/a.md\n+++ b/a.md\n@@ -2,2 +2,2 @@\n-one\n+ONE\n ${FENCE}\n@@ -5,3 +5,3 @@\n ${FENCE}\n-three\n+THREE\n ${FENCE}\n${FENCE}\nDone.\n`,
    after: { 'a.md': `${FENCE}sh\nONE\n${FENCE}\ntwo\n${FENCE}\nTHREE\n${FENCE}\n` },
  },
  { name: 'a fenced Codex patch', before: ONE, patch: `Sure.\n~~~\n${CODEX}~~~\nDone.`, after: TWO },
  { name: 'a heredoc', before: ONE, patch: `apply_patch <<'EOF'\n${CODEX}EOF\n`, after: TWO },
  {
    name: 'a heredoc in a folder',
    before: { 'sub/dir/a.txt': ONE['a.txt'] },
    patch: `cd "sub/dir" && apply_patch <<"PATCH"\n${CODEX}PATCH\n`,
    after: { 'sub/dir/a.txt': TWO['a.txt'] },
  },
  {
    name: 'a heredoc after several cd',
    before: { 'x/y/a.txt': ONE['a.txt'] },
    patch: `cd x\ncd y && apply_patch <<EOF\n${CODEX}EOF\n`,
    after: { 'x/y/a.txt': TWO['a.txt'] },
  },
  {
    name: 'a heredoc of a unified diff',
    before: ONE,
    patch: `git apply <<'EOF'\n${UNIFIED}EOF\necho - done\n`,
    after: TWO,
  },
  {
    name: 'decorated markers',
    before: ONE,
    patch: CODEX.replace('Begin Patch', 'Begin Patch ***')
      .replace('End Patch', 'End Patch ***')
      .replace('a.txt', 'a.txt ***'),
    after: TWO,
  },
  {
    name: 'padded markers',
    before: ONE,
    patch: CODEX.replace('*** Begin Patch', '  *** Begin Patch  ')
      .replace('*** End Patch', ' *** End Patch ')
      .replace('*** Update', ' *** Update'),
    after: TWO,
  },
  { name: 'an indented patch', before: ONE, patch: CODEX.replaceAll(/^(?=.)/gm, '    '), after: TWO },
  { name: 'no final newline', before: ONE, patch: CODEX.trimEnd(), after: TWO },
  { name: 'no final newline, unified', before: ONE, patch: UNIFIED.trimEnd(), after: TWO },
  { name: 'CR LF', before: ONE, patch: CODEX.replaceAll('\n', '\r\n'), after: TWO },
  { name: 'CR LF, unified', before: ONE, patch: UNIFIED.replaceAll('\n', '\r\n'), after: TWO },
  { name: 'a BOM', before: ONE, patch: `\uFEFF${CODEX}`, after: TWO },
  {
    name: 'bare empty lines as context',
    before: { 'a.txt': 'x\n\ny\n' },
    patch: '--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n x\n\n-y\n+z\n',
    after: { 'a.txt': 'x\n\nz\n' },
  },
  {
    name: 'bare empty lines in a Codex patch',
    before: { 'a.txt': 'x\n\ny\n' },
    patch: update('@@\n x\n\n-y\n+z\n\n'),
    after: { 'a.txt': 'x\n\nz\n' },
  },
  {
    name: 'two sections for one file',
    before: { 'a.txt': 'a\nb\nc\n' },
    patch: codex('*** Update File: a.txt\n@@\n-c\n+C\n*** Update File: ./a.txt\n@@\n-a\n+A\n'),
    after: { 'a.txt': 'A\nb\nC\n' },
  },
  {
    name: 'a patch about patches',
    before: { 'a.txt': 'x\n *** End Patch\n*** Begin Patch\n' },
    patch: update('@@\n x\n  *** End Patch\n-*** Begin Patch\n+*** Update File: z\n'),
    after: { 'a.txt': 'x\n *** End Patch\n*** Update File: z\n' },
  },
  {
    name: 'a unified diff about patches',
    before: { 'a.txt': '*** Begin Patch\nx\n' },
    patch: '--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n *** Begin Patch\n-x\n+y\n',
    after: { 'a.txt': '*** Begin Patch\ny\n' },
  },
]);

table('sequences', [
  {
    name: 'add, then update',
    before: {},
    patch: codex('*** Add File: n\n+a\n+b\n*** Update File: n\n@@\n-b\n+B\n'),
    after: { n: 'a\nB\n' },
  },
  {
    name: 'a chain of moves',
    before: { a: 'x\n' },
    patch: codex(
      '*** Update File: a\n*** Move to: b\n@@\n-x\n+y\n*** Update File: b\n*** Move to: c\n@@\n-y\n+z\n',
    ),
    after: { c: 'z\n' },
  },
  {
    name: 'a chain of renames of a git diff',
    before: { a: 'A\n', b: 'B\n' },
    patch: 'diff --git a/a b/b\nrename from a\nrename to b\ndiff --git a/b b/c\nrename from b\nrename to c\n',
    after: { b: 'A\n', c: 'B\n' },
  },
  {
    name: 'delete, then add',
    before: { a: 'x\n' },
    patch: codex('*** Delete File: a\n*** Add File: a\n+new\n'),
    after: { a: 'new\n' },
  },
  {
    name: 'move away, then add',
    before: { a: 'x\n' },
    patch: codex('*** Update File: a\n*** Move to: b\n*** Add File: a\n+new\n'),
    after: { a: 'new\n', b: 'x\n' },
  },
]);
