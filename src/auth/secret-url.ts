import { type RandomBytes, randomToken, sameSecret, systemRandom } from './crypto.ts';
import type { AuthStore } from './store.ts';

const NAME = 'url';

/**
 * `--auth url`: MCP lives at `/mcp/<secret>`, for connectors set to "No authentication". Read from the store per
 * request, so that `token rotate` works on a running server.
 */
export class SecretUrl {
  readonly #store: AuthStore;
  readonly #random: RandomBytes;

  constructor(store: AuthStore, random: RandomBytes = systemRandom) {
    this.#store = store;
    this.#random = random;
  }

  /** The path with the secret, which is made when there is none. For a terminal only, never for a log. */
  async path(): Promise<string> {
    return `/mcp/${await this.#store.secrets.getOr(NAME, randomToken(this.#random))}`;
  }

  /** True when the segment after `/mcp/` is the secret. */
  async matches(segment: string): Promise<boolean> {
    const secret = await this.#store.secrets.get(NAME);
    // Without a secret the comparison is made all the same, with something that nothing equals.
    const same = await sameSecret(segment, secret ?? randomToken(this.#random));
    return same && secret !== undefined;
  }

  /** Makes a new secret; the old address is dead from now on. */
  async rotate(): Promise<string> {
    await this.#store.secrets.replace(NAME, randomToken(this.#random));
    return this.path();
  }
}

/** A request's path as a log may show it: what follows `/mcp/` is a secret or a guess at it. */
export function withoutSecret(path: string): string {
  return path.replace(/^(\/+mcp\/).+/i, '$1…');
}
