import { OAuthError, randomToken, Seal, s256, sha256, systemRandom } from '../../auth/index.ts';
import type { User, Users } from './users.ts';

/** What a form or a redirect carries through a browser, unchanged and for a while. */
interface Carried {
  readonly for: string;
  /** SHA-256 of the browser's own cookie: another browser cannot use it. */
  readonly browser: string;
  readonly expiresMs: number;
  readonly value: unknown;
}

const CARRY_MS = 10 * 60_000;

/** The browser's side of the relay: who is signed in, and what it carries between two pages. */
export class Browser {
  readonly #users: Users;
  readonly #seal: Seal<Carried>;
  readonly #secure: boolean;
  readonly #origin: string;
  readonly #now: () => number;

  /** @param key 32 bytes, the same in every process and isolate of this relay */
  constructor(options: {
    readonly users: Users;
    readonly key: Uint8Array;
    readonly publicUrl: string;
    readonly now: () => number;
  }) {
    this.#users = options.users;
    this.#seal = new Seal(() => options.key);
    this.#origin = new URL(options.publicUrl).origin;
    this.#secure = this.#origin.startsWith('https:');
    this.#now = options.now;
  }

  async user(request: Request): Promise<User | undefined> {
    const token = this.#cookie(request, 'session');
    return token === undefined ? undefined : this.#users.ofSession(token, this.#now());
  }

  /** Signs the browser in. @returns the headers that do it */
  async signIn(userId: string): Promise<Record<string, string>> {
    const { token, maxAgeMs } = await this.#users.openSession(userId, this.#now());
    return { 'set-cookie': this.#setCookie('session', token, maxAgeMs) };
  }

  async signOut(request: Request): Promise<Record<string, string>> {
    const token = this.#cookie(request, 'session');
    if (token !== undefined) await this.#users.closeSession(token);
    return { 'set-cookie': this.#setCookie('session', '', 0) };
  }

  /**
   * Puts a value into the hands of this browser.
   * @param purpose a value carried for one thing is worth nothing for another
   * @returns the text; the headers that make the browser known where it is not yet; and its secret for the purpose
   */
  async carry(
    request: Request,
    purpose: string,
    value: unknown,
  ): Promise<{
    readonly sealed: string;
    readonly headers: Record<string, string>;
    readonly secret: string;
  }> {
    const known = this.#cookie(request, 'browser');
    const browser = known ?? randomToken(systemRandom);
    const sealed = await this.#seal.close({
      for: purpose,
      browser: await sha256(browser),
      expiresMs: this.#now() + CARRY_MS,
      value,
    });
    const headers: Record<string, string> =
      known === undefined ? { 'set-cookie': this.#setCookie('browser', browser, 24 * 60 * 60_000) } : {};
    return { sealed, headers, secret: await secretOf(browser, purpose) };
  }

  /** @throws {OAuthError} for what was not carried by this browser for this purpose, or too long ago */
  async carried(request: Request, purpose: string, sealed: string | undefined): Promise<unknown> {
    const content = await this.#seal.open(sealed ?? '');
    const browser = this.#cookie(request, 'browser');
    const ours =
      content !== undefined &&
      browser !== undefined &&
      content.for === purpose &&
      content.expiresMs > this.#now() &&
      content.browser === (await sha256(browser));
    if (ours) return content.value;
    throw new OAuthError(
      'invalid_request',
      'This page is too old, or was made for another browser, or cookies are off.',
      403,
    );
  }

  /** What only this relay and this browser know, for one purpose; the same that carry gave. */
  async secret(request: Request, purpose: string): Promise<string | undefined> {
    const browser = this.#cookie(request, 'browser');
    return browser === undefined ? undefined : secretOf(browser, purpose);
  }

  /** Refuses a form of another site before it is read. @throws {OAuthError} */
  ownForm(request: Request): void {
    const origin = request.headers.get('origin');
    const site = request.headers.get('sec-fetch-site');
    const foreign = origin !== null && origin !== this.#origin;
    if (foreign || (site !== null && site !== 'same-origin' && site !== 'none')) {
      throw new OAuthError('invalid_request', 'The form was not sent by a page of this relay.', 403);
    }
  }

  /** `__Host-`: no other host, not even a subdomain, can set it. Plain http (loopback alone) cannot have such cookies. */
  #name(name: string): string {
    return `${this.#secure ? '__Host-' : ''}local-coder-relay-${name}`;
  }

  #setCookie(name: string, value: string, maxAgeMs: number): string {
    const secure = this.#secure ? '; Secure' : '';
    // Lax: the client's page and GitHub lead here by links.
    return `${this.#name(name)}=${value}; Path=/; Max-Age=${Math.floor(maxAgeMs / 1000)}; HttpOnly; SameSite=Lax${secure}`;
  }

  #cookie(request: Request, name: string): string | undefined {
    const prefix = `${this.#name(name)}=`;
    const pairs = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
    const value = pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length);
    return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined;
  }
}

function secretOf(browser: string, purpose: string): Promise<string> {
  return s256(`${purpose} ${browser}`);
}

/** Where to go after signing in: a page of this relay, whatever was asked for. */
export function returnPath(asked: string | null | undefined): string {
  return asked !== null && asked !== undefined && /^\/authorize\?[\x21-\x7e]{1,8192}$/.test(asked)
    ? asked
    : '/';
}
