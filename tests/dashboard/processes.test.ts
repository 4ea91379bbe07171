import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { processesModel, processOutput } from '../../src/dashboard/sources/processes.ts';
import { type Page, type PageServer, startPage, until } from './support/page-server.ts';

let server: PageServer;
let page: Page;
before(async () => {
  server = await startPage();
  page = await server.login();
});
after(() => server.close());

async function startProcess(command: string): Promise<string> {
  const { result } = await server.call('start_process', { command });
  return JSON.parse(result.content[0]!.text).data.process_id as string;
}

describe('processes on the page', () => {
  test('are listed with their shells; output is read on from its cursor, input goes in, stop ends them', async () => {
    const id = await startProcess('cat');
    const listed = (await processesModel(server.parts)).processes.find((one) => one.id === id);
    assert.deepEqual([listed?.command, listed?.state], ['cat', 'running']);
    assert.equal((await processesModel(server.parts)).shells.length, 1);
    assert.equal((await server.post(page, `/page/processes/${id}/input`, { text: 'hello\n' })).status, 200);
    let output = await processOutput(server.parts, id, undefined);
    await until(async () => {
      output = await processOutput(server.parts, id, undefined);
      return output.stdout === 'hello\n';
    }, 'the input came back');
    const nothingNew = await processOutput(server.parts, id, output.cursor);
    assert.deepEqual([nothingNew.stdout, nothingNew.remainingBytes], ['', 0]);
    assert.equal((await server.post(page, `/page/processes/${id}/stop`)).status, 200);
    assert.equal((await processOutput(server.parts, id, output.cursor)).process.state, 'exited');
  });

  test('a look at the page shows nothing to the model: its wait for output that it has not seen ends at once', async () => {
    const id = await startProcess('echo ready; exec cat');
    await until(
      async () => (await processOutput(server.parts, id, undefined)).stdout === 'ready\n',
      'it has printed',
    );
    const startedAt = performance.now();
    const { result } = await server.call('process_output', { id, wait_ms: 20_000 });
    assert.match(result.content[0]!.text, /ready/);
    assert.ok(performance.now() - startedAt < 10_000, 'it did not wait for more');
    await server.post(page, `/page/processes/${id}/stop`);
  });

  test('a line of input is offered where it is read, and nowhere else', async () => {
    const html = async (id: string) => (await server.get(page, `/page/processes/${id}`)).text();
    const reads = await startProcess('cat');
    assert.match(await html(reads), /<form/);
    const { result } = await server.call('run_command', { command: 'sleep 60', yield_ms: 100 });
    const deaf = JSON.parse(result.content[0]!.text.split('\n\n')[0]!).data.process_id as string;
    const shown = await html(deaf);
    assert.match(shown, /state running/);
    assert.doesNotMatch(shown, /<form/);
    for (const id of [reads, deaf]) {
      assert.equal((await server.post(page, `/page/processes/${id}/stop`)).status, 200);
      assert.doesNotMatch(await html(id), /<form/);
    }
  });

  test('escape sequences in the output stay harmless', async () => {
    const id = await startProcess(
      String.raw`printf '\033]0;title\007\033[31m<script>alert(1)</script>\033[2J\033[?1049h\033[5;5H\000\001end'`,
    );
    await until(
      async () => (await processOutput(server.parts, id, undefined)).process.state === 'exited',
      'it has ended',
    );
    for (const path of [`/page/processes/${id}`, `/page/processes/${id}/output`]) {
      const html = await (await server.get(page, path)).text();
      assert.ok(html.includes('&lt;script&gt;alert(1)&lt;/script&gt;'), html);
      assert.doesNotMatch(html, /<script|[\u0000\u0007\u001b]/);
    }
  });

  test('that are not known are told so', async () => {
    assert.equal((await server.get(page, '/page/processes/pnone')).status, 404);
    for (const action of ['stop', 'input']) {
      const answer = await server.post(page, `/page/processes/pnone/${action}`, { text: 'x' });
      assert.equal(answer.status, 404);
    }
  });
});
