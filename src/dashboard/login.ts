import { RateLimit } from '../auth/index.ts';
import { jsonAnswer, refusal } from './answers.ts';
import type { LinkTable } from './link-table.ts';
import { hashOf } from './login-links.ts';
import type { DashboardParts } from './parts.ts';
import type { Sessions } from './sessions.ts';

/** Wrong tokens that are told so; after them the answer is to come back later. */
const WRONG = { max: 20, windowMs: 60_000 };
const TOKEN = /^[\w-]{43}$/;

/**
 * The login: a one-time token for a session. A right token always gets in, however many wrong ones came before: whoever
 * guesses at 256 bits must not be able to lock the owner out.
 */
export function createLogin(
  parts: Pick<DashboardParts, 'links' | 'owner' | 'stateDir' | 'onLogin'>,
  sessions: Sessions,
) {
  const wrong = new RateLimit(WRONG);
  let table: Promise<LinkTable> | undefined;

  const takeFromTable = async (hash: string): Promise<boolean> => {
    table ??= import('./link-table.ts').then(({ openLinkTable }) => openLinkTable(parts.stateDir));
    table.catch(() => {
      table = undefined;
    });
    return (await table).take(await parts.owner(), hash);
  };

  return {
    async login(body: unknown): Promise<Response> {
      const token = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
      if (typeof token === 'string' && TOKEN.test(token)) {
        const hash = hashOf(token);
        if (parts.links.take(hash) || (await takeFromTable(hash))) {
          parts.onLogin();
          return jsonAnswer({ ok: true, ...sessions.open(), name: 'local-coder' });
        }
      }
      if (!wrong.take('', Date.now())) {
        return refusal(429, 'TOO_MANY', 'Too many wrong links; try again in a minute.');
      }
      return refusal(
        401,
        'LINK_USED',
        'This link was used already, has expired, or is of another server; local-coder page prints a new one.',
      );
    },

    async close(): Promise<void> {
      (await table?.catch(() => undefined))?.close();
    },
  };
}
