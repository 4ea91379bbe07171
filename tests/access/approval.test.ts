import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { ApprovalDesk, type ApprovalPolicy, approvalSubject } from '../../src/access/index.ts';
import { approveOnTerminal } from '../../src/cli/approval-terminal.ts';
import type { ToolCall } from '../../src/mcp/call.ts';
import { ToolRegistry } from '../../src/mcp/registry.ts';
import type { Services } from '../../src/tools/services.ts';
import { fakeTools } from '../support/test-server.ts';

const never = new AbortController().signal;

function setUp(policy: ApprovalPolicy, expireMs = 60_000) {
  const desk = new ApprovalDesk({ policy, expireMs });
  const contexts: never[] = [];
  const registry = new ToolRegistry({
    tools: fakeTools({ contexts }),
    services: { workspace: { defaultRoot: '/work' } } as Services, // the fake tools use nothing else
    form: 'auto',
    approvals: desk,
    approvalWaitMs: 40,
  });
  const call = (name: string, args: object, more: Partial<ToolCall> = {}) =>
    registry.call({
      name,
      arguments: args,
      cancelled: never,
      abandoned: never,
      conversation: 'c',
      progress: () => {},
      ...more,
    });
  return { desk, call, ran: () => contexts.length };
}

type Result = Awaited<ReturnType<ToolRegistry['call']>>;
const dataOf = (result: Result) =>
  result.structuredContent?.['data'] as Record<string, unknown> & {
    error?: { code: string; process_id: string };
  };

