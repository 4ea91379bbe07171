import { tmpdir } from 'node:os';
import { z } from 'zod';
import { createApp } from '../../src/http/app.ts';
import { listen } from '../../src/http/listener.ts';
import type { RequestLine } from '../../src/http/request-log.ts';
import type { CallRecord } from '../../src/mcp/call.ts';
import { createMcpEndpoint } from '../../src/mcp/http.ts';
import { ToolRegistry } from '../../src/mcp/registry.ts';
import { CHANGES, defineTool, READS, type ToolContext, type ToolDefinition } from '../../src/tools/define.ts';
import type { Services } from '../../src/tools/services.ts';
import { FileOffers } from '../../src/transfer/index.ts';
import { Workspace } from '../../src/workspace/index.ts';

/** Small tools with which the protocol layer is tested without any domain behind it. */
export function fakeTools(seen: { contexts: ToolContext[] }): ToolDefinition[] {
  const echo = defineTool({
    name: 'echo',
    description: 'Answers with its text.',
    input: z.object({ text: z.string(), times: z.number().int().min(1).optional() }),
    output: () => z.object({ text: z.string() }),
    annotations: READS,
    handler: async ({ text, times }, context) => {
      seen.contexts.push(context);
      return { summary: 'Echo.', data: { text: text.repeat(times ?? 1) } };
    },
  });
  const bulk = defineTool({
    name: 'bulk',
    description: 'Answers with two bulk fields.',
    input: z.object({ out: z.string(), err: z.string().optional() }),
    output: () => z.object({ stdout: z.string(), stderr: z.string(), exit_code: z.number() }),
    annotations: READS,
    bulk: ['stdout', 'stderr'],
    handler: async ({ out, err }) => ({
      summary: 'Bulk.',
      data: { stdout: out, stderr: err ?? '', exit_code: 0 },
    }),
  });
  const wait = defineTool({
    name: 'wait',
    description: 'Waits until it is told to stop, or for some milliseconds.',
    input: z.object({ ms: z.number(), note: z.string().optional() }),
    output: () => z.object({ stopped: z.boolean() }),
    annotations: CHANGES,
    handler: (input, context) =>
      new Promise((resolve) => {
        seen.contexts.push(context);
        context.progress('started');
        const timer = setTimeout(() => resolve({ summary: 'Waited.', data: { stopped: false } }), input.ms);
        timer.unref(); // a call that nobody waits for must not hold the test process
        context.signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve({ summary: 'Stopped.', data: { stopped: true } });
        });
      }),
  });
  const broken = defineTool({
    name: 'broken',
    description: 'Throws what no tool should throw.',
    input: z.object({}),
    output: () => z.object({}),
    annotations: READS,
    handler: async () => {
      throw new TypeError('undefined is not a function');
    },
  });
  // The registry takes tools of any input; a concrete handler wants its own.
  return [echo, bulk, wait, broken] as unknown as ToolDefinition[];
}

/** A listener on a free loopback port with the fake tools (or given ones) behind it. */
export async function startTestServer(tools?: readonly ToolDefinition[]) {
  const seen = { contexts: [] as ToolContext[] };
  const calls: CallRecord[] = [];
  const lines: RequestLine[] = [];
  const defects: unknown[] = [];
  const registry = new ToolRegistry({
    tools: tools ?? fakeTools(seen),
    services: {} as Services, // the fake tools use none
    form: 'auto',
    onCall: (record) => calls.push(record),
    onDefect: (_tool, error) => defects.push(error),
  });
  const mcp = createMcpEndpoint({
    registry,
    instructions: async () => 'Test instructions.',
    onError: () => {},
  });
  const workspace = new Workspace({ roots: [tmpdir()], accessMode: 'full', protectedPaths: [] });
  const offers = new FileOffers();
  let port = 0;
  const app = createApp({
    mcp,
    workspace,
    offers,
    port: () => port,
    onRequest: (line) => lines.push(line),
    onError: (error) => defects.push(error),
  });
  const listener = await listen(app.fetch, { host: '127.0.0.1', port: 0 });
  port = listener.port;
  offers.setBaseUrl(`http://127.0.0.1:${port}`);
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    registry,
    workspace,
    offers,
    contexts: seen.contexts,
    calls,
    lines,
    defects,
    async close() {
      await mcp.close();
      await listener.close(0);
    },
  };
}

export type TestServer = Awaited<ReturnType<typeof startTestServer>>;

/** POSTs one JSON-RPC message of the 2025 era and returns status, headers and the answered message. */
export async function post(url: string, message: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof message === 'string' ? message : JSON.stringify(message),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, message: lastMessage(text) };
}

/** The last JSON-RPC message of a body, be it JSON or an event stream. */
export function lastMessage(
  body: string,
): Record<string, unknown> & { result?: Record<string, unknown>; error?: { code: number } } {
  if (!/^(event|data|:|id)/m.test(body) || body.startsWith('{')) return body === '' ? {} : JSON.parse(body);
  const data = body.split('\n').filter((line) => line.startsWith('data: ') && line.length > 6);
  return JSON.parse(data.at(-1)!.slice(6));
}

/** A message with the envelope that 2026-07-28 wants on each request, and its headers. */
export function modern(method: string, params: Record<string, unknown>, id: string | number = 1) {
  const message = {
    jsonrpc: '2.0',
    id,
    method,
    params: {
      ...params,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'openai-mcp', version: '1.0.0' },
        'io.modelcontextprotocol/clientCapabilities': {},
        ...(params['_meta'] as object | undefined),
      },
    },
  };
  const headers: Record<string, string> = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
  if (typeof params['name'] === 'string') headers['mcp-name'] = params['name'];
  return { message, headers };
}
