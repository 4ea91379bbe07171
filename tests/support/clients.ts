import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** A real MCP client, reduced to what the tests do with it. */
export interface TestClient {
  readonly kind: ClientKind;
  instructions(): string | undefined;
  listTools(): Promise<{ name: string; outputSchema?: unknown; annotations?: Record<string, unknown> }[]>;
  call(name: string, args?: Record<string, unknown>): Promise<ToolReply>;
  close(): Promise<void>;
}

export const CLIENT_KINDS = ['v1', 'v2 auto', 'v2 legacy'] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** A tool result, taken apart: the envelope of the first line, the bulk after the empty line. */
export interface ToolReply {
  readonly ok: boolean;
  readonly summary: string;
  readonly data: Record<string, unknown> & { error?: { code: string; message: string; hint: string } };
  readonly bulk: string;
  readonly isError: boolean;
  readonly structured: Record<string, unknown> | undefined;
  readonly content: readonly Record<string, unknown>[];
}

export type Endpoint =
  | { readonly url: string }
  | {
      readonly command: string;
      readonly args: string[];
      readonly cwd: string;
      readonly env?: Record<string, string>;
    };

const CALL_TIMEOUT_MS = 60_000;

export async function connect(kind: ClientKind, endpoint: Endpoint): Promise<TestClient> {
  const info = { name: `test ${kind}`, version: '1.0.0' };
  const client =
    kind === 'v1'
      ? new ClientV1(info)
      : new ClientV2(info, { versionNegotiation: { mode: kind === 'v2 auto' ? 'auto' : 'legacy' } });
  const stdio =
    'command' in endpoint
      ? { ...endpoint, env: { ...processEnv(), ...endpoint.env }, stderr: 'pipe' as const }
      : undefined;
  if (client instanceof ClientV1) {
    await client.connect(stdio ? new StdioV1(stdio) : new HttpV1(new URL((endpoint as { url: string }).url)));
  } else {
    await client.connect(stdio ? new StdioV2(stdio) : new HttpV2(new URL((endpoint as { url: string }).url)));
  }
  return {
    kind,
    instructions: () => client.getInstructions(),
    listTools: async () => (await client.listTools()).tools as Awaited<ReturnType<TestClient['listTools']>>,
    async call(name, args = {}) {
      const result =
        client instanceof ClientV1
          ? await client.callTool({ name, arguments: args }, undefined, { timeout: CALL_TIMEOUT_MS })
          : await client.callTool({ name, arguments: args }, { timeout: CALL_TIMEOUT_MS });
      return toReply(
        result as { content: Record<string, unknown>[]; isError?: boolean; structuredContent?: object },
      );
    },
    close: () => client.close(),
  };
}

/** Takes a tool result apart. */
export function toReply(result: {
  content: readonly Record<string, unknown>[];
  isError?: boolean;
  structuredContent?: object;
}): ToolReply {
  const text = String(result.content[0]?.['text'] ?? '');
  const end = text.indexOf('\n\n');
  const envelope = JSON.parse(end < 0 ? text : text.slice(0, end)) as Pick<
    ToolReply,
    'ok' | 'summary' | 'data'
  >;
  return {
    ...envelope,
    bulk: end < 0 ? '' : text.slice(end + 2),
    isError: result.isError === true,
    structured: result.structuredContent as Record<string, unknown> | undefined,
    content: result.content,
  };
}

function processEnv(): Record<string, string> {
  // A test runner that is started by a tool would otherwise take itself for a part of this one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