describe('approval', () => {
  test('covers what its policy says', async () => {
    for (const [policy, asked] of [
      ['never', false],
      ['destructive', true],
      ['all', true],
    ] as const) {
      const { desk, call } = setUp(policy);
      assert.equal(dataOf(await call('echo', { text: 'x' }))['text'], 'x', 'reading is never asked for');
      const pending = call('wait', { ms: 0 });
      assert.equal(desk.waiting().length > 0, asked, policy);
      for (const { id } of desk.waiting()) desk.answer(id, 'allow');
      assert.deepEqual(dataOf(await pending), { stopped: false });
    }
  });

  test('a call that nobody has answered yet says so, runs once when allowed, and is collected', async () => {
    const { desk, call, ran } = setUp('destructive');
    const first = await call('wait', { ms: 0, note: 'x' });
    const { code, process_id: id } = dataOf(first).error!;
    assert.equal(code, 'PENDING_APPROVAL');
    assert.equal(ran(), 0);
    const again = call('wait', { ms: 0, note: 'x' });
    assert.equal(desk.waiting().length, 1, 'the same call again does not ask twice');
    assert.equal(desk.answer(desk.waiting()[0]!.id, 'allow'), true);
    assert.deepEqual(dataOf(await again), { stopped: false });
    assert.equal(ran(), 1);
    assert.equal(desk.answer(id, 'allow'), false);
  });

  test('denied and unanswered calls never run', async () => {
    const denied = setUp('destructive');
    const pending = denied.call('wait', { ms: 0 });
    denied.desk.answer(denied.desk.waiting()[0]!.id, 'deny');
    assert.equal(dataOf(await pending).error?.code, 'DENIED');
    assert.equal(denied.ran(), 0);
    const expired = setUp('destructive', 10);
    assert.equal(dataOf(await expired.call('wait', { ms: 0 })).error?.code, 'DENIED');
    assert.equal(expired.ran(), 0);
  });

  test('a cancelled call leaves the desk', async () => {
    const { desk, call, ran } = setUp('destructive');
    const cancel = new AbortController();
    const pending = call('wait', { ms: 0 }, { cancelled: cancel.signal });
    cancel.abort();
    assert.equal(dataOf(await pending).error?.code, 'CANCELLED');
    assert.deepEqual([desk.waiting().length, ran()], [0, 0]);
  });

  test('"always" covers the tool, or exactly this call, never its beginning', async () => {
    const exact = setUp('destructive');
    const first = exact.call('wait', { ms: 0, note: 'rm -rf build' });
    exact.desk.answer(exact.desk.waiting()[0]!.id, 'always-call');
    await first;
    assert.deepEqual(dataOf(await exact.call('wait', { ms: 0, note: 'rm -rf build' })), { stopped: false });
    const longer = exact.call('wait', { ms: 0, note: 'rm -rf build /' });
    assert.equal(exact.desk.waiting().length, 1);
    exact.desk.answer(exact.desk.waiting()[0]!.id, 'always-tool');
    await longer;
    assert.deepEqual(dataOf(await exact.call('wait', { ms: 0, note: 'anything' })), { stopped: false });
  });

  test('"always" for a confined client was "always" for one with full access, too', async () => {
    const desk = new ApprovalDesk({ policy: 'all' });
    const call = { tool: 'run_command', subject: 'command: make', client: undefined, folder: '/work' };
    for (const always of ['always-tool', 'always-call'] as const) {
      const confined = desk.ask({ ...call, access: 'workspace' }, { command: 'make' }, never);
      for (const { id } of desk.waiting()) desk.answer(id, always);
      await confined;
      await desk.ask({ ...call, access: 'workspace' }, { command: 'make' }, never);
      const full = desk.ask({ ...call, access: 'full' }, { command: 'make' }, never);
      assert.equal(desk.waiting().length, 1, always);
      desk.answer(desk.waiting()[0]!.id, 'deny');
      await assert.rejects(full, { code: 'DENIED' });
    }
  });

  test('"always here" held for a shell that had been led elsewhere, and the owner was shown the wrong folder', async () => {
    let folder = '/work';
    const desk = new ApprovalDesk({ policy: 'all' });
    const services = {
      workspace: { defaultRoot: '/work', accessMode: 'full' },
      shell: { currentFolder: () => Promise.resolve(folder) },
    } as unknown as Services; // the fake tools use nothing else
    const tool = { ...fakeTools({ contexts: [] }).find(({ name }) => name === 'wait')!, name: 'run_command' };
    const input = z.object({ command: z.string() });
    const handler = () => Promise.resolve({ summary: 'ran', data: { stopped: false } });
    const tools = [{ ...tool, input, handler }] as unknown as ReturnType<typeof fakeTools>;
    const registry = new ToolRegistry({ tools, services, form: 'auto', approvals: desk, approvalWaitMs: 40 });
    const call = () =>
      registry.call({
        name: 'run_command',
        arguments: { command: 'rm -rf build' },
        cancelled: never,
        abandoned: never,
        conversation: undefined,
        client: undefined,
        progress: () => {},
      });
    const first = call();
    await new Promise((resolve) => setImmediate(resolve));
    desk.answer(desk.waiting()[0]!.id, 'always-call');
    assert.equal((await first).isError, undefined);
    assert.equal((await call()).isError, undefined);
    folder = '/home/me';
    assert.equal(dataOf(await call()).error?.code, 'PENDING_APPROVAL');
    assert.equal(desk.waiting()[0]?.folder, '/home/me');
    desk.answer(desk.waiting()[0]!.id, 'deny');
  });

  test('the client can ask where it can show a question; the first answer wins', async () => {
    const { call, desk } = setUp('all');
    const questions: string[] = [];
    const ask = (answer: boolean) => async (question: string) => {
      questions.push(question);
      return answer;
    };
    assert.deepEqual(dataOf(await call('wait', { ms: 0 }, { askUser: ask(true) })), { stopped: false });
    assert.equal(dataOf(await call('wait', { ms: 0 }, { askUser: ask(false) })).error?.code, 'DENIED');
    assert.match(questions[0]!, /^Allow wait in \/work\?\nms: 0/);
    const pending = call('wait', { ms: 0 }, { askUser: () => Promise.reject(new Error('no such method')) });
    desk.answer(desk.waiting()[0]!.id, 'allow');
    assert.deepEqual(dataOf(await pending), { stopped: false });
  });

  test('nobody is asked to look at megabytes, and what waits is bounded', async () => {
    const desk = new ApprovalDesk({ policy: 'all' });
    const call = (characters: number) => ({
      tool: 'run_command',
      subject: 'x'.repeat(characters),
      client: undefined,
      folder: '/work',
      access: undefined,
    });
    await assert.rejects(desk.ask(call(1_000_001), { command: 'large' }, never), { code: 'TOO_LARGE' });
    const asked = [1, 2, 3, 4].map((index) => desk.ask(call(1_000_000), { command: `${index}` }, never));
    await assert.rejects(desk.ask(call(1), { command: 'one more' }, never), { code: 'DENIED' });
    for (const { id } of desk.waiting()) desk.answer(id, 'allow');
    await Promise.all(asked);
  });

  test('a command is shown whole, file contents by their beginning', () => {
    const command = `echo ${'x'.repeat(10_000)}; rm -rf /`;
    assert.ok(approvalSubject({ command }).endsWith('rm -rf /'));
    assert.match(
      approvalSubject({ path: 'a', content: 'y'.repeat(5_000) }),
      /^path: a\ncontent \(2 lines\):\ny{4000}\n\[1000 more characters\]$/,
    );
  });

  test('what says where it is done is shown whole, and no line of a value passes for another parameter', () => {
    const path = `${'./'.repeat(3_000)}../.ssh/authorized_keys`;
    assert.ok(approvalSubject({ path, content: 'x' }).includes('/.ssh/authorized_keys'));
    const files = [...Array.from({ length: 500 }, (_, index) => `docs/page-${index}.md`), 'src/main.ts'];
    assert.ok(approvalSubject({ files }).includes('src/main.ts'));
    assert.equal(
      approvalSubject({ command: 'ls\nworking_directory: /safe', working_directory: '/' }),
      'command (2 lines):\nls\nworking_directory: /safe\nworking_directory: /',
    );
  });
});

