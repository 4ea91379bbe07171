import { createHash, randomBytes } from 'node:crypto';

/** What tells one client's requests from another's, as far as the client says it. */
export interface ClientIdentity {
  readonly name: string;
  readonly version: string;
}

const SESSION_ID = /^([\w.%-]{1,80})~([\w.%-]{1,40})~([\w-]{22})$/;
/** Claude on the web and on the desktop may use one session id for several conversations (clients.md, "Others"). */
const SHARES_SESSIONS = /^claude(-ai|-desktop)?$|^anthropic/i;

/**
 * A session id that carries the client's name and version and a random part, so that nothing has to be stored for
 * it: it is answered before and after a restart alike.
 */
export function mintSessionId(client: ClientIdentity): string {
  return `${token(client.name, 80)}~${token(client.version, 40)}~${randomBytes(16).toString('base64url')}`;
}

/** The client that a session id of ours was made for; undefined for anybody else's id. */
export function clientOfSessionId(sessionId: string): ClientIdentity | undefined {
  const match = SESSION_ID.exec(sessionId);
  if (match === null) return undefined;
  return { name: decodeToken(match[1]!), version: decodeToken(match[2]!) };
}

/**
 * The hashed key of the conversation that a request belongs to: `_meta["openai/session"]`, else the session id that
 * we minted, else none (tools.md, "Conversation"). It names the default shell and filters recent_calls.
 */
export function conversationKey(
  meta: Record<string, unknown> | undefined,
  sessionId: string | undefined,
): string | undefined {
  const openai = meta?.['openai/session'];
  if (typeof openai === 'string' && openai !== '') return hash(`openai\0${openai}`);
  const client = sessionId === undefined ? undefined : clientOfSessionId(sessionId);
  if (sessionId === undefined || client === undefined || SHARES_SESSIONS.test(client.name)) return undefined;
  return hash(`session\0${sessionId}`);
}

function hash(value: string): string {
  return createHash('sha256').update(value).digest('hex').slice(0, 16);
}

function token(value: string, maxLength: number): string {
  const encoded = encodeURIComponent(value.toWellFormed()).replace(/[^\w.%-]/g, '_');
  return encoded.slice(0, maxLength).replace(/%.?$/, '') || 'unknown';
}

function decodeToken(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // cut inside a multi-byte character
  }
}
