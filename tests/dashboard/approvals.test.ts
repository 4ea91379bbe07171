import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import { approveOnTerminal } from '../../src/cli/approval-terminal.ts';
import { type Page, type PageServer, startPage, until } from './support/page-server.ts';

let server: PageServer;
let page: Page;
before(async () => {
  server = await startPage({ approve: 'destructive' });
  page = await server.login();
});
after(() => server.close());
afterEach(() => assert.deepEqual(server.approvals.waiting(), [], 'nothing is left waiting'));

const waitingOne = async () => {
  await until(() => server.approvals.waiting().length === 1, 'the call waits');
  return server.approvals.waiting()[0]!;
};
const answer = async (id: string, given: string) =>
  (await server.post(page, `/page/approvals/${id}`, { answer: given })).status;
const textOf = async (pending: ReturnType<PageServer['call']>) => (await pending).result.content[0]!.text;

/** A terminal of which the test is the user. */
function terminal() {
  const written: string[] = [];
  const input = Object.assign(new EventEmitter(), { setRawMode() {}, resume() {}, pause() {} });
  const output = { isTTY: false, columns: 80, rows: 40, write: (text: string) => written.push(text) };
  const stop = approveOnTerminal(
    server.approvals,
    input as unknown as NodeJS.ReadStream, // what it uses of the two
    output as unknown as NodeJS.WriteStream,
  );
  return { press: (key: string) => input.emit('data', Buffer.from(key)), text: () => written.join(''), stop };
}

describe('approval on the page', () => {
  test('shows the whole command as text, and allow lets it run', async () => {
    const command = `echo "<img src=x onerror=alert(1)>" ${'x'.repeat(20_000)}`;
    const pending = server.call('run_command', { command });
    const { id } = await waitingOne();
    const html = await (await server.get(page, '/page/approvals')).text();
    assert.ok(html.includes('&lt;img src=x onerror=alert(1)&gt;') && !html.includes('<img'));
    assert.ok(html.includes('x'.repeat(20_000)));
    assert.equal(await answer(id, 'allow'), 200);
    assert.match(await textOf(pending), /"ok":true/);
  });

  test('deny, and what is no answer', async () => {
    const pending = server.call('run_command', { command: 'echo denied' });
    const { id } = await waitingOne();
    assert.equal(await answer(id, 'perhaps'), 400);
    assert.equal(await answer(id, 'deny'), 200);
    assert.match(await textOf(pending), /DENIED/);
    assert.equal(await answer(id, 'allow'), 409, 'what is answered stays answered');
  });

  test('what cannot be done is said in the language of the page', async () => {
    const said = async (path: string, body = {}) =>
      ((await (await server.post(page, path, body)).json()) as { message: string }).message;
    assert.match(await said('/page/approvals/gone?lang=zh', { answer: 'allow' }), /^已经有人回答/);
    assert.match(await said('/page/approvals/gone?lang=vi', { answer: 'allow' }), /^Đã có câu trả lời/);
    assert.match(await said('/page/approvals/gone', { answer: 'allow' }), /^It was answered already/);
    assert.match(await said('/page/processes/p99/stop?lang=zh'), /^这一项已经不存在/);
    assert.match(await said('/page/history/redo?lang=zh'), /^操作失败。 There is no restore/);
    assert.match(await said('/page/history/redo'), /^There is no restore/);
  });

  test('the first answer wins, and the other side sees that it is settled', async () => {
    const own = terminal();
    try {
      const first = server.call('run_command', { command: 'echo by page' });
      const { id } = await waitingOne();
      assert.match(own.text(), /echo by page/);
      assert.equal(await answer(id, 'allow'), 200);
      await first;
      assert.match(own.text(), /settled/);

      const second = server.call('run_command', { command: 'echo by terminal' });
      const request = await waitingOne();
      await until(() => {
        own.press('d');
        return server.approvals.waiting().length === 0;
      }, 'the terminal takes the key once it can have been read');
      assert.equal(await answer(request.id, 'allow'), 409);
      assert.match(await textOf(second), /DENIED/);
    } finally {
      own.stop();
    }
  });

  test('both at the very same time: one of them decides, once', async () => {
    for (let round = 0; round < 10; round++) {
      const pending = server.call('run_command', { command: `echo round ${round}` });
      const { id } = await waitingOne();
      const [byPage, byTerminal] = await Promise.all([
        answer(id, 'allow'),
        new Promise<boolean>((resolve) =>
          setTimeout(() => resolve(server.approvals.answer(id, 'deny')), round % 4),
        ),
      ]);
      assert.equal(byPage === 200, !byTerminal, 'exactly one was first');
      assert.equal((await pending).result.isError === true, byTerminal);
    }
  });

  test('always for a command prefix: here, for plain words, and for nothing else', async () => {
    const pending = server.call('run_command', { command: 'git status' });
    const request = await waitingOne();
    assert.equal(request.prefix, 'git status');
    assert.ok(request.expiresAt.getTime() > Date.now());
    assert.equal(await answer(request.id, 'always-prefix'), 200);
    await pending;
    await server.call('run_command', { command: 'git status --short' });
    await server.call('run_command', { command: 'git  status .', timeout: 5 });
    for (const command of [
      'git status; id',
      'git status && id',
      'git status $(id)',
      'git status > x',
      'git status\nid',
      'git log',
      'X=1 git status',
      'git -c alias.status=!id status',
    ]) {
      const asked = server.call('run_command', { command });
      const { id } = await waitingOne();
      await answer(id, 'deny');
      assert.match(await textOf(asked), /DENIED/, command);
    }
    const elsewhere = server.call('run_command', { command: 'git status', working_directory: '..' });
    await answer((await waitingOne()).id, 'deny');
    assert.match(await textOf(elsewhere), /DENIED/);
  });

  test('the terminal offers the words by a key of their own, and only where there are any', async () => {
    const own = terminal();
    try {
      const risky = server.call('run_command', { command: 'rm -rf x' });
      await waitingOne();
      assert.doesNotMatch(own.text(), /\[p\]/);
      const deniedBy = server.approvals.waiting()[0]!.id;
      await new Promise((resolve) => setTimeout(resolve, 450)); // keys pressed before it can be read do not count
      own.press('p');
      assert.equal(server.approvals.waiting()[0]?.id, deniedBy, 'the key means nothing here');
      await answer(deniedBy, 'deny');
      await risky;
      const pending = server.call('run_command', { command: 'npm ls' });
      await waitingOne();
      assert.match(own.text(), /begin with \[p\] {2}npm ls …/);
      await until(() => {
        own.press('p');
        return server.approvals.waiting().length === 0;
      }, 'the key is taken');
      await pending;
      await server.call('run_command', { command: 'npm ls --all' });
    } finally {
      own.stop();
    }
  });

  test('a waiting call can be stopped, and waits no more', async () => {
    const pending = server.call('run_command', { command: 'echo stopped' });
    await waitingOne();
    const [call] = server.calls.running();
    assert.equal((await server.post(page, `/page/calls/${call!.id}/stop`)).status, 200);
    assert.match(await textOf(pending), /CANCELLED/);
  });
});
