import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isWindows } from '../../src/runtime/platform.ts';
import { readTools } from '../../src/tools/files-read.ts';
import { failure, toolBench } from '../support/tool-context.ts';

const [readTextFile, readFileBase64, viewImage] = readTools;

async function bench(t: TestContext) {
  const made = await toolBench(t);
  return { ...made, put: (name: string, data: string | Buffer) => writeFile(join(made.root, name), data) };
}

test('read_text_file: all, a range, head, tail, and what continues', async (t) => {
  const { call, put } = await bench(t);
  await put('f.txt', Array.from({ length: 100 }, (_, i) => `line ${i + 1}\n`).join(''));
  const all = await call(readTextFile, { path: 'f.txt' });
  assert.equal(all.summary, 'f.txt: all 100 lines.');
  assert.match(all.data.sha256!, /^[0-9a-f]{64}$/);
  const range = await call(readTextFile, { path: './f.txt', offset: 10, limit: 2 });
  assert.equal(range.data.content, 'line 10\nline 11\n');
  assert.equal(range.summary, 'Lines 10–11 of f.txt (100 in all).');
  assert.equal(range.data.truncated, false, 'what was asked for is complete');
  assert.equal((await call(readTextFile, { path: 'f.txt', head: 1 })).data.content, 'line 1\n');
  assert.equal((await call(readTextFile, { path: 'f.txt', tail: 1 })).data.content, 'line 100\n');
  await failure(call(readTextFile, { path: 'f.txt', head: 1, tail: 1 }), 'INVALID_PARAMS');
  await failure(call(readTextFile, { path: 'f.txt', offset: 101 }), 'INVALID_PARAMS');
  await put('long.txt', 'x'.repeat(99).concat('\n').repeat(5_000));
  const cut = await call(readTextFile, { path: 'long.txt' });
  assert.equal(cut.data.truncated, true);
  assert.deepEqual(cut.data.next, { path: 'long.txt', offset: cut.data.end_line! + 1, limit: undefined });
  const rest = await call(readTextFile, cut.data.next!);
  assert.equal(rest.data.start_line, cut.data.end_line! + 1);
});

test('read_text_file of what is no text says what to use instead', async (t) => {
  const { call, put } = await bench(t);
  await put('a.bin', Buffer.from([0, 1]));
  assert.match((await failure(call(readTextFile, { path: 'a.bin' }), 'BINARY_FILE')).hint, /view_image/);
  await failure(call(readTextFile, { path: '.' }), 'IS_A_DIRECTORY');
  const missing = await failure(call(readTextFile, { path: 'A.bin2' }), 'FILE_NOT_FOUND');
  assert.match(missing.hint, /"a.bin"/);
});

test('read_file_base64: ranges add up to the file', async (t) => {
  const { call, put } = await bench(t);
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 256));
  await put('b', bytes);
  const parts: Buffer[] = [];
  let next: { path: string; offset: number; length: number } | undefined = {
    path: 'b',
    offset: 0,
    length: 184_320,
  };
  while (next) {
    const { data }: { data: { content: string; next?: typeof next } } = await call(readFileBase64, next);
    assert.ok(data.content.length < 250 * 1024);
    parts.push(Buffer.from(data.content, 'base64'));
    next = data.next;
  }
  assert.ok(Buffer.concat(parts).equals(bytes));
  const some = await call(readFileBase64, { path: 'b', offset: 10, length: 3 });
  assert.deepEqual([some.data.length, some.data.truncated], [3, true]);
  await failure(call(readFileBase64, { path: 'b', offset: 300_001 }), 'INVALID_PARAMS');
  assert.match((await call(readFileBase64, { path: 'b', offset: 300_000 })).summary, /0 bytes/);
});

test('view_image: by content, bounded; svg as text', async (t) => {
  const { call, put } = await bench(t);
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  await put('a.png', png);
  const image = await call(viewImage, { path: 'a.png' });
  assert.deepEqual(image.images, [{ data: png.toString('base64'), mimeType: 'image/png' }]);
  await put('named.png', Buffer.from('\xff\xd8\xff\xe0 jpeg', 'latin1'));
  assert.equal((await call(viewImage, { path: 'named.png' })).data.mime_type, 'image/jpeg');
  await put('a.webp', Buffer.from('RIFF\x10\0\0\0WEBPVP8 ', 'latin1'));
  assert.equal((await call(viewImage, { path: 'a.webp' })).data.mime_type, 'image/webp');
  await put('a.gif', 'GIF89a...');
  assert.equal((await call(viewImage, { path: 'a.gif' })).data.mime_type, 'image/gif');
  await put('a.svg', '<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg"/>');
  const svg = await call(viewImage, { path: 'a.svg' });
  assert.match(svg.data.text!, /<svg/);
  assert.deepEqual(svg.images, []);
  await failure(call(viewImage, { path: 'a.png', max_bytes: 20 }), 'TOO_LARGE');
  await put('text.png', 'no image at all');
  await failure(call(viewImage, { path: 'text.png' }), 'UNSUPPORTED_FILE');
});

test('the state folder and process secrets are out of reach', async (t) => {
  const { call, context } = await bench(t);
  await failure(call(readTextFile, { path: join(context.services.stateDir, 'x') }), 'DENIED');
  if (process.platform === 'linux') {
    await failure(call(readTextFile, { path: '/proc/self/environ' }), 'DENIED');
    const status = await call(readTextFile, { path: '/proc/self/status' });
    assert.match(status.data.content, /^Name:/, 'generated files, whose size is 0, are read to their end');
  }
});

test('a path that is only written in another way is answered with the one to give', async (t) => {
  const { call, put, root } = await bench(t);
  await mkdir(join(root, 'my src'));
  await put('my src/a b.ts', 'x\n');
  const address = pathToFileURL(join(root, 'my src/a b.ts')).href;
  const meant = async (path: string) =>
    (await failure(call(readTextFile, { path }), 'FILE_NOT_FOUND')).details?.['similar'];
  for (const path of [
    '"my src/a b.ts"',
    ' my src/a b.ts ',
    'my src/a b.ts:12',
    'my src/a b.ts#L3-L9',
    'a/my src/a b.ts',
    '@my src/a b.ts',
    'file:my%20src/a%20b.ts',
    `${basename(root)}/my src/a b.ts`,
    ...(isWindows ? [] : ['my src\\a b.ts', 'my\\ src/a\\ b.ts']),
  ]) {
    assert.deepEqual(await meant(path), ['my src/a b.ts'], path);
  }
  const [given] = (await meant(address)) as string[];
  assert.equal((await call(readTextFile, { path: given! })).data.content, 'x\n');
  // Outside of the root nothing is looked at.
  assert.equal(await meant(pathToFileURL(process.execPath).href), undefined);
});

test('a similar name is given with its folder, whatever characters it has', {
  skip: isWindows,
}, async (t) => {
  const { call, put, root } = await bench(t);
  await put('back\\slash.txt', 'x');
  const hint = async (path: string) => (await failure(call(readTextFile, { path }), 'FILE_NOT_FOUND')).hint;
  assert.equal(await hint('back\\slsh.txt'), 'Did you mean "back\\slash.txt"?');
  const other = await mkdtemp(join(tmpdir(), 'similar-'));
  t.after(() => rm(other, { recursive: true }));
  await writeFile(join(other, 'read.me'), '');
  assert.equal(await hint(join(other, 'raed.me')), `Did you mean "${join(other, 'read.me')}"?`);
  assert.match(await hint(join(root, '../nowhere/at/all')), /relative path starts at the workspace folder/);
});
