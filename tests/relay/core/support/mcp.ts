import assert from 'node:assert/strict';

export interface Envelope {
  readonly ok: boolean;
  readonly summary: string;
  readonly data: Record<string, unknown> & {
    readonly error?: { readonly code: string; readonly hint: string };
  };
  /** What follows the JSON line. */
  readonly bulk: string;
}

let nextId = 1;

/** One JSON-RPC request of the 2025 era. @returns the HTTP status and the message that answers it */
export async function rpc(
  relayUrl: string,
  token: string,
  method: string,
  params: Record<string, unknown>,
  init: RequestInit & { readonly id?: number } = {},
): Promise<{ status: number; message: { result?: Record<string, unknown>; error?: { code: number } } }> {
  const { id = nextId++, ...rest } = init;
  const response = await fetch(`${relayUrl}/mcp`, {
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
    ...rest,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      'mcp-protocol-version': '2025-11-25',
      ...rest.headers,
    },
  });
  const body = await response.text();
  const data = /^data: (\{.*"(?:result|error)".*)$/m.exec(body)?.[1] ?? body;
  return { status: response.status, message: data === '' ? {} : JSON.parse(data) };
}

/** Calls a tool. @returns its envelope */
export async function callTool(
  relayUrl: string,
  token: string,
  name: string,
  args: Record<string, unknown> = {},
  init: RequestInit & { readonly id?: number } = {},
): Promise<Envelope> {
  const { status, message } = await rpc(relayUrl, token, 'tools/call', { name, arguments: args }, init);
  assert.equal(status, 200, JSON.stringify(message));
  const content = message.result?.['content'] as { type: string; text: string }[];
  assert.equal(content[0]?.type, 'text', JSON.stringify(message));
  const [head = '', ...bulk] = content[0].text.split('\n\n');
  const envelope = JSON.parse(head) as Omit<Envelope, 'bulk'>;
  assert.equal(message.result?.['isError'] === true, !envelope.ok);
  return { ...envelope, bulk: bulk.join('\n\n') };
}

/** The error code that a call ended with, undefined when it did not fail. */
export async function codeOf(call: Promise<Envelope>): Promise<string | undefined> {
  return (await call).data.error?.code;
}
