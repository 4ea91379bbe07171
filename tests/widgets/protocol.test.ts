import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import {
  getToolUiResourceUri,
  McpUiResourceMetaSchema,
  McpUiToolMetaSchema,
  RESOURCE_MIME_TYPE,
} from '@modelcontextprotocol/ext-apps/app-bridge';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { listedTool } from '../../src/mcp/tool-list.ts';
import { selectTools } from '../../src/tools/index.ts';
import { TOOL_VIEW } from '../../src/widgets/index.ts';
import { CLIENT_KINDS, type ClientKind } from '../support/clients.ts';
import {
  programEnvironment,
  type RunningServer,
  shapesUnderTest,
  startServer,
  stdioCommand,
} from '../support/programs.ts';
import { modern, post } from '../support/test-server.ts';

const KIB = 1024;
const VIEWED = ['apply_patch', 'edit_file', 'git_diff', 'run_command'];
const { uri } = TOOL_VIEW.resource;
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'host', version: '1' } },
};
const old = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params });

for (const shape of shapesUnderTest()) {
  describe(`--widgets: ${shape}`, () => {
    let folder: string;
    let server: RunningServer;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lc-widgets-'));
      server = await startServer({ shape, args: ['--workspace', folder, '--widgets'] });
    });
    after(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });

    for (const kind of CLIENT_KINDS) {
      test(`over HTTP with the ${kind} client`, async () => {
        const client = clientOf(kind);
        const url = new URL(server.url);
        await (client instanceof ClientV1
          ? client.connect(new HttpV1(url))
          : client.connect(new HttpV2(url)));
        await servesTheView(client);
      });
    }
    for (const kind of CLIENT_KINDS) {
      test(`over stdio with the ${kind} client`, async () => {
        const command = await stdioCommand(shape, ['--workspace', folder, '--widgets']);
        const parameters = { ...command, cwd: folder, env: environment(), stderr: 'pipe' as const };
        const client = clientOf(kind);
        await (client instanceof ClientV1
          ? client.connect(new StdioV1(parameters))
          : client.connect(new StdioV2(parameters)));
        await servesTheView(client);
      });
    }
  });
}

