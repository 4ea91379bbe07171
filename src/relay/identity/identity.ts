import type { Browser } from '../core/browser.ts';
import type { Limits } from '../core/limits.ts';
import type { Html } from '../core/page.ts';
import type { Identity } from '../core/users.ts';

/** Somebody has proved who they are. */
export interface SignedIn {
  readonly identity: Identity;
  /** A path of this relay (core/browser.ts, returnPath). */
  readonly returnTo: string;
}

export interface SignInContext {
  /** Origin of the relay. */
  readonly origin: string;
  readonly browser: Browser;
  readonly limits: Limits;
  /** The caller's address, where it is known. */
  readonly address: string | undefined;
  readonly now: () => number;
}

/** A way to sign in. It lives below `/sign-in/<id>`. */
export interface SignInMethod {
  readonly id: string;
  /** What the page of all ways shows for this one: a link to `/sign-in/<id>?return=…`. */
  offer(href: string): Html | Promise<Html>;
  /**
   * Answers a request below its path.
   * @param step what follows the id: '' or 'callback'
   */
  handle(request: Request, step: string, context: SignInContext): Promise<Response | SignedIn>;
}
