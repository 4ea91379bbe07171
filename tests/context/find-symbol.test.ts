import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { findSymbol } from '../../src/context/index.ts';
import type { CodedError } from '../../src/runtime/errors.ts';
import { createSearch } from '../../src/search/index.ts';
import { folderWith, workspaceOf } from './support.ts';

async function find(root: string, name: string, path?: string, ...otherRoots: string[]) {
  const search = createSearch({ stateDir: join(root, '.state') });
  const signal = new AbortController().signal;
  const workspace = workspaceOf(root, 'full', ...otherRoots);
  const found = await findSymbol(
    { name, path },
    { workspace, search, signal, deadlineMs: performance.now() + 30_000 },
  );
  return {
    ...found,
    at: found.symbols.map((s) => `${s.path}:${s.startLine}-${s.endLine} ${s.kind} ${s.name}`),
  };
}

const FILES = {
  'src/shape.ts':
    'export class Shape {\n  area() { return 0; }\n}\nclass Circle extends Shape {\n  area() { return 3; }\n}\n',
  'src/use.ts': "import { Shape } from './shape.ts';\nconst s = new Shape();\ns.area();\n",
  'lib/shape.py': '@dataclass\nclass Shape:\n    def area(self):\n        return 0\n',
  'cmd/server.go': 'package x\n\nfunc (s *Server) Start() {}\ntype Server struct{}\n',
  'lib/user.rb': 'class User\n  def empty?\n  end\nend\n',
  'app.php': '<?php class P { public $count = 1; }\n',
  'notes.md': '# Shape\n',
  'ignored/shape.ts': 'class Shape {}\n',
  '.gitignore': 'ignored/\n',
  '.git/HEAD': 'ref: refs/heads/main\n',
};

test('definitions, not uses, with the line that defines', async (t) => {
  const root = await folderWith(t, FILES);
  const found = await find(root, 'Shape');
  assert.deepEqual(found.at.sort(), ['lib/shape.py:1-4 class Shape', 'src/shape.ts:1-3 class Shape']);
  assert.deepEqual(found.symbols.map(({ text }) => text).sort(), ['class Shape:', 'export class Shape {']);
  assert.deepEqual([found.candidates, found.checked, found.skipped], [3, 3, []]);
});

test('members, by what they are in', async (t) => {
  const root = await folderWith(t, FILES);
  assert.equal((await find(root, 'area')).at.length, 3);
  for (const name of ['Circle.area', 'Circle::area', 'Circle#area', 'Circle.area()']) {
    assert.deepEqual((await find(root, name)).at, ['src/shape.ts:5-5 method Circle.area'], name);
  }
  assert.deepEqual((await find(root, 'Server.Start')).at, ['cmd/server.go:3-3 method Server.Start']);
  assert.deepEqual((await find(root, 'Start')).at, ['cmd/server.go:3-3 method Server.Start']);
  assert.deepEqual((await find(root, 'Other.area')).at, []);
});

test('names with other characters are plain text', async (t) => {
  const root = await folderWith(t, FILES);
  assert.deepEqual((await find(root, 'empty?')).at, ['lib/user.rb:2-3 method User.empty?']);
  assert.deepEqual((await find(root, '$count')).at, ['app.php:1-1 property P.$count']);
  assert.deepEqual((await find(root, '.*')).at, []);
  assert.deepEqual((await find(root, '(((')).at, []);
  await assert.rejects(find(root, ' '), (error: CodedError) => error.code === 'INVALID_PARAMS');
  await assert.rejects(find(root, 'a\nb'), (error: CodedError) => error.code === 'INVALID_PARAMS');
});

test('in a folder, in a file, in all roots', async (t) => {
  const root = await folderWith(t, FILES);
  const other = await folderWith(t, { 'more.java': 'class Shape {}\n' });
  assert.deepEqual((await find(root, 'Shape', 'lib')).at, ['lib/shape.py:1-4 class Shape']);
  assert.deepEqual((await find(root, 'Shape', 'src/shape.ts')).at, ['src/shape.ts:1-3 class Shape']);
  assert.ok((await find(root, 'Shape', undefined, other)).at.includes(`${other}/more.java:1-1 class Shape`));
  await assert.rejects(find(root, 'Shape', 'none'), (error: CodedError) => error.code === 'FILE_NOT_FOUND');
});

test('nothing found tells absent words from mere uses', async (t) => {
  const root = await folderWith(t, { 'a.ts': 'import { thing } from "x";\nthing();\n' });
  assert.equal((await find(root, 'thing')).candidates, 1);
  assert.equal((await find(root, 'thin')).candidates, 0);
});

test('more definitions than are returned are said to be more', async (t) => {
  const files = Object.fromEntries(
    Array.from({ length: 130 }, (_, i) => [`f${i}.js`, 'function same() {}\n']),
  );
  const root = await folderWith(t, files);
  const found = await find(root, 'same');
  assert.equal(found.symbols.length, 100);
  assert.ok(found.moreSymbols);
});