describe('--widgets on the wire', () => {
  let folder: string;
  let on: RunningServer;
  let off: RunningServer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lc-widgets-'));
    const start = (...args: string[]) => startServer({ args: ['--workspace', folder, ...args] });
    [on, off] = await Promise.all([start('--widgets'), start()]);
  });
  after(async () => {
    await Promise.all([on.stop(), off.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  test('off: every byte of the tool list and the capabilities is as if there were no view', async () => {
    const tools = selectTools('full').map((tool) => listedTool(tool, 'auto'));
    assert.equal(
      (await post(off.url, old('tools/list'))).text,
      `{"jsonrpc":"2.0","id":1,"result":{"tools":${JSON.stringify(tools)}}}`,
    );
    assert.match(
      (await post(off.url, initialize)).text,
      /^\{"jsonrpc":"2\.0","id":1,"result":\{"protocolVersion":"2025-11-25","capabilities":\{"tools":\{\}\},"serverInfo":/,
    );
    const discover = modern('server/discover', {});
    const discovered = await post(off.url, discover.message, discover.headers);
    assert.deepEqual(discovered.message.result?.['capabilities'], { tools: {} });
    for (const method of ['resources/list', 'resources/templates/list', 'resources/read']) {
      assert.equal((await post(off.url, old(method, { uri }))).message.error?.code, -32601, method);
      const { message, headers } = modern(method, { uri });
      assert.equal(
        (await post(off.url, message, { ...headers, 'mcp-name': uri })).message.error?.code,
        -32601,
      );
    }
  });

  test('on: the list differs by the address on four tools, and is still bounded', async () => {
    const [with_, without] = await Promise.all(
      [on, off].map(async ({ url }) => (await post(url, old('tools/list'))).text),
    );
    const address = `"_meta":{"ui":{"resourceUri":"${uri}"}}`;
    assert.equal(with_!.replaceAll(`,${address}`, ''), without);
    const added = Buffer.byteLength(with_!) - Buffer.byteLength(without!);
    assert.ok(added <= 400, `${added} bytes more`);
    assert.ok(Buffer.byteLength(without!) <= 36 * KIB);
    const { message, headers } = modern('tools/list', {});
    const { tools } = (await post(on.url, message, headers)).message.result as { tools: object[] };
    assert.deepEqual(tools, JSON.parse(with_!).result.tools);
  });

  test('on: declared in both eras, whatever the client declares', async () => {
    const declared = { tools: {}, resources: {}, extensions: { 'io.modelcontextprotocol/ui': {} } };
    assert.deepEqual((await post(on.url, initialize)).message.result?.['capabilities'], declared);
    const { message, headers } = modern('server/discover', {});
    const discovered = await post(on.url, message, headers);
    assert.deepEqual(discovered.message.result?.['capabilities'], declared);
  });

  test('an unknown resource is an error that names it, in both eras', async () => {
    const other = 'ui://local-coder/view-gone.html';
    const then = await post(on.url, old('resources/read', { uri: other }));
    assert.deepEqual([then.status, then.message.error?.code], [200, -32602]);
    assert.match(then.text, /view-gone/);
    const { message, headers } = modern('resources/read', { uri: other });
    const now = await post(on.url, message, { ...headers, 'mcp-name': other });
    assert.equal(now.message.error?.code, -32602);
    assert.ok((await post(on.url, old('resources/read', {}))).message.error);
    assert.equal((await post(on.url, old('resources/subscribe', { uri }))).message.error?.code, -32601);
  });

  test('results are the same: nothing is repeated for the view', async () => {
    const call = old('tools/call', { name: 'run_command', arguments: { command: 'echo hi' } });
    const [a, b] = await Promise.all(
      [on, off].map(async ({ url }) => (await post(url, call)).message.result),
    );
    const shape = (result: unknown) =>
      JSON.stringify(result).replace(/"duration_ms\\*":\d+|after [\d.]+ m?s|"process_id\\*":[^,]*/g, '');
    assert.equal(shape(a), shape(b));
    assert.deepEqual(Object.keys(a as object), ['content']);
  });

  test('no view where no tool has one: the viewer offers no resources', async () => {
    const viewer = await startServer({ args: ['--workspace', folder, '--tools', 'viewer', '--widgets'] });
    try {
      const { message } = await post(viewer.url, initialize);
      assert.deepEqual(message.result?.['capabilities'], { tools: {} });
    } finally {
      await viewer.stop();
    }
  });
});

function clientOf(kind: ClientKind): ClientV1 | ClientV2 {
  const info = { name: `host ${kind}`, version: '1.0.0' };
  // A host says that it can show views; the specification wants the types that it shows.
  const capabilities = { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: [RESOURCE_MIME_TYPE] } } };
  if (kind === 'v1') return new ClientV1(info, { capabilities });
  return new ClientV2(info, {
    capabilities,
    versionNegotiation: { mode: kind === 'v2 auto' ? 'auto' : 'legacy' },
  });
}

async function servesTheView(client: ClientV1 | ClientV2): Promise<void> {
  try {
    assert.deepEqual(client.getServerCapabilities()?.resources, {});
    const { tools } = await client.listTools();
    const viewed = tools.filter(({ _meta }) => _meta?.['ui'] !== undefined);
    assert.deepEqual(viewed.map(({ name }) => name).sort(), VIEWED);
    for (const tool of viewed) {
      McpUiToolMetaSchema.parse(tool._meta?.['ui']);
      assert.equal(getToolUiResourceUri(tool as Parameters<typeof getToolUiResourceUri>[0]), uri);
    }
    const { resources } = await client.listResources();
    assert.deepEqual(
      resources.map((resource) => [resource.uri, resource.mimeType]),
      [[uri, RESOURCE_MIME_TYPE]],
    );
    assert.deepEqual((await client.listResourceTemplates()).resourceTemplates, []);
    const { contents } = await client.readResource({ uri });
    const [content] = contents as {
      uri: string;
      mimeType?: string;
      text?: string;
      _meta?: { ui?: unknown };
    }[];
    assert.equal(contents.length, 1);
    assert.equal(content?.uri, uri);
    assert.equal(content?.mimeType, RESOURCE_MIME_TYPE);
    assert.match(content?.text ?? '', /^<!doctype html>/);
    const hash = createHash('sha256')
      .update(content?.text ?? '')
      .digest('hex');
    assert.ok(uri.includes(`-${hash.slice(0, 10)}.`), 'the address is that of the content');
    const meta = McpUiResourceMetaSchema.parse(content?._meta?.ui);
    assert.deepEqual(meta, { csp: { connectDomains: [], resourceDomains: [] }, prefersBorder: true });
  } finally {
    await client.close();
  }
}

function environment(): Record<string, string> {
  const all = Object.entries(programEnvironment());
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
