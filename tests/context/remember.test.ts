import assert from 'node:assert/strict';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstructions, remember } from '../../src/context/index.ts';
import type { CodedError } from '../../src/runtime/errors.ts';
import { folderWith, workspaceOf } from './support.ts';

/** AGENTS.md with `before` in it, after these notes. */
async function after(
  t: Parameters<typeof folderWith>[0],
  before: string | Buffer | undefined,
  ...notes: string[]
) {
  const root = await folderWith(t, before === undefined ? {} : { 'AGENTS.md': before });
  const results = [];
  for (const note of notes) results.push(await remember(note, workspaceOf(root), {}));
  return { bytes: await readFile(join(root, 'AGENTS.md')), results };
}

const cases: { name: string; before: string | undefined; notes: string[]; after: string; line: number }[] = [
  { name: 'no file', before: undefined, notes: ['a'], after: '## Memory\n\n- a\n', line: 3 },
  { name: 'empty file', before: '', notes: ['a'], after: '## Memory\n\n- a\n', line: 3 },
  {
    name: 'no section',
    before: '# X\n',
    notes: ['a', 'b'],
    after: '# X\n\n## Memory\n\n- a\n- b\n',
    line: 6,
  },
  { name: 'no final newline', before: '# X', notes: ['a'], after: '# X\n\n## Memory\n\n- a\n', line: 5 },
  {
    name: 'CRLF',
    before: '# X\r\n',
    notes: ['a\nb'],
    after: '# X\r\n\r\n## Memory\r\n\r\n- a\r\n  b\r\n',
    line: 5,
  },
  {
    name: 'a section in the middle',
    before: '## Memory\n\n- old\n\n\n## Next\ntext\n',
    notes: ['new'],
    after: '## Memory\n\n- old\n- new\n\n\n## Next\ntext\n',
    line: 4,
  },
  {
    name: 'an empty section',
    before: '## Memory\n\n# Next\n',
    notes: ['a'],
    after: '## Memory\n\n- a\n\n# Next\n',
    line: 3,
  },
  {
    name: 'a heading at the very end',
    before: 'x\n## Memory',
    notes: ['a'],
    after: 'x\n## Memory\n\n- a\n',
    line: 4,
  },
  {
    name: 'a heading inside of a code block is none',
    before: '```\n## Memory\n```\n',
    notes: ['a'],
    after: '```\n## Memory\n```\n\n## Memory\n\n- a\n',
    line: 7,
  },
  {
    name: 'a sub-heading belongs to the section',
    before: '## Memory\n- a\n### Sub\n- b\n## Next\n',
    notes: ['c'],
    after: '## Memory\n- a\n### Sub\n- b\n- c\n## Next\n',
    line: 5,
  },
  {
    name: 'notes of several lines, with headings and open code blocks, stay one item each',
    before: '## Memory\n\n## Next\n',
    notes: ['run it so:\n\n```sh\nmake\n## not a heading', '- second'],
    after: '## Memory\n\n- run it so:\n\n  ```sh\n  make\n  ## not a heading\n  ```\n- second\n\n## Next\n',
    line: 9,
  },
];

for (const { name, before, notes, after: expected, line } of cases) {
  test(`remember: ${name}`, async (t) => {
    const { bytes, results } = await after(t, before, ...notes);
    assert.equal(bytes.toString(), expected);
    assert.equal(results.at(-1)!.line, line);
    assert.ok(results.every((result) => result.added));
    assert.equal(results[0]!.created, before === undefined);
  });
}

test('the same note twice is kept once, also when it has several lines', async (t) => {
  const note = 'first\nsecond';
  const { bytes, results } = await after(t, '# X\r\n', note, 'first', ' first\r\nsecond\n', 'first');
  assert.equal(bytes.toString(), '# X\r\n\r\n## Memory\r\n\r\n- first\r\n  second\r\n- first\r\n');
  assert.deepEqual(
    results.map(({ added, line }) => [added, line]),
    [
      [true, 5],
      [true, 7],
      [false, 5],
      [false, 7],
    ],
  );
});

test('encodings and byte order marks survive', async (t) => {
  const utf16 = await after(t, Buffer.from('\uFEFF# Tür\r\n', 'utf16le'), 'größer');
  assert.equal(utf16.bytes.toString('utf16le'), '\uFEFF# Tür\r\n\r\n## Memory\r\n\r\n- größer\r\n');
  const latin = await after(t, Buffer.from('# T\xfcr\n', 'latin1'), 'gr\xf6\xdfer');
  assert.equal(latin.bytes.toString('latin1'), '# T\xfcr\n\n## Memory\n\n- gr\xf6\xdfer\n');
  await assert.rejects(
    after(t, Buffer.from('# T\xfcr\n', 'latin1'), '語'),
    (e: CodedError) => e.code === 'INVALID_PARAMS',
  );
});

test('a link is kept and its target written', async (t) => {
  const root = await folderWith(t, { 'CLAUDE.md': '# C\n' });
  await symlink('CLAUDE.md', join(root, 'AGENTS.md'));
  await remember('a', workspaceOf(root), {});
  assert.equal(await readFile(join(root, 'CLAUDE.md'), 'utf8'), '# C\n\n## Memory\n\n- a\n');
});

test('parallel notes are all kept', async (t) => {
  const root = await folderWith(t, {});
  const workspace = workspaceOf(root);
  const notes = Array.from({ length: 20 }, (_, i) => `note ${i}.`);
  await Promise.all(notes.map((note) => remember(note, workspace, {})));
  const text = await readFile(join(root, 'AGENTS.md'), 'utf8');
  for (const note of notes) assert.ok(text.includes(`- ${note}\n`), note);
});

test('what is remembered is in the next instructions', async (t) => {
  const root = await folderWith(t, { 'AGENTS.md': `${'long\n'.repeat(9000)}` });
  await remember('the build needs make 4', workspaceOf(root), {});
  assert.match(await createInstructions({ workspace: workspaceOf(root) })(), /- the build needs make 4\n/);
});

test('an empty or endless note and a binary file are refused, and nothing changes', async (t) => {
  const root = await folderWith(t, { 'AGENTS.md': 'x\n' });
  for (const note of ['', ' \n\t', 'x'.repeat(20_000)]) {
    await assert.rejects(
      remember(note, workspaceOf(root), {}),
      (error: CodedError) => error.code === 'INVALID_PARAMS',
    );
  }
  assert.equal(await readFile(join(root, 'AGENTS.md'), 'utf8'), 'x\n');
  await writeFile(join(root, 'AGENTS.md'), Buffer.from([0, 1, 2]));
  await assert.rejects(
    remember('a', workspaceOf(root), {}),
    (error: CodedError) => error.code === 'BINARY_FILE',
  );
});
