import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, test } from 'node:test';
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

  test('a command is shown whole, file contents by their beginning', () => {
    const command = `echo ${'x'.repeat(10_000)}; rm -rf /`;
    assert.ok(approvalSubject({ command }).endsWith('rm -rf /'));
    assert.match(
      approvalSubject({ path: 'a', content: 'y'.repeat(5_000) }),
      /^path: a\ncontent:\ny{4000}\n\[1000 more characters\]$/,
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
    done();
    assert.equal(keyboard.raw, false);
  });
});
