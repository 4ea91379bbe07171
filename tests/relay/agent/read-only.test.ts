import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { describe, test } from 'node:test';
import { importsOf } from '../../support/import-rules.ts';

const SRC = join(import.meta.dirname, '../../../src');
/** What `local-coder agent` loads when it is not told to serve the normal tools. */
const ENTRIES = ['relay/agent/run-agent.ts', 'relay/agent/viewer-agent.ts', 'relay/agent/run-lock.ts'];
/** The one file of the tools that may be there, beside their types. */
const VIEWER_TOOLS = ['tools/define.ts', 'tools/viewer.ts'];
/** Folders that hold what changes files, runs commands, or lets somebody in. */
const FORBIDDEN =
  /^(cli|http|auth|patch|edit|shell|history|transfer|context|relay\/(core|adapters|identity))\//;
/** What src/workspace offers to those who write. */
const WRITERS =
  /\b(changeFile|commitFiles|copyFileTo|deleteDirectory|deleteFile|editTextFile|makeDirectory|makeFolders|move|recoverTransactions|replaceBy|writeAtomically|writeTextFile|writeAll|temporaryBeside)\b/;
/** Of node:fs, whatever changes something. */
const FS_WRITERS =
  /\b(appendFile|chmod|copyFile|cp|createWriteStream|link|mkdir|mkdtemp|rename|rm|rmdir|symlink|truncate|unlink|utimes|writeFile)\b/;

describe('the read-only agent', () => {
  test('loads no tool that writes or runs anything, over the whole import graph', async () => {
    const sources = await sourceFiles();
    const loaded = graph(sources, ENTRIES);
    for (const entry of ENTRIES) assert.ok(loaded.has(entry));
    assert.ok(loaded.has('relay/viewer/inspect-file.ts'), 'the graph is followed into lazy imports');
    const tools = [...loaded].filter((file) => file.startsWith('tools/') && !VIEWER_TOOLS.includes(file));
    assert.deepEqual(tools, []);
    assert.deepEqual(
      [...loaded].filter((file) => FORBIDDEN.test(file)),
      [],
    );
    // What is there of the layers below is not what writes: no module but those of the layer itself asks for it.
    for (const file of loaded) {
      const source = sources.get(file) ?? '';
      if (file.startsWith('workspace/')) continue;
      for (const [statement, names = ''] of source.matchAll(
        /import\s*\{([^}]*)\}\s*from\s*'[^']*workspace\/[^']*'/g,
      )) {
        assert.doesNotMatch(names.replace(/\btype \w+/g, ''), WRITERS, `${file}: ${statement}`);
      }
    }
  });

  test('neither the agent nor the viewer nor the search writes a file itself', async () => {
    const sources = await sourceFiles();
    const loaded = [...graph(sources, ENTRIES)].filter((file) => /^(relay|tools|mcp|search)\//.test(file));
    assert.ok(loaded.length > 40);
    for (const file of loaded) {
      for (const [statement, names = ''] of (sources.get(file) ?? '').matchAll(
        /import\s*\{([^}]*)\}\s*from\s*'node:fs(?:\/promises)?'/g,
      )) {
        assert.doesNotMatch(names, FS_WRITERS, `${file}: ${statement}`);
      }
    }
  });

  test('the viewer asks git and the workspace for nothing but reading', async () => {
    const sources = await sourceFiles();
    for (const [file, source] of sources) {
      if (!file.startsWith('relay/viewer/')) continue;
      for (const mode of source.matchAll(/accessMode: '([a-z-]+)'/g))
        assert.equal(mode[1], 'read-only', file);
    }
    assert.match(sources.get('relay/viewer/viewer.ts') ?? '', /accessMode: 'read-only'/);
    assert.match(sources.get('relay/viewer/workspace-view.ts') ?? '', /accessMode: 'read-only'/);
  });

  test('the test would see a writing tool', async () => {
    const sources = await sourceFiles();
    sources.set(
      'relay/viewer/inspect-file.ts',
      "const tool = await import('../../tools/files-write.ts');\nimport type { X } from '../../tools/git.ts';",
    );
    const loaded = graph(sources, ENTRIES);
    assert.ok(loaded.has('tools/files-write.ts'));
    assert.ok(!loaded.has('tools/git.ts'), 'types are not loaded');
  });
});

async function sourceFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const path of glob('**/*.ts', { cwd: SRC })) {
    files.set(path.replaceAll('\\', '/'), await readFile(join(SRC, path), 'utf8'));
  }
  return files;
}

/** Every module that is loaded from the entries, now or later; types alone are not. */
function graph(sources: ReadonlyMap<string, string>, entries: readonly string[]): Set<string> {
  const found = new Set<string>();
  const queue = [...entries];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const source = sources.get(file);
    if (found.has(file) || source === undefined) continue;
    found.add(file);
    const values = source.replace(/^\s*(?:import|export) type [^;]*;/gm, '');
    for (const specifier of importsOf(values)) {
      if (specifier.startsWith('.')) queue.push(posix.join(posix.dirname(file), specifier));
    }
  }
  return found;
}
