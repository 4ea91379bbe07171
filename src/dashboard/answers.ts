import { PlainAnswer } from '../mcp/plain-answer.ts';

/** What the page may do in the browser: its own script, style sheet and requests, and nothing else at all. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types local-coder";

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

export type PageBody = ConstructorParameters<typeof PlainAnswer>[2];

/** An answer of the page, with the headers that every one of them has. */
export function answer(
  status: number,
  type: string | undefined,
  body?: PageBody,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const all = { ...HEADERS, ...(type === undefined ? {} : { 'content-type': type }), ...headers };
  // Hono passes on what a handler returns; the listener sends a PlainAnswer (see http/everyday.ts).
  return new PlainAnswer(status, all, body) as unknown as Response;
}

export function htmlAnswer(html: string, status = 200): Response {
  return answer(status, 'text/html; charset=utf-8', html, { vary: 'accept-language' });
}

export function jsonAnswer(body: unknown, status = 200): Response {
  return answer(status, 'application/json', JSON.stringify(body));
}

/** A request that is not answered: one sentence for who looks at it, a code for the script. */
export function refusal(status: number, code: string, message: string): Response {
  return jsonAnswer({ ok: false, code, message }, status);
}
