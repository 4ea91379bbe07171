import { type AuthStore, randomToken, systemRandom } from '../../auth/index.ts';

/**
 * The key that seals what goes through browsers, the same in every process and isolate of a relay.
 * @param secret of the environment; without one it is made once and kept in the database
 */
export async function sealingKey(secret: string | undefined, store: AuthStore): Promise<Uint8Array> {
  const text = secret || (await store.secrets.getOr('relay-seal', randomToken(systemRandom)));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`relay-seal ${text}`));
  return new Uint8Array(digest);
}
