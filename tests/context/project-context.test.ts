import assert from 'node:assert/strict';
import { chmod, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectContext } from '../../src/context/index.ts';
import type { CodedError } from '../../src/runtime/errors.ts';
import { addFiles, allFiles, folderWith, git, workspaceOf } from './support.ts';

const DEFAULTS = { path: '.', maxDepth: 3, maxBytesPerFile: 60_000 };

function describe(root: string, request: Partial<typeof DEFAULTS> = {}, more = {}) {
  return projectContext(
    { ...DEFAULTS, ...request },
    { workspace: workspaceOf(root), signal: new AbortController().signal, listFiles: allFiles, ...more },
  );
}

test('gives guidance with imports, README and manifests, each once and marked', async (t) => {
  const root = await folderWith(t, {
    'AGENTS.md': 'AGENT RULES\n',
    'CLAUDE.md': 'See @AGENTS.md, @docs/style.md and @README.md\n',
    'docs/style.md': 'STYLE, and @deeper.md\n',
    'docs/deeper.md': 'DEEPER\n',
    'readme.MD': 'THE README\n',
    'package.json': '{"name":"it"}\n',
    'go.mod': 'module it\n',
    'src/a.ts': 'export {};\n',
  });
  await symlink('readme.MD', join(root, 'README.md')).catch(() => {});
  const { text, documentCount, next, notes } = await describe(root);
  for (const part of ['AGENT RULES', 'STYLE', 'DEEPER', 'THE README', '{"name":"it"}', 'module it']) {
    assert.equal(text.split(part).length, 2, part);
  }
  assert.ok(text.includes('--- docs/style.md (from the workspace, imported by CLAUDE.md) ---\nSTYLE'));
  assert.ok(text.includes('--- docs/deeper.md (from the workspace, imported by docs/style.md) ---\nDEEPER'));
  assert.ok(text.includes('--- package.json (from the workspace) ---'));
  assert.equal(documentCount, 7);
  assert.deepEqual([next, notes], [[], []]);
});

test('imports: cycles end, code and comments hold none, depth is bounded, punctuation is none of the name', async (t) => {
  const root = await folderWith(t, {
    'CLAUDE.md':
      'x @one.md. y\n`@span.md` `` a ` @span.md ``\n\n```\n@fenced.md\n```\n<!-- @comment.md -->\nme@mail.md @with\\ space.md\n',
    'one.md': 'ONE @CLAUDE.md @one.md @two.md',
    'two.md': 'TWO @three.md',
    'three.md': 'THREE @four.md',
    'four.md': 'FOUR @five.md',
    'five.md': 'FIVE @six.md',
    'six.md': 'SIX',
    'with space.md': 'SPACE',
    'span.md': 'SPAN',
    'fenced.md': 'FENCED',
    'comment.md': 'COMMENT',
    'mail.md': 'MAIL',
  });
  const { text } = await describe(root, { maxDepth: 0 });
  for (const part of ['ONE', 'TWO', 'THREE', 'FOUR', 'FIVE', 'SPACE']) assert.ok(text.includes(part), part);
  for (const part of ['SIX', 'SPAN', 'FENCED', 'COMMENT', 'MAIL']) assert.ok(!text.includes(part), part);
});

test('imports that lead out of the workspace are named, not read', async (t) => {
  const outside = await folderWith(t, { 'secret.md': 'SECRET' });
  const root = await folderWith(t, {
    'CLAUDE.md': `rules @${outside}/secret.md @link.md @sub/ok.md\n`,
    'sub/ok.md': 'FINE',
  });
  await symlink(join(outside, 'secret.md'), join(root, 'link.md'));
  const { text, notes } = await describe(root);
  assert.doesNotMatch(text, /SECRET/);
  assert.match(text, /FINE/);
  assert.equal(notes.filter((note) => note.includes('it leads out of the workspace')).length, 2);
});

