/** The main job, for every place and shape in which the program has to do it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './built.ts';
import { type ClientKind, connect, type Endpoint, type TestClient, type ToolReply } from './clients.ts';

const run = promisify(execFile);

/** A clone that the job may change. */
export async function copyOfThisRepository(base: string, name: string): Promise<string> {
  const folder = join(base, name);
  await run('git', ['clone', '--quiet', '--no-hardlinks', ROOT, folder]);
  await run('git', ['-C', folder, 'config', 'user.name', 'Main Job']);
  await run('git', ['-C', folder, 'config', 'user.email', 'main.job@example.org']);
  return folder;
}

/** Explores, writes, runs, mends, commits: on a copy of this very repository; what came of it is judged by git. */
export async function mainJob(
  kind: ClientKind,
  endpoint: Endpoint,
  folder: string,
  name: string,
): Promise<void> {
  const client = await connect(kind, endpoint);
  try {
    const ok = succeed(client);
    const dir = `scratch/${name}`;
    assert.match(
      client.instructions() ?? '',
      new RegExp(`^[\\s\\S]{0,512}${folder}`),
      'the root is in the first 512 characters',
    );

    // Explore.
    const sources = await ok('glob', { pattern: 'src/**/*.ts', max_results: 5_000 });
    assert.ok(sources.bulk.includes('src/main.ts'));
    const found = await ok('grep', { pattern: 'export function defineTool', path: 'src' });
    assert.match(found.bulk, /src\/tools\/define\.ts/);
    const manifest = await ok('read_text_file', { path: 'package.json' });
    assert.equal(manifest.bulk, await readFile(join(folder, 'package.json'), 'utf8'));

    // Write code and a test that fails.
    await ok('write_file', { path: `${dir}/sum.js`, content: 'exports.sum = (a, b) => a - b;\n' });
    await ok('write_file', {
      path: `${dir}/sum.test.js`,
      content:
        "const { test } = require('node:test');\nconst assert = require('node:assert');\nconst { sum } = require('./sum.js');\ntest('sum', () => assert.equal(sum(2, 3), 5));\n",
    });
    await ok('write_file', { path: `${dir}/package.json`, content: '{"type":"commonjs"}\n' });
    const runTest = { command: `"${process.execPath}" --test ${dir}/sum.test.js` };
    const failing = await ok('run_command', runTest);
    assert.equal(failing.data['exit_code'], 1);
    assert.match(failing.bulk, /fail 1/);

    // Mend it, once with an edit and once with a patch.
    const miss = await client.call('edit_file', {
      path: `${dir}/sum.js`,
      old_text: 'a  - b',
      new_text: 'a + b',
    });
    assert.equal(miss.data.error?.code, 'NO_MATCH');
    const edited = await ok('edit_file', { path: `${dir}/sum.js`, old_text: 'a - b', new_text: 'a + b' });
    assert.match(JSON.stringify(edited), /a \+ b/);
    await ok('apply_patch', {
      patch: [
        '*** Begin Patch',
        `*** Update File: ${dir}/sum.js`,
        '@@',
        '-exports.sum = (a, b) => a + b;',
        '+/** Adds two numbers. */',
        '+exports.sum = (a, b) => a + b;',
        `*** Add File: ${dir}/NOTES.md`,
        '+# Notes',
        '*** End Patch',
      ].join('\n'),
    });
    assert.equal((await ok('run_command', runTest)).data['exit_code'], 0);

    // Commit, and let git say what is there.
    const status = await ok('git_status');
    assert.match(JSON.stringify(status.data), /scratch\//);
    await ok('git_add', {
      files: [`${dir}/sum.js`, `${dir}/sum.test.js`, `${dir}/NOTES.md`, `${dir}/package.json`],
    });
    const diff = await ok('git_diff', { staged: true });
    assert.match(diff.bulk, /\+\/\*\* Adds two numbers\. \*\//);
    await ok('git_commit', { message: `Add a sum (${name})` });
    const { stdout } = await run('git', ['-C', folder, 'log', '-1', '--format=%s|%an', '--name-status']);
    assert.deepEqual(stdout.trim().split('\n').filter(Boolean), [
      `Add a sum (${name})|Main Job`,
      ...['NOTES.md', 'package.json', 'sum.js', 'sum.test.js'].map((file) => `A\t${dir}/${file}`),
    ]);
    const { stdout: content } = await run('git', ['-C', folder, 'show', `HEAD:${dir}/sum.js`]);
    assert.equal(content, '/** Adds two numbers. */\nexports.sum = (a, b) => a + b;\n');
    const { stdout: left } = await run('git', ['-C', folder, 'status', '--porcelain', '--', dir]);
    assert.equal(left, '');
    const log = await ok('git_log', { count: 1 });
    assert.match(JSON.stringify(log), new RegExp(`Add a sum \\(${name}\\)`));
  } finally {
    await client.close();
  }
}

/** Calls that have to succeed. */
export function succeed(
  client: TestClient,
): (tool: string, args?: Record<string, unknown>) => Promise<ToolReply> {
  return async (tool, args) => {
    const reply = await client.call(tool, args);
    assert.equal(reply.ok, true, `${tool}: ${JSON.stringify(reply.data)}`);
    return reply;
  };
}
