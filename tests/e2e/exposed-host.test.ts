import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runToEnd, shapesUnderTest, startServer } from '../support/programs.ts';

const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

// 127.0.0.2 is loopback too, but none of the names that the private listener goes by: it stands for a network address.
const HOST = '127.0.0.2';

for (const shape of shapesUnderTest()) {
  describe(`a host that others can reach: ${shape}`, { timeout: 60_000 }, () => {
    test('nobody gets in without a token, and strangers learn nothing', async (t) => {
      if (process.platform !== 'linux') return t.skip('only on Linux is all of 127.0.0.0/8 there');
      const folder = await mkdtemp(join(tmpdir(), 'lc-host-'));
      const server = await startServer({ shape, cwd: folder, args: ['--host', HOST] });
      try {
        const origin = `http://${HOST}:${server.port}`;
        const url = `${origin}/mcp`;
        assert.match(server.stdout, new RegExp(`Address {3}${url}`));
        const refused = await fetch(url, { method: 'POST', headers, body: call });
        assert.equal(refused.status, 401);
        assert.match(
          refused.headers.get('www-authenticate') ?? '',
          /^Bearer resource_metadata="http:\/\/127\.0\.0\.2:\d+\//,
        );
        const forged = await fetch(url, {
          method: 'POST',
          headers: { ...headers, authorization: 'Bearer x' },
          body: call,
        });
        assert.match(forged.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
        for (const path of ['/health', '/', '/files/x/y', '/mcp/secret']) {
          const answer = await fetch(origin + path);
          assert.ok([404, 401].includes(answer.status), `${path} ${answer.status}`);
          assert.doesNotMatch(await answer.text(), /local-coder|full|0\.1/);
        }
      } finally {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
      }
    });

    test('--auth none is refused there', async () => {
      const ended = await runToEnd({
        shape,
        args: ['--host', HOST, '--auth', 'none', '--port', '0'],
      });
      assert.equal(ended.exitCode, 2);
      assert.match(ended.stderr, /--auth none is not possible with --host 127\.0\.0\.2/);
    });
  });
}