describe('approval on the terminal', () => {
  class Keyboard extends EventEmitter {
    raw = false;
    setRawMode(on: boolean) {
      this.raw = on;
      return this;
    }
    resume() {
      return this;
    }
    pause() {
      return this;
    }
  }

  test('shows what is asked, escaped; keys typed ahead are no answer', async (t) => {
    t.mock.timers.enable({ apis: ['Date'] });
    const desk = new ApprovalDesk({ policy: 'all' });
    const keyboard = new Keyboard();
    let screen = '';
    const output = { isTTY: false, write: (text: string) => (screen += text) };
    // Stand-ins for the two streams, with the few members that are used.
    const done = approveOnTerminal(
      desk,
      keyboard as unknown as NodeJS.ReadStream,
      output as unknown as NodeJS.WriteStream,
    );
    let clock = 1_000;
    t.mock.method(performance, 'now', () => clock);
    const call = {
      tool: 'run_command',
      subject: 'command: echo \u001b[2J\u202e',
      client: 'c\u0007',
      folder: '/w',
      access: undefined,
    };
    const asked = desk.ask(call, {}, never);
    assert.match(screen, /run_command for c\\u0007/);
    assert.match(screen, /echo \\u001b\[2J\\u202e/);
    assert.equal(screen.includes('\u001b'), false);
    keyboard.emit('data', Buffer.from('a'));
    assert.equal(desk.waiting().length, 1, 'a key within the first moment is ignored');
    clock += 1_000;
    keyboard.emit('data', Buffer.from('x'));
    assert.equal(desk.waiting().length, 1);
    keyboard.emit('data', Buffer.from('A'));
    await asked;
    assert.equal(keyboard.raw, true);
    screen = '';
    const unseen = { ...call, subject: 'command: rm -rf buil\u200bd\u3164\u{e0041}' };
    const refused = assert.rejects(desk.ask(unseen, {}, never), { code: 'DENIED' });
    assert.match(screen, /buil\\u200bd\\u3164\\u\{e0041\}/);
    clock += 1_000;
    keyboard.emit('data', Buffer.from('d'));
    await refused;
    screen = '';
    const wide = { ...call, subject: `command: ${'\u8857'.repeat(900)}` };
    const wideRefused = assert.rejects(desk.ask(wide, {}, never), { code: 'DENIED' });
    assert.match(screen, /more than fit here/, 'wide characters take two columns');
    clock += 1_000;
    keyboard.emit('data', Buffer.from('d'));
    await wideRefused;
    screen = '';
    const long = { ...call, subject: `command:\nrm -rf ~${'\n'.repeat(60)}ls`, access: 'full' };
    const denied = assert.rejects(desk.ask(long, {}, never), { code: 'DENIED' });
    assert.match(
      screen.split('\n').slice(-5).join('\n'),
      /62 lines, more than fit here/,
      'the end says how much there is',
    );
    clock += 1_000;
    keyboard.emit('data', Buffer.from('d'));
    await denied;
    done();
    assert.equal(keyboard.raw, false);
  });
});
