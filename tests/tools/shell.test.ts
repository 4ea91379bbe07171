import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createShell } from '../../src/shell/index.ts';
import type { ToolDefinition } from '../../src/tools/define.ts';
import { shellTools } from '../../src/tools/shell.ts';
import { failure, toolBench } from '../support/tool-context.ts';

type Answer = { summary: string; data: Record<string, unknown> };

/** Calls tools by name, as a client does. */
async function bench(t: TestContext) {
  const stateFolder = (await toolBench(t)).context.services.stateDir;
  const shell = createShell({
    stateDir: stateFolder,
    defaultShell: 'bash',
    yieldMs: 5000,
    env: { PATH: process.env['PATH'], SHLVL: '1' },
  });
  t.after(() => shell.close({ graceMs: 200 }));
  const tools = await toolBench(t, { shell });
  const byName = new Map((shellTools as unknown as ToolDefinition[]).map((tool) => [tool.name, tool]));
  const call = async (name: string, args: Record<string, unknown> = {}): Promise<Answer> => {
    const tool = byName.get(name);
    assert.ok(tool, name);
    return (await tools.call(tool, args)) as Answer;
  };
  return { root: tools.root, call };
}

describe('shell tools', () => {
  test('run_command: data, a failing command is an answer, state carries over', async (t) => {
    const { root, call } = await bench(t);
    await mkdir(join(root, 'sub'));
    const failed = await call('run_command', { command: 'cd sub; echo out; echo err >&2; exit 3' });
    assert.match(failed.summary, /^"cd sub; .*" ended with exit code 3 after \d/);
    assert.deepEqual(
      { ...failed.data, duration_ms: 0 },
      {
        command: 'cd sub; echo out; echo err >&2; exit 3',
        cwd: '.',
        exit_code: 3,
        stdout: 'out\n',
        stderr: 'err\n',
        duration_ms: 0,
        timed_out: false,
        truncated: false,
        process_id: null,
      },
    );
    const next = await call('run_command', { command: 'pwd' });
    assert.deepEqual([next.data['stdout'], next.data['cwd']], [`${root}/sub\n`, 'sub']);
    const once = await call('run_command', { command: 'pwd', working_directory: '/' });
    assert.equal(once.data['stdout'], '/\n');
    const status = await call('shell_status');
    assert.deepEqual(status.data['shells'], [
      {
        name: 'main',
        kind: 'bash',
        cwd: 'sub',
        running: 0,
        recent_commands: ['cd sub; echo out; echo err >&2; exit 3', 'pwd', 'pwd'],
      },
    ]);
    const reset = await call('shell_reset');
    assert.deepEqual(reset.data, { name: 'main', cwd: '.' });
    assert.equal((await call('run_command', { command: 'pwd' })).data['stdout'], `${root}\n`);
  });

  test('yield: the summary has the call that goes on, and it works', async (t) => {
    const { call } = await bench(t);
    const first = await call('run_command', { command: 'echo a; sleep 0.4; echo b', yield_ms: 150 });
    assert.deepEqual(
      [first.data['running'], first.data['exit_code'], first.data['stdout']],
      [true, null, 'a\n'],
    );
    const next = JSON.parse(/process_output (\{.*\})/.exec(first.summary)?.[1] ?? '') as Record<
      string,
      unknown
    >;
    assert.equal(next['id'], first.data['process_id']);
    const more = await call('process_output', next);
    assert.equal(more.data['stdout'], 'b\n');
    const stopped = await call('stop_process', { id: next['id'] });
    assert.equal(stopped.data['state'], 'exited');
  });

  test('timeout in seconds, with what was printed', async (t) => {
    const { call } = await bench(t);
    const answer = await call('run_command', { command: 'echo before; sleep 60', timeout: 0.2 });
    assert.deepEqual([answer.data['timed_out'], answer.data['stdout']], [true, 'before\n']);
    assert.match(answer.summary, /was ended by its timeout/);
  });

  test('start, status, input, stop, clear', async (t) => {
    const { call } = await bench(t);
    const started = await call('start_process', { command: 'cat', name: 'echo' });
    const id = started.data['process_id'];
    assert.match(started.summary, /process_output \{"id":"p\w+","cursor":"0"/);
    const written = await call('write_process_input', { id, input: 'hello\n' });
    assert.deepEqual([written.data['bytes'], written.data['cursor']], [6, '0']);
    const reply = await call('process_output', { id, cursor: '0', wait_ms: 5000 });
    assert.equal(reply.data['stdout'], 'hello\n');
    assert.doesNotMatch(written.summary, /newline/);
    const open = await call('write_process_input', { id, input: 'y' });
    assert.match(open.summary, /^1 byte was written .*No newline ended it/);
    assert.doesNotMatch((await call('write_process_input', { id, input: '\x1b' })).summary, /newline/);
    const running = await call('process_status', { id: 'echo' });
    assert.match(running.summary, /^Process p\w+ has been running for/);
    const stopped = await call('stop_process', { id, force: true });
    assert.match(stopped.summary, /was ended by SIGKILL/);
    assert.match((await call('process_status')).summary, /^0 running, 1 finished/);
    assert.equal((await call('clear_processes')).data['cleared'], 1);
    const missing = await failure(call('process_output', { id }), 'PROCESS_NOT_FOUND');
    assert.match(missing.hint, /No process is known/);
  });

  test('process_output without a cursor answers at once with what is there, then waits for more', async (t) => {
    const { call } = await bench(t);
    const started = await call('start_process', {
      command: 'echo one; read line; echo "two $line"; exec sleep 60',
    });
    const id = started.data['process_id'];
    await call('process_output', { id, cursor: '0', wait_ms: 5000 });
    const before = performance.now();
    assert.equal((await call('process_output', { id, wait_ms: 20_000 })).data['stdout'], 'one\n');
    assert.ok(performance.now() - before < 10_000, 'what is there is shown at once');
    const next = call('process_output', { id, wait_ms: 20_000 });
    await call('write_process_input', { id, input: 'x\n' });
    assert.equal((await next).data['stdout'], 'one\ntwo x\n');
    await call('stop_process', { id, force: true });
  });

  test('scripts by name, with arguments taken literally', async (t) => {
    const { root, call } = await bench(t);
    await writeFile(join(root, 'Makefile'), 'show: ## print X\n\t@echo "X is $(X)"\n');
    const list = await call('list_scripts');
    assert.equal(list.summary, '1 script in the workspace folder.', 'not "1 scripts in ..", as it was');
    assert.deepEqual(list.data['scripts'], [
      { name: 'show', command: 'make show', source: 'Makefile', detail: 'print X' },
    ]);
    const ran = await call('run_script', { name: 'show', args: ['X=a b;c'] });
    assert.deepEqual([ran.data['command'], ran.data['stdout']], ["make show 'X=a b;c'", 'X is a b;c\n']);
    const unknown = await failure(call('run_script', { name: 'shwo' }), 'COMMAND_NOT_FOUND');
    assert.match(unknown.message, /Did you mean "show"/);
    assert.match(unknown.message, /^The workspace folder defines no script "shwo"/);
    await failure(call('list_scripts', { path: 'missing' }), 'FILE_NOT_FOUND');
    assert.equal((await call('shell_status')).summary, 'Shells: main in the workspace folder.');
  });

  test('a command of a megabyte is not repeated in full', async (t) => {
    const { call } = await bench(t);
    const answer = await call('run_command', { command: `: ${'x'.repeat(1_000_000)}` });
    assert.ok(JSON.stringify(answer).length < 4000);
    assert.match(String(answer.data['command']), /… \[1,000,002 characters\]$/);
  });
});