test('what is cut is marked, and the given call continues at the right line', async (t) => {
  const lines = Array.from({ length: 5000 }, (_, i) => `line ${i + 1} äöü\n`);
  const root = await folderWith(t, { 'README.md': lines.join('') });
  const { text, next } = await describe(root, { maxBytesPerFile: 10_000 });
  const line = Number(/"offset":(\d+)/.exec(next[0]!)?.[1]);
  assert.deepEqual(next, [`read_text_file {"path":"README.md","offset":${line}}`]);
  assert.ok(text.includes(`line ${line - 1} äöü\n[cut: `));
  assert.ok(!text.includes(`line ${line} äöü\n`));
  assert.match(text, /\[cut: \d+ of \d+ bytes are shown; go on with read_text_file/);
});

test('never more than 256 KiB, however many and large the files are', async (t) => {
  const files: Record<string, string> = { 'CLAUDE.md': '' };
  for (let i = 0; i < 80; i++) {
    files[`doc-${i}.md`] = `${i} ${'long text '.repeat(9000)}`;
    files['CLAUDE.md'] += `@doc-${i}.md\n`;
  }
  for (let i = 0; i < 600; i++) files[`folder-${i}/${'n'.repeat(100)}-${i}.ts`] = '';
  const root = await folderWith(t, files);
  const result = await describe(root, { maxBytesPerFile: 200_000 });
  assert.ok(Buffer.byteLength(JSON.stringify({ ...result, text: '' }) + result.text) < 256 * 1024);
  assert.ok(Buffer.byteLength(result.text) > 180 * 1024);
  assert.ok(result.next.length >= 50);
});

test('the layout: depth, chains in one line, many folders, hard names', async (t) => {
  const root = await folderWith(t, {
    'a.txt': '',
    'one/two/three/four/deep.txt': '',
    'src/main/java/org/App.java': '',
    'src/main/java/org/util/U.java': '',
    ...(process.platform === 'win32' ? {} : { 'new\nline/x.txt': '' }),
  });
  const { text } = await describe(root);
  const layout = text.split('\n');
  assert.match(layout[0]!, /^--- Layout of \.: \d files, 3 levels ---$/);
  assert.equal(layout[1], 'a.txt');
  assert.ok(layout.includes('one/two/three/four/ deep.txt'));
  assert.ok(layout.includes('src/main/java/org/ App.java'));
  assert.ok(layout.includes('  util/ U.java'));
  if (process.platform !== 'win32') assert.ok(layout.includes('"new\\nline"/ x.txt'));
  assert.equal((await describe(root, { maxDepth: 0 })).text, '');
});

test('a layout too large is drawn less deep and says so', async (t) => {
  const root = await folderWith(t, {});
  const paths = Array.from({ length: 3000 }, (_, i) => `a${i % 20}/b${i % 600}/c${i}/file.txt`);
  const { text } = await describe(root, {}, { listFiles: async () => ({ paths, complete: true }) });
  assert.match(text, /^--- Layout of \.: 3000 files, 1 levels; 3 levels would be too long ---/);
  const flat = Array.from({ length: 3000 }, (_, i) => `folder${i}/file.txt`);
  const cut = await describe(root, {}, { listFiles: async () => ({ paths: flat, complete: true }) });
  assert.match(cut.text, /… 2750 more folders/);
  assert.deepEqual(cut.next, ['list_directory {"path":"."}']);
});

test('languages by bytes, prose last; nested manifests are named', async (t) => {
  const root = await folderWith(t, {
    'a.py': 'x'.repeat(100),
    'b.ts': 'x'.repeat(300),
    'c.tsx': 'x'.repeat(50),
    'doc.md': 'x'.repeat(5000),
    'data.json': 'x'.repeat(9000),
    'packages/p/package.json': '{}',
    'packages/p/q/Cargo.toml': '',
  });
  const { languages, otherManifests } = await describe(root);
  assert.deepEqual(languages, [
    { language: 'TypeScript', bytes: 350, files: 2 },
    { language: 'Python', bytes: 100, files: 1 },
    { language: 'Markdown', bytes: 5000, files: 1 },
  ]);
  assert.deepEqual(otherManifests, ['packages/p/package.json', 'packages/p/q/Cargo.toml']);
});

test('git state from the git domain; from .git alone when that fails', async (t) => {
  const root = await folderWith(t, { 'a.txt': '' });
  assert.equal((await describe(root)).git, undefined);
  await git(root, 'init', '-q');
  const given = { branch: 'other', commit: undefined, changed_files: 2 };
  assert.deepEqual((await describe(root, {}, { gitState: async () => given })).git, given);
  const broken = await describe(root, {}, { gitState: () => Promise.reject(new Error('too old')) });
  assert.equal(broken.git?.branch, 'main');
  assert.deepEqual(broken.notes, ['git status failed: too old']);
});

test('a folder elsewhere, a subfolder, a file, nothing', async (t) => {
  const root = await folderWith(t, { 'AGENTS.md': 'ROOT', 'sub/AGENTS.md': 'SUB', 'file.txt': '' });
  const other = await folderWith(t, { 'AGENTS.md': 'OTHER' });
  assert.match((await describe(root, { path: other })).text, /OTHER/);
  const sub = await describe(root, { path: 'sub' });
  assert.match(sub.text, /--- sub\/AGENTS\.md \(from the workspace\) ---\nSUB/);
  assert.deepEqual(sub.notes, ['Rules from the folders above apply too: load_path_rules {"path":"sub"}.']);
  const alone = await folderWith(t, { 'sub/AGENTS.md': 'SUB' });
  assert.deepEqual((await describe(alone, { path: 'sub' })).notes, [], 'there are none above');
  await assert.rejects(
    describe(root, { path: 'file.txt' }),
    (error: CodedError) => error.code === 'NOT_A_DIRECTORY',
  );
  await assert.rejects(
    describe(root, { path: 'none' }),
    (error: CodedError) => error.code === 'FILE_NOT_FOUND',
  );
});

test('binary, UTF-16 and unreadable files, folders and loops under these names do no harm', async (t) => {
  const root = await folderWith(t, {
    'AGENTS.md': Buffer.from([0, 1, 2, 3, 0, 0]),
    'README.md': Buffer.from('\uFEFFWide text\n', 'utf16le'),
    'package.json/x': '',
    'CLAUDE.local.md': 'latin: \n',
    'go.mod': 'module x',
  });
  await addFiles(root, { Makefile: Buffer.from('caf\xe9:\n\ttrue\n', 'latin1') });
  await symlink('CLAUDE.md', join(root, 'CLAUDE.md'));
  await chmod(join(root, 'go.mod'), 0);
  const { text, notes } = await describe(root);
  assert.match(text, /\nWide text\n/);
  assert.match(text, /\ncafé:\n/);
  assert.ok(notes.includes('AGENTS.md was not loaded: it is not a text file.'));
  assert.ok(notes.some((note) => note.startsWith('CLAUDE.md was not loaded: it is part of a loop')));
});

test('ends when the caller cancels', async (t) => {
  const root = await folderWith(t, { 'a.ts': '' });
  const signal = AbortSignal.abort(new Error('cancelled'));
  const listFiles = async (_: string, given: AbortSignal) => {
    given.throwIfAborted();
    return { paths: [], complete: true };
  };
  await assert.rejects(
    projectContext(DEFAULTS, { workspace: workspaceOf(root), signal, listFiles }),
    /cancelled/,
  );
});
