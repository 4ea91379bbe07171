import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import manifest from '../package.json' with { type: 'json' };
import { importsOf, violations } from './support/import-rules.ts';

const packages = new Set(Object.keys(manifest.dependencies));

describe('import rules', () => {
  test('hold in src', async () => {
    const src = join(import.meta.dirname, '../src');
    const files = new Map<string, string>();
    for await (const path of glob('**/*.ts', { cwd: src })) {
      files.set(path.replaceAll('\\', '/'), await readFile(join(src, path), 'utf8'));
    }
    assert.ok(files.has('main.ts'));
    assert.deepEqual(violations(files, packages), []);
  });

  const broken: Record<string, { files: Record<string, string>; says: string }> = {
    'an import from a layer above': {
      files: { 'git/index.ts': "import { x } from '../tools/git.ts';", 'tools/git.ts': '' },
      says: 'git/index.ts imports ../tools/git.ts: tools lies above git',
    },
    'a type-only import from a layer above': {
      files: { 'runtime/a.ts': "import type {\n  X,\n} from '../cli/a.ts';", 'cli/a.ts': '' },
      says: 'runtime/a.ts imports ../cli/a.ts: cli lies above runtime',
    },
    'a lazy import from a layer above': {
      files: { 'mcp/a.ts': "const a = await import('../http/a.ts');", 'http/a.ts': '' },
      says: 'mcp/a.ts imports ../http/a.ts: http lies above mcp',
    },
    "a domain's inside": {
      files: { 'tools/a.ts': "export { x } from '../shell/inside.ts';", 'shell/inside.ts': '' },
      says: 'tools/a.ts imports ../shell/inside.ts: shell is used through its index.ts only',
    },
    'the protocol in a domain': {
      files: { 'git/index.ts': "import { McpServer } from '@modelcontextprotocol/server';" },
      says: 'git/index.ts imports @modelcontextprotocol/server: git knows nothing of MCP and HTTP',
    },
    'a development dependency': {
      files: { 'cli/a.ts': "import 'esbuild';" },
      says: 'cli/a.ts imports esbuild: not a dependency of package.json',
    },
    'a folder outside of the layers': {
      files: { 'helpers/a.ts': '' },
      says: 'helpers/a.ts is in no layer: add its folder to tests/support/import-rules.ts',
    },
    'a cycle': {
      files: { 'git/a.ts': "import './b.ts';", 'git/b.ts': "import './a.ts';" },
      says: 'import cycle: git/a.ts → git/b.ts → git/a.ts',
    },
  };
  for (const [name, { files, says }] of Object.entries(broken)) {
    test(`catch ${name}`, () => {
      assert.deepEqual(violations(new Map(Object.entries(files)), packages), [says]);
    });
  }

  test('read every form of import and no comment', () => {
    const source = `
      import a, { b } from './1.ts'; // import x from './no.ts'
      import * as c from "./2.ts";
      export * from './3.ts';
      import './4.ts';
      /* import d from './no.ts'; */
      const e = () => import(\n'./5.ts');
      import json from './6.json' with { type: 'json' };
      type F = import('./7.ts').F;
    `;
    assert.deepEqual(importsOf(source).sort(), [
      './1.ts',
      './2.ts',
      './3.ts',
      './4.ts',
      './5.ts',
      './6.json',
      './7.ts',
    ]);
  });
});
