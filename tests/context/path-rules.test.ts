import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathRules } from '../../src/context/index.ts';
import { folderWith, workspaceOf } from './support.ts';

const signal = new AbortController().signal;

async function rulesFor(root: string, path: string) {
  const found = await pathRules(path, { workspace: workspaceOf(root), signal });
  return { ...found, files: found.rules.map(({ file }) => file) };
}

test('AGENTS.md and CLAUDE.md from the root down to the folder, the nearest last, imports included', async (t) => {
  const root = await folderWith(t, {
    'AGENTS.md': 'TOP',
    'CLAUDE.md': '@AGENTS.md',
    'a/CLAUDE.md': 'A @extra.md',
    'a/extra.md': 'EXTRA',
    'a/b/AGENTS.md': 'B',
    'a/b/c/AGENTS.md': 'TOP',
    'z/AGENTS.md': 'Z',
  });
  const found = await rulesFor(root, 'a/b/c/new-file.ts');
  assert.deepEqual(found.files, ['AGENTS.md', 'a/CLAUDE.md', 'a/extra.md', 'a/b/AGENTS.md']);
  assert.match(found.text, /^--- AGENTS\.md \(from the workspace\) ---\nTOP\n/);
  assert.deepEqual(found.notes, ['a/b/c/AGENTS.md has the same text as AGENTS.md.']);
  assert.deepEqual((await rulesFor(root, 'a')).files, ['AGENTS.md', 'a/CLAUDE.md', 'a/extra.md']);
});

test('.claude/rules by their paths, with front matter in every notation', async (t) => {
  const root = await folderWith(t, {
    '.claude/rules/always.md': 'ALWAYS',
    '.claude/rules/list.md': '---\npaths:\n  - "src/**/*.ts"\n  - lib/*.js # comment\n---\nLIST',
    '.claude/rules/inline.md': '---\r\npaths: [docs/**, "src/{api,web}/*.ts"]\r\n---\r\nINLINE',
    '.claude/rules/deep/one.md': '---\npaths: src/api/**/*.{ts,tsx}\n---\nONE',
    '.claude/rules/top.md': '---\npaths: "*.ts"\n---\nTOP ONLY',
    'src/.claude/rules/near.md': '---\npaths: api/*\n---\nNEAR',
  });
  const found = await rulesFor(root, 'src/api/users.ts');
  assert.deepEqual(found.rules, [
    { file: '.claude/rules/always.md', because: 'always' },
    { file: '.claude/rules/deep/one.md', because: 'paths src/api/**/*.{ts,tsx}' },
    { file: '.claude/rules/inline.md', because: 'paths src/{api,web}/*.ts' },
    { file: '.claude/rules/list.md', because: 'paths src/**/*.ts' },
    { file: 'src/.claude/rules/near.md', because: 'paths api/*' },
  ]);
  assert.deepEqual(found.others, [{ file: '.claude/rules/top.md', when: 'paths *.ts' }]);
  assert.ok(!found.text.includes('paths:'));
  assert.deepEqual((await rulesFor(root, 'lib/x.js')).files, [
    '.claude/rules/always.md',
    '.claude/rules/list.md',
  ]);
  assert.deepEqual((await rulesFor(root, 'a.ts')).files, ['.claude/rules/always.md', '.claude/rules/top.md']);
});

test('.cursor/rules and Copilot instructions', async (t) => {
  const root = await folderWith(t, {
    '.cursor/rules/all.mdc': '---\nalwaysApply: true\nglobs:\n---\nALL',
    '.cursor/rules/ts.mdc': '---\nglobs: *.ts, src/**/*.tsx\nalwaysApply: false\n---\nTS',
    '.cursor/rules/maybe.mdc': '---\ndescription: For migrations\nalwaysApply: false\n---\nMAYBE',
    '.cursorrules': 'OLD CURSOR',
    '.github/copilot-instructions.md': 'COPILOT',
    '.github/instructions/py.instructions.md': '---\napplyTo: "**/*.py,**/*.pyi"\n---\nPY',
    '.github/instructions/all.instructions.md': "---\napplyTo: '**'\n---\nEVERY",
    '.github/instructions/readme.md': 'NO RULE',
  });
  const ts = await rulesFor(root, 'deep/down/x.ts');
  assert.deepEqual(ts.files, [
    '.github/copilot-instructions.md',
    '.cursorrules',
    '.cursor/rules/all.mdc',
    '.cursor/rules/ts.mdc',
    '.github/instructions/all.instructions.md',
  ]);
  assert.deepEqual(ts.others, [
    { file: '.cursor/rules/maybe.mdc', when: 'when useful: For migrations' },
    { file: '.github/instructions/py.instructions.md', when: 'paths **/*.py, **/*.pyi' },
  ]);
  assert.ok((await rulesFor(root, 'a/b.py')).files.includes('.github/instructions/py.instructions.md'));
});

test('links that lead out or in circles, broken front matter and hostile globs do no harm', async (t) => {
  const outside = await folderWith(t, { 'secret.md': 'SECRET', 'rules/more.md': 'SECRET' });
  const root = await folderWith(t, {
    '.claude/rules/open.md': '---\npaths: "**"\nno end\nOPEN',
    '.claude/rules/hostile.md': `---\npaths: "${'{a,'.repeat(300)}${'*a'.repeat(100)}"\n---\nHOSTILE`,
    'shared/team.md': 'TEAM',
  });
  await symlink(join(outside, 'secret.md'), join(root, '.claude/rules/secret.md'));
  await symlink(join(outside, 'rules'), join(root, '.claude/rules/outside'));
  await symlink('.', join(root, '.claude/rules/circle'));
  await symlink('../../shared', join(root, '.claude/rules/shared'));
  const started = performance.now();
  const found = await rulesFor(root, `${'a'.repeat(200)}b`);
  assert.ok(performance.now() - started < 1000);
  assert.doesNotMatch(found.text, /SECRET/);
  assert.deepEqual(found.files, ['.claude/rules/open.md', '.claude/rules/shared/team.md']);
  assert.equal(found.others[0]!.file, '.claude/rules/hostile.md');
  assert.match(found.notes.join(), /secret\.md was not loaded: it leads out of the workspace/);
});

test('a path outside of every root uses its repository, a path with nothing says so', async (t) => {
  const root = await folderWith(t, { 'AGENTS.md': 'MINE' });
  const other = await folderWith(t, {
    'AGENTS.md': 'OTHER',
    'sub/AGENTS.md': 'SUB',
    '.git/HEAD': 'ref: refs/heads/x\n',
  });
  const found = await rulesFor(root, join(other, 'sub/file.ts'));
  assert.equal(found.top, other);
  assert.equal(found.rules.length, 2);
  const empty = await folderWith(t, {});
  await mkdir(join(empty, 'x'));
  assert.deepEqual((await rulesFor(empty, 'x')).rules, []);
});

test('long rules are cut with the call that continues at the right line', async (t) => {
  const body = Array.from({ length: 9000 }, (_, i) => `rule number ${i + 1}\n`).join('');
  const root = await folderWith(t, { '.claude/rules/long.md': `---\npaths: "**"\n---\n${body}` });
  const found = await rulesFor(root, 'x');
  const [, last] = /rule number (\d+)\n\[cut/.exec(found.text) ?? [];
  // Three lines of front matter stand before the first rule, and the cut line is read again.
  assert.deepEqual(found.next, [
    `read_text_file {"path":".claude/rules/long.md","offset":${Number(last) + 4}}`,
  ]);
});
