import assert from 'node:assert/strict';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ClientKind, connect, type TestClient } from '../support/clients.ts';
import { type RunningServer, shapesUnderTest, startServer } from '../support/programs.ts';
import { post } from '../support/test-server.ts';

const FULL = process.env['LOCAL_CODER_TEST_FULL'] === '1';
/** The line asks for 650 MB; the ordinary run makes do with less. */
const OUTPUT_MB = FULL ? 650 : 100;
const BATCHES = 7;
const CLIENTS_PER_BATCH = 150;

for (const shape of shapesUnderTest()) {
  describe(`many calls at once: ${shape}`, { timeout: 240_000 }, () => {
    let folder: string;
    let server: RunningServer;
    before(async () => {
      folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-load-')));
      server = await startServer({ shape, cwd: folder });
    });
    after(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test('50 edits of one file by 5 clients at once lose none', async () => {
      const lines = Array.from({ length: 50 }, (_, n) => `line ${n}: old`);
      await writeFile(join(folder, 'shared.txt'), `${lines.join('\n')}\n`);
      const kinds: ClientKind[] = ['v1', 'v2 auto', 'v2 legacy', 'v1', 'v2 auto'];
      const clients = await Promise.all(kinds.map((kind) => connect(kind, { url: server.url })));
      const edit = async (client: TestClient, n: number) => {
        const edited = await client.call('edit_file', {
          path: 'shared.txt',
          old_text: `line ${n}: old`,
          new_text: `line ${n}: new`,
        });
        assert.equal(edited.ok, true, JSON.stringify(edited.data));
      };
      await Promise.all(lines.map((_, n) => edit(clients[n % clients.length]!, n)));
      const expected = lines.map((line) => line.replace('old', 'new')).join('\n');
      assert.equal(await readFile(join(folder, 'shared.txt'), 'utf8'), `${expected}\n`);
      await Promise.all(clients.map((client) => client.close()));
    });

    test('50 commands of 0.2 s run side by side', async () => {
      const client = await connect('v2 auto', { url: server.url });
      const started = performance.now();
      const replies = await Promise.all(
        Array.from({ length: 50 }, (_, n) => client.call('run_command', { command: `sleep 0.2; echo ${n}` })),
      );
      const tookMs = performance.now() - started;
      replies.forEach((reply, n) => {
        assert.equal(reply.data['exit_code'], 0);
        assert.equal(reply.bulk.trim(), String(n));
      });
      assert.ok(tookMs < 3_000, `${Math.round(tookMs)} ms`);
      await client.close();
    });

    test('a read never waits for a running command, of the same client or another', async () => {
      await writeFile(join(folder, 'read.txt'), 'text\n');
      const [a, b] = await Promise.all([
        connect('v1', { url: server.url }),
        connect('v1', { url: server.url }),
      ]);
      let running = true;
      const command = a.call('run_command', { command: 'sleep 2' }).then(() => {
        running = false;
      });
      for (const client of [a, b, a, b]) {
        assert.equal((await client.call('read_text_file', { path: 'read.txt' })).bulk, 'text\n');
        assert.equal(running, true, 'the command still ran when the read was answered');
      }
      await command;
      await Promise.all([a.close(), b.close()]);
    });

    test(`${OUTPUT_MB} MB of output leave memory and answer bounded`, async () => {
      const client = await connect('v2 auto', { url: server.url });
      const before = await residentMb(server.pid);
      let peak = before;
      const watch = setInterval(
        () => void residentMb(server.pid).then((mb) => (peak = Math.max(peak, mb))),
        100,
      );
      try {
        const command = `head -c ${OUTPUT_MB * 1_000_000} /dev/zero | tr '\\0' 'x' | fold -w 99; echo the end`;
        let reply = await client.call('run_command', { command, yield_ms: 30_000 });
        assert.ok(reply.bulk.length <= 256 * 1024, `${reply.bulk.length} characters`);
        while (reply.data['exit_code'] === null) {
          const { process_id: id, cursor } = reply.data;
          reply = await client.call('process_output', { id, cursor, wait_ms: 30_000 });
          if (reply.data['running'] === false) break;
        }
        assert.match(reply.bulk, /the end/);
      } finally {
        clearInterval(watch);
      }
      assert.ok(peak - before < 100, `memory grew by ${Math.round(peak - before)} MB`);
      await client.close();
    });

    test('nothing is kept for clients that went away', async () => {
      const visit = async (n: number) => {
        const initialize = {
          protocolVersion: '2025-11-25',
          capabilities: {},
          clientInfo: { name: `visitor ${n}`, version: '1' },
        };
        await post(server.url, { jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize });
        await post(
          server.url,
          { jsonrpc: '2.0', id: 2, method: 'tools/list' },
          { 'mcp-session-id': `gone-${n}` },
        );
      };
      // Heaps and compiled code grow in steps of many MB, at any time after the output of the test before; what is
      // kept for a client grows with every batch. So the median of batches tells the one from the other.
      const grownKb: number[] = [];
      let memoryMb = await residentMb(server.pid);
      for (let batch = 0; batch < BATCHES; batch++) {
        for (let n = 0; n < CLIENTS_PER_BATCH; n++) await visit(batch * CLIENTS_PER_BATCH + n);
        const nowMb = await residentMb(server.pid);
        grownKb.push(((nowMb - memoryMb) * 1024) / CLIENTS_PER_BATCH);
        memoryMb = nowMb;
      }
      const medianKb = grownKb.toSorted((a, b) => a - b)[Math.floor(BATCHES / 2)]!;
      const rounded = grownKb.map(Math.round).join(', ');
      assert.ok(medianKb < 10, `KB for each of ${CLIENTS_PER_BATCH} clients, batch by batch: ${rounded}`);
    });
  });
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}
