import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstructions } from '../../src/context/index.ts';
import { folderWith, git, workspaceOf } from './support.ts';

const MAX_BYTES = 8 * 1024;

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

for (const mode of ['full', 'workspace', 'read-only'] as const) {
  test(`the first 512 characters stand alone (${mode})`, async (t) => {
    const root = await folderWith(t, { 'AGENTS.md': 'Use tabs.\n' });
    const text = await createInstructions({ workspace: workspaceOf(root, mode) })();
    const first = text.slice(0, 512);
    assert.ok(first.includes(root));
    assert.ok(first.includes(`Access: ${mode}`));
    assert.ok(first.includes('project_context'));
    assert.match(first, /missing or is blocked, list the tools of this connector again.*\.\n/);
    assert.equal(first.includes('run_command'), mode !== 'read-only');
    assert.ok(text.includes('--- AGENTS.md (from the workspace) ---\nUse tabs.\n'));
  });
}

test('a very long root is shortened, so that the first paragraph still fits', async () => {
  const root = `/${'very-long-folder-name/'.repeat(30)}project`;
  const text = await createInstructions({ workspace: workspaceOf(root) })();
  const paragraph = text.split('\n', 1)[0]!;
  assert.ok(paragraph.length <= 512, `${paragraph.length}`);
  assert.ok(paragraph.includes('/project'));
  assert.ok(paragraph.includes('run_command.'));
});

test('no text twice: an import, a symbolic link and an equal file', async (t) => {
  const root = await folderWith(t, {
    'AGENTS.md': 'THE RULES\n',
    'CLAUDE.md': '@AGENTS.md\n',
    '.claude/CLAUDE.md': 'THE RULES',
  });
  await symlink('AGENTS.md', join(root, 'CLAUDE.local.md'));
  const text = await createInstructions({ workspace: workspaceOf(root) })();
  assert.equal(occurrences(text, 'THE RULES'), 1);
  assert.equal(occurrences(text, 'CLAUDE'), 0);
});

test('two roots: the files of both, equal ones once', async (t) => {
  const one = await folderWith(t, { 'AGENTS.md': 'ONE\n', 'CLAUDE.md': 'SHARED\n' });
  const two = await folderWith(t, { 'AGENTS.md': 'TWO\n', 'CLAUDE.md': 'SHARED\r\n' });
  const text = await createInstructions({ workspace: workspaceOf(one, 'full', two) })();
  assert.ok(text.slice(0, 512).includes('and 1 more (list_allowed_directories)'));
  for (const part of ['ONE', 'TWO', 'SHARED']) assert.equal(occurrences(text, part), 1, part);
});

test('fresh at every call', async (t) => {
  const root = await folderWith(t, { 'AGENTS.md': 'before\n' });
  const instructions = createInstructions({ workspace: workspaceOf(root) });
  assert.match(await instructions(), /before/);
  await writeFile(join(root, 'AGENTS.md'), 'after\n');
  const text = await instructions();
  assert.match(text, /after/);
  assert.doesNotMatch(text, /before/);
});

test('never more than 8 KiB, whatever lengths, and a cut says how to read the rest', async (t) => {
  const characters = ['x', 'é', '語', '😀', 'word word\n', '\n'];
  for (let round = 0; round < 60; round++) {
    const length = (seed: number) => ((round * 7919 + seed * 104729) % 23) ** 3;
    const text = (seed: number) =>
      Array.from({ length: length(seed) }, (_, i) => characters[(i * seed + round) % characters.length]).join(
        '',
      );
    const root = await folderWith(t, {
      'AGENTS.md': `${text(3)}\n## Memory\n\n${text(5)}`,
      'CLAUDE.md': `@a.md @b.md\n${text(7)}`,
      'a.md': `a${text(11)}`,
      'b.md': `b${text(13)}`,
    });
    const result = await createInstructions({ workspace: workspaceOf(root) })();
    const bytes = Buffer.byteLength(result);
    assert.ok(bytes <= MAX_BYTES, `round ${round}: ${bytes}`);
    assert.ok(result.isWellFormed() && !result.includes('\uFFFD'));
    const total = [3, 5, 7, 11, 13].reduce((sum, seed) => sum + Buffer.byteLength(text(seed).trim()), 0);
    if (total > MAX_BYTES) {
      assert.match(result, /\[cut: \d+ of \d+ bytes\]/);
      assert.match(result, /project_context \{\} gives these files in full\]\n$/);
      // The room is used: a cut leaves little of it.
      assert.ok(bytes > MAX_BYTES - 1500, `round ${round}: only ${bytes}`);
    }
  }
});

test('notes of the Memory section survive the cut of a long AGENTS.md', async (t) => {
  const root = await folderWith(t, {
    'AGENTS.md': `# Start\n${'rules and rules\n'.repeat(2000)}\n## Memory\n\n- first note\n- the newest note\n`,
  });
  const text = await createInstructions({ workspace: workspaceOf(root) })();
  assert.match(text, /# Start/);
  assert.match(text, /- first note\n- the newest note\n/);
});

test('a link or import that leads out of the workspace is not read', async (t) => {
  const outside = await folderWith(t, { 'secret.txt': 'SECRET\n' });
  const root = await folderWith(t, {
    'CLAUDE.md': `@${outside}/secret.txt @../x @link.md @~/.bashrc\nmine\n`,
  });
  await symlink(join(outside, 'secret.txt'), join(root, 'AGENTS.md'));
  await symlink(join(outside, 'secret.txt'), join(root, 'link.md'));
  for (const mode of ['full', 'workspace'] as const) {
    const text = await createInstructions({ workspace: workspaceOf(root, mode) })();
    assert.doesNotMatch(text, /SECRET/);
    assert.match(text, /mine/);
  }
});

test('branch and commit, in a worktree and packed too', async (t) => {
  const root = await folderWith(t, { 'a.txt': 'a' });
  await git(root, 'init', '-q');
  const instructions = (folder: string) => createInstructions({ workspace: workspaceOf(folder) })();
  assert.match(await instructions(root), /^Git when this was made: branch main\.$/m);
  await git(root, 'add', '.');
  await git(root, 'commit', '-qm', 'one');
  const commit = (await git(root, 'rev-parse', 'HEAD')).slice(0, 10);
  assert.ok((await instructions(root)).includes(`branch main at ${commit}.`));
  await git(root, 'worktree', 'add', '-q', '-b', 'feat/x', join(root, 'wt'));
  assert.ok((await instructions(join(root, 'wt'))).includes(`branch feat/x at ${commit}.`));
  await git(root, 'pack-refs', '--all');
  assert.ok((await instructions(root)).includes(`branch main at ${commit}.`));
  assert.ok((await instructions(join(root, 'wt'))).includes(`branch feat/x at ${commit}.`));
  await git(root, 'checkout', '-q', '--detach');
  assert.ok((await instructions(root)).includes(`detached HEAD at ${commit}.`));
});

test('a count of changes that comes late is left out, and one that fails does no harm', async (t) => {
  const root = await folderWith(t, {});
  await git(root, 'init', '-q');
  const workspace = workspaceOf(root);
  let aborted = false;
  const late = createInstructions({
    workspace,
    countChanges: (_folder, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(signal.reason);
        });
      }),
  });
  assert.match(await late(), /branch main\./);
  assert.ok(aborted);
  const broken = createInstructions({ workspace, countChanges: () => Promise.reject(new Error('no git')) });
  assert.match(await broken(), /branch main\./);
  const quick = createInstructions({ workspace, countChanges: () => Promise.resolve(3) });
  assert.match(await quick(), /branch main, 3 changed or untracked files\./);
});
