import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { after, before, describe, test } from 'node:test';
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { lastMessage, modern, post, startTestServer, type TestServer } from '../support/test-server.ts';

const call = (name: string, args: object, id: string | number = 1) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'some client', version: '1.2' },
  },
};

/** Resolves when the condition holds; the test's own timeout bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('MCP over HTTP', { timeout: 60_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  test('any session id, ours, stale or malformed, is answered alike', async () => {
    for (const headers of [{}, { 'mcp-session-id': 'stale-1234' }, { 'mcp-session-id': '\u00ff~~' }]) {
      const answer = await post(server.url, call('echo', { text: 'hi' }), headers as Record<string, string>);
      assert.equal(answer.status, 200);
      assert.match(JSON.stringify(answer.message), /hi/);
    }
  });

  test('initialize mints a session id that names the client and keeps nothing', async () => {
    const answer = await post(server.url, initialize);
    const id = answer.headers.get('mcp-session-id');
    assert.match(id ?? '', /^some%20client~1\.2~[\w-]{22}$/);
    assert.equal(answer.message.result?.['protocolVersion'], '2025-06-18');
    assert.equal(answer.message.result?.['instructions'], 'Test instructions.');
    await post(server.url, call('echo', { text: 'x' }), { 'mcp-session-id': id! });
    assert.equal(server.lines.at(-1)?.client, 'some client 1.2');
    assert.match(server.contexts.at(-1)?.conversation ?? '', /^[0-9a-f]{16}$/);
  });

  test('every 2025-era revision is negotiated', async () => {
    for (const protocolVersion of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
      const answer = await post(server.url, {
        ...initialize,
        params: { ...initialize.params, protocolVersion },
      });
      assert.equal(answer.message.result?.['protocolVersion'], protocolVersion);
    }
  });

  test("ChatGPT's opening exchange: discover, list, call, all on 2026-07-28", async () => {
    const headers = { 'user-agent': 'openai-mcp/1.0.0' };
    const discover = modern('server/discover', {}, 'openai-mcp-discover');
    const discovered = await post(server.url, discover.message, { ...discover.headers, ...headers });
    assert.equal(discovered.status, 200);
    assert.equal(discovered.message['id'], 'openai-mcp-discover');
    assert.deepEqual(discovered.message.result?.['supportedVersions'], ['2026-07-28']);
    assert.equal(discovered.message.result?.['instructions'], 'Test instructions.');
    const list = modern('tools/list', {}, 2);
    const listed = await post(server.url, list.message, { ...list.headers, ...headers });
    assert.equal((listed.message.result as { tools: unknown[] }).tools.length, 4);
    const echo = modern(
      'tools/call',
      { name: 'echo', arguments: { text: 'hi' }, _meta: { 'openai/session': 's1' } },
      3,
    );
    const echoed = await post(server.url, echo.message, { ...echo.headers, ...headers });
    assert.equal(echoed.status, 200);
    assert.match(echoed.text, /hi/);
    assert.match(server.contexts.at(-1)?.conversation ?? '', /^[0-9a-f]{16}$/);
  });

  test('ChatGPT falls back: a discover that is refused, then initialize', async () => {
    const discover = await post(server.url, {
      jsonrpc: '2.0',
      id: 'openai-mcp-discover',
      method: 'server/discover',
      params: {},
    });
    assert.equal(discover.status, 200);
    assert.equal(discover.message.error?.code, -32601);
    assert.equal((await post(server.url, initialize)).message.result?.['protocolVersion'], '2025-06-18');
  });

  test('unknown methods: -32601, HTTP 200 in the 2025 era and 404 in 2026-07-28', async () => {
    const old = await post(server.url, { jsonrpc: '2.0', id: 5, method: 'no/such' });
    assert.deepEqual([old.status, old.message.error?.code], [200, -32601]);
    const { message, headers } = modern('no/such', {}, 5);
    const now = await post(server.url, message, headers);
    assert.deepEqual([now.status, now.message.error?.code], [404, -32601]);
  });

  test('GET and DELETE are answered at once, and a POST after DELETE too', async () => {
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(server.url, {
        method,
        headers: { accept: 'text/event-stream', 'mcp-session-id': 'x' },
      });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get('allow'), 'POST');
      assert.match(await response.text(), /^\{"jsonrpc"/);
    }
    assert.equal(
      (await post(server.url, call('echo', { text: 'still' }), { 'mcp-session-id': 'x' })).status,
      200,
    );
  });

  test('bad bodies get JSON-RPC errors, never HTML, never a stack', async () => {
    const bad = await post(server.url, '{"jsonrpc": ');
    assert.deepEqual([bad.status, bad.message.error?.code], [400, -32700]);
    for (const body of ['[]', '1', 'null', '"x"', '{}', '{"jsonrpc":"1.0","id":1,"method":"x"}']) {
      const answer = await post(server.url, body);
      assert.ok(answer.status >= 400 && answer.status < 500, `${body} → ${answer.status}`);
      assert.doesNotMatch(answer.text, /<html|\bat .*\.ts:/i);
      assert.equal(typeof answer.message.error?.code, 'number');
    }
    const deep = await post(server.url, '['.repeat(100_000));
    assert.equal(deep.status, 400);
  });

  test('a body over the limit is refused with 413 before it is read', async () => {
    const request = httpRequest(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': String(33 * 1024 * 1024) },
    });
    request.on('error', () => {}); // the server may close the connection
    request.flushHeaders();
    const [response] = await once(request, 'response');
    assert.equal(response.statusCode, 413);
    request.destroy();
  });

  test('a chunked body over the limit is refused with 413', async () => {
    const request = httpRequest(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    request.on('error', () => {});
    const answered = once(request, 'response');
    const chunk = Buffer.alloc(1024 * 1024, 0x20);
    let sent = 0;
    const pump = () => {
      while (sent < 40 && request.write(chunk)) sent++;
      if (sent++ < 40) request.once('drain', pump);
    };
    pump();
    const [response] = await answered;
    assert.equal(response.statusCode, 413);
    request.destroy();
  });

  test('unknown tools and parameters are refused with the closest name', async () => {
    const tool = await post(server.url, call('ecko', {}));
    assert.match(tool.text, /UNKNOWN_TOOL/);
    assert.match(tool.text, /Did you mean [\\"]+echo/);
    const parameter = await post(server.url, call('echo', { text: 'x', time: 2 }));
    assert.match(parameter.text, /INVALID_PARAMS/);
    assert.match(parameter.text, /did you mean [\\"]+times/);
    const proto = await post(server.url, call('echo', { text: 'x', constructor: 1 }));
    assert.match(proto.text, /INVALID_PARAMS/);
    const nullish = await post(server.url, call('echo', { text: 'x', times: null }));
    assert.match(nullish.text, /Echo\./);
  });

  test('bulk leaves the JSON line and follows it unescaped', async () => {
    const answer = await post(server.url, call('bulk', { out: 'a "quoted"\nline\n', err: 'oops' }));
    const result = answer.message.result as { content: { text: string }[]; structuredContent?: unknown };
    assert.equal(
      result.content[0]?.text,
      '{"ok":true,"tool":"bulk","summary":"Bulk.","data":{"exit_code":0}}\n\na "quoted"\nline\n[stderr]\noops',
    );
    assert.equal(result.structuredContent, undefined);
    const big = await post(server.url, call('bulk', { out: '€'.repeat(200_000) }));
    const text = (big.message.result as { content: { text: string }[] }).content[0]!.text;
    assert.ok(Buffer.byteLength(text) <= 256 * 1024);
    assert.match(text, /\n\[cut: \d+ of 600000 bytes\]$/);
    assert.doesNotMatch(text, /\ufffd/);
  });

  test('a defect in a tool is an envelope with INTERNAL_ERROR, and told to the operator', async () => {
    const answer = await post(server.url, call('broken', {}));
    assert.equal(answer.status, 200);
    assert.match(answer.text, /INTERNAL_ERROR/);
    assert.doesNotMatch(answer.text, /\.ts:\d+/);
    assert.ok(server.defects.some((defect) => defect instanceof TypeError));
  });

  test('a long call sends its first byte at once and progress as it comes', async () => {
    const params = { name: 'wait', arguments: { ms: 60_000 }, _meta: { progressToken: 7 } };
    const old = { message: { ...call('wait', {}, 'long'), params }, headers: {} };
    for (const { message, headers } of [old, modern('tools/call', params, 'long')]) {
      const started = performance.now();
      const abort = new AbortController();
      const response = await fetch(server.url, {
        method: 'POST',
        signal: abort.signal,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
        body: JSON.stringify(message),
      });
      assert.ok(performance.now() - started < 1_000, 'headers within a second');
      const reader = response.body!.getReader();
      let text = '';
      const first = async () => {
        while (!text.includes('"progress":1')) text += Buffer.from((await reader.read()).value!).toString();
      };
      await first();
      const context = server.contexts.at(-1)!;
      abort.abort();
      await until(() => context.abandoned.aborted);
      const isModern = 'mcp-method' in headers;
      assert.equal(context.signal.aborted, isModern, 'closing is a cancel in 2026-07-28 only');
    }
  });

  test('a progress token that is neither text nor number was sent back in notifications', async () => {
    for (const progressToken of [null, { a: 1 }, ['x'], true]) {
      const message = call('wait', { ms: 20 });
      const params = { ...message.params, _meta: { progressToken } };
      const answer = await post(server.url, { ...message, params });
      assert.doesNotMatch(answer.text, /notifications\/progress/);
      assert.match(answer.text, /Waited/);
    }
  });

  test('notifications/cancelled cancels when session and id match, and only then', async () => {
    const session = { 'mcp-session-id': 'client~1~AAAAAAAAAAAAAAAAAAAAAA' };
    const pending = post(server.url, call('wait', { ms: 50_000, note: 'mine' }, 11), session);
    const before = server.contexts.length;
    await until(() => server.contexts.length > before);
    const context = server.contexts.at(-1)!;
    const cancel = (requestId: number, headers: Record<string, string>) =>
      post(server.url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }, headers);
    assert.equal((await cancel(11, {})).status, 202);
    await cancel(11, { 'mcp-session-id': 'client~1~BBBBBBBBBBBBBBBBBBBBBB' });
    await cancel(12, session);
    assert.equal(context.signal.aborted, false);
    await cancel(11, session);
    assert.equal(context.signal.aborted, true);
    await pending;
  });

  test('the v1 client with its default GET stream, and the v2 client in both eras', async () => {
    const v1 = new ClientV1({ name: 'v1', version: '1' });
    await v1.connect(new TransportV1(new URL(server.url)));
    const v2 = new ClientV2({ name: 'v2', version: '1' });
    await v2.connect(new TransportV2(new URL(server.url)));
    for (const client of [v1, v2] as ClientV1[]) {
      assert.equal((await client.listTools()).tools.length, 4);
      const result = await client.callTool({ name: 'echo', arguments: { text: 'abc' } });
      assert.deepEqual((result.structuredContent as { data: unknown }).data, { text: 'abc' });
      await client.close();
    }
  });

  test('50 calls of one client run at the same time', async () => {
    const started = performance.now();
    await Promise.all(
      Array.from({ length: 50 }, (_, id) =>
        post(server.url, call('wait', { ms: 200, note: String(id) }, id)),
      ),
    );
    assert.ok(performance.now() - started < 3_000);
  });

  test('/health names the program and no path', async () => {
    const health = (await (await fetch(new URL('/health', server.url))).json()) as Record<string, unknown>;
    assert.deepEqual(Object.keys(health).sort(), ['access', 'name', 'uptime_seconds', 'version']);
  });

  test('lastMessage reads both forms', () => {
    assert.deepEqual(lastMessage('event: message\ndata: {"a":1}\n\n'), { a: 1 });
    assert.deepEqual(lastMessage('{"a":2}'), { a: 2 });
  });
});
