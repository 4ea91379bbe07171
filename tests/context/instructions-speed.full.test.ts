import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstructions } from '../../src/context/index.ts';
import { folderWith, git, workspaceOf } from './support.ts';

const FOLDERS = 200;
const FILES_PER_FOLDER = 100;

test('instructions cost less than 30 ms on a repository of 20,000 files', async (t) => {
  const root = await folderWith(t, { 'AGENTS.md': '# Rules\n'.repeat(500), 'CLAUDE.md': '@AGENTS.md\n' });
  for (let folder = 0; folder < FOLDERS; folder++) {
    await mkdir(join(root, `folder-${folder}`));
    await Promise.all(
      Array.from({ length: FILES_PER_FOLDER }, (_, file) =>
        writeFile(join(root, `folder-${folder}/file-${file}.ts`), `export const value = ${file};\n`),
      ),
    );
  }
  await git(root, 'init', '-q');
  await git(root, 'add', '-A');
  await git(root, 'commit', '-qm', 'all');
  const instructions = createInstructions({ workspace: workspaceOf(root) });
  const times: number[] = [];
  for (let round = 0; round < 20; round++) {
    const started = performance.now();
    const text = await instructions();
    times.push(performance.now() - started);
    assert.match(text, /branch main at /);
  }
  const median = times.toSorted((a, b) => a - b)[10]!;
  t.diagnostic(`first ${times[0]!.toFixed(1)} ms, median ${median.toFixed(1)} ms`);
  assert.ok(times[0]! < 30, `first: ${times[0]}`);
  assert.ok(median < 30, `median: ${median}`);
});
