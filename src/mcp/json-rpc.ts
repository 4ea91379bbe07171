import { VERSION } from '../runtime/version.ts';
import { PlainAnswer } from './plain-answer.ts';

export type Json = Record<string, unknown>;

/** Who we are, in every era. */
export const SERVER_INFO = { name: 'local-coder', version: VERSION } as const;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a message with the per-request envelope of 2026-07-28. */
export function isModern(message: Json | undefined): boolean {
  const params = isObject(message?.['params']) ? message['params'] : undefined;
  const meta = isObject(params?.['_meta']) ? params['_meta'] : undefined;
  return meta !== undefined && 'io.modelcontextprotocol/protocolVersion' in meta;
}

/** An error that belongs to no request of the client's. */
export function jsonRpcError(
  status: number,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): PlainAnswer {
  return PlainAnswer.json(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }), {
    status,
    headers,
  });
}
