import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import { selectTools } from '../../src/tools/index.ts';
import { connect, type TestClient, type ToolReply } from '../support/clients.ts';
import { programCommand, type RunningServer, shapesUnderTest, startServer } from '../support/programs.ts';

type Args = Record<string, unknown>;

const run = promisify(execFile);
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/**
 * Every tool is called at least once with success, in an order in which that is possible, and each answer is held
 * against the tool's own output schema and against the schema that tools/list declares. `both` sends everything in
 * both channels, so that nothing escapes the check.
 */
for (const shape of shapesUnderTest()) {
  describe(`every tool: ${shape}`, { timeout: 240_000 }, () => {
    let base: string;
    let folder: string;
    let server: RunningServer;
    let client: TestClient;
    before(async () => {
      base = await realpath(await mkdtemp(join(tmpdir(), 'lc-every-tool-')));
      folder = join(base, 'work');
      const remote = join(base, 'remote.git');
      await run('git', ['init', '-q', '-b', 'main', folder]);
      await run('git', ['init', '-q', '--bare', '-b', 'main', remote]);
      for (const [key, value] of [
        ['user.name', 'Every Tool'],
        ['user.email', 'every.tool@example.org'],
        ['core.autocrlf', 'false'],
      ]) {
        await run('git', ['-C', folder, 'config', key!, value!]);
      }
      await run('git', ['-C', folder, 'remote', 'add', 'origin', remote]);
      await writeFile(
        join(folder, 'package.json'),
        '{"name":"x","scripts":{"hello":"node -e \\"console.log(42)\\""}}\n',
      );
      await writeFile(join(folder, 'AGENTS.md'), '# Rules\n');
      await writeFile(join(folder, 'code.ts'), 'export function first(): number {\n  return 1;\n}\n');
      await writeFile(join(folder, 'pixel.png'), Buffer.from(PNG, 'base64'));
      await run('git', ['-C', folder, 'add', '-A']);
      await run('git', ['-C', folder, 'commit', '-q', '-m', 'Start']);
      server = await startServer({ shape, cwd: folder, args: ['--results', 'both'] });
      client = await connect('v2 auto', { url: server.url });
    });
    after(async () => {
      await client.close();
      await server.stop();
      await rm(base, { recursive: true, force: true });
    });

    test('answers with what its output schema promises', async () => {
      const definitions = new Map(selectTools('full').map((tool) => [tool.name, tool]));
      const declared = new Map((await client.listTools()).map((tool) => [tool.name, tool.outputSchema]));
      const validator = new AjvJsonSchemaValidator();
      const called = new Set<string>();
      const ok = async (name: string, args: Args = {}): Promise<ToolReply> => {
        const reply = await client.call(name, args);
        assert.equal(reply.ok, true, `${name}: ${JSON.stringify(reply.data)}`);
        called.add(name);
        assert.equal(reply.structured?.['ok'], true, name);
        const parsed = definitions.get(name)!.output().strict().safeParse(reply.structured?.['data']);
        assert.ok(parsed.success, `${name}: ${parsed.success ? '' : parsed.error.message}`);
        const verdict = validator.getValidator(declared.get(name) as object)(reply.structured);
        assert.equal(verdict.valid, true, `${name}: ${verdict.errorMessage}`);
        assert.equal(reply.structured?.['summary'], reply.summary, `${name}: both channels say the same`);
        return reply;
      };

      await ok('agent_status');
      await ok('list_allowed_directories');
      await ok('write_file', { path: 'a.txt', content: 'one\ntwo\n' });
      await ok('write_file_base64', { path: 'b.bin', content: 'AAEC' });
      await ok('read_text_file', { path: 'a.txt' });
      await ok('read_file_base64', { path: 'b.bin' });
      await ok('view_image', { path: 'pixel.png' });
      await ok('edit_file', { path: 'a.txt', old_text: 'two', new_text: 'three' });
      await ok('multi_edit', {
        path: 'a.txt',
        edits: [
          { old_text: 'one', new_text: '1' },
          { old_text: 'three', new_text: '3' },
        ],
      });
      await ok('replace_regex', { path: 'a.txt', pattern: '\\d', replacement: '<$&>' });
      assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), '<1>\n<3>\n');
      const patched = await ok('apply_patch', {
        patch: '--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n <1>\n-<3>\n+<4>\n',
      });
      assert.ok(patched.data['checkpoint_id'], 'a change has a checkpoint');
      for (const action of ['list', 'status']) await ok('rewind', { action });
      await ok('rewind', { action: 'preview', checkpoint_id: patched.data['checkpoint_id'] });
      await ok('rewind', { action: 'restore', checkpoint_id: patched.data['checkpoint_id'] });
      assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), '<1>\n<3>\n');
      await ok('rewind', { action: 'redo' });
      assert.equal(await readFile(join(folder, 'a.txt'), 'utf8'), '<1>\n<4>\n');
      await ok('create_directory', { path: 'sub/deep' });
      await ok('copy_file', { source: 'a.txt', destination: 'sub/c.txt' });
      await ok('move_file', { source: 'sub/c.txt', destination: 'sub/d.txt' });
      await ok('list_directory', { path: '.' });
      await ok('directory_tree', { path: '.' });
      await ok('delete_file', { path: 'sub/d.txt' });
      await ok('delete_directory', { path: 'sub' });
      await ok('send_file', { path: 'a.txt' });
      await ok('glob', { pattern: '**/*.ts' });
      for (const output_mode of ['content', 'files_with_matches', 'count'])
        await ok('grep', { pattern: 'first', output_mode });
      await ok('search_files', { path: '.', pattern: 'first' });

      await ok('list_scripts');
      await ok('run_script', { name: 'hello' });
      await ok('run_command', { command: 'echo hi; echo oops >&2; exit 3' });
      await ok('shell_status');
      await ok('shell_reset');
      const started = await ok('start_process', {
        command: 'read line; echo "got $line"; exec sleep 60',
        name: 'reader',
      });
      const id = started.data['process_id'];
      await ok('write_process_input', { id, input: 'text\n' });
      await ok('process_output', { id, wait_ms: 5_000 });
      await ok('process_status');
      await ok('stop_process', { id });
      await ok('clear_processes');

      await ok('git_status');
      await ok('git_diff');
      await ok('git_add', { files: ['a.txt', 'b.bin'] });
      await ok('git_commit', { message: 'Add two files' });
      await ok('git_log');
      await ok('git_show', { ref: 'HEAD' });
      await ok('git_show', { ref: 'HEAD', file: 'a.txt' });
      await ok('git_blame', { file: 'code.ts' });
      await ok('git_branch', { action: 'create-and-switch', name: 'topic' });
      await ok('git_branch', { action: 'list' });
      await ok('git_checkout', { branch: 'main' });
      await ok('git_branch', { action: 'delete', name: 'topic' });
      await ok('git_push', { set_upstream: true });
      await ok('git_fetch');
      await ok('git_pull');
      await ok('write_file', { path: 'a.txt', content: 'changed\n' });
      await ok('git_stash', { action: 'push' });
      await ok('git_stash', { action: 'list' });
      await ok('git_stash', { action: 'pop' });
      await ok('git_restore', { files: ['a.txt'] });
      await ok('git_reset', { mode: 'soft', ref: 'HEAD~1' });

      await ok('project_context');
      await ok('load_path_rules', { path: 'code.ts' });
      await ok('remember', { note: 'Tests run with npm test.' });
      await ok('outline', { path: 'code.ts' });
      await ok('find_symbol', { name: 'first' });
      await ok('recent_calls');
      await ok('batch', {
        calls: [{ tool: 'git_status' }, { tool: 'read_text_file', arguments: { path: 'code.ts' } }],
      });

      // It fetches from the public internet alone, which cannot be reached from here; tests/transfer has it.
      const received = await client.call('receive_file', {
        file: { download_url: 'https://127.0.0.1/x' },
        path: 'x',
      });
      assert.equal(received.data.error?.code, 'DENIED');
      called.add('receive_file');
      assert.deepEqual(
        [...definitions.keys()].filter((name) => !called.has(name)),
        [],
        'tools that this test does not call',
      );
    });

    test('says the same in every form of results', async () => {
      for (const form of ['auto', 'structured', 'text']) {
        const { command, args } = await programCommand(shape, ['--stdio', '--results', form]);
        const other = await connect('v1', { command, args, cwd: folder });
        const small = await other.call('agent_status').catch((error: unknown) => error);
        const bulk = (await other.listTools()).find(({ name }) => name === 'read_text_file');
        assert.equal(bulk?.outputSchema !== undefined, form === 'structured', form);
        if (form === 'structured') {
          assert.ok(small instanceof SyntaxError, 'the text is the summary alone, no JSON');
        } else {
          assert.equal((small as ToolReply).structured !== undefined, form === 'auto', form);
          assert.equal(
            (await other.call('read_text_file', { path: 'code.ts' })).bulk,
            await readFile(join(folder, 'code.ts'), 'utf8'),
          );
        }
        await other.close();
      }
    });
  });
}
