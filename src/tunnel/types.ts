/**
 * What a tunnel is, for the supervisor, the connector card, `tunnel list` and doctor. One file (or folder) per
 * provider makes a `TunnelProvider`; nothing outside of it knows how that provider works.
 */

export const TUNNEL_NAMES = ['cloudflare', 'openai', 'ngrok', 'tailscale', 'ssh', 'relay', 'custom'] as const;

export type TunnelName = (typeof TUNNEL_NAMES)[number];

/** Where clients find this server once the tunnel is up. */
export type TunnelAddress =
  /** An https origin without a path, such as `https://x.trycloudflare.com`; it leads to the public listener. */
  | { readonly kind: 'url'; readonly origin: string }
  /** The id of an OpenAI tunnel, to be chosen in ChatGPT's form; requests enter in this process, no port is open. */
  | { readonly kind: 'tunnel-id'; readonly id: string; readonly name: string | undefined }
  /** The origin of a relay, which signs its users in; requests enter in this process, no port is open. */
  | { readonly kind: 'relay'; readonly origin: string; readonly account: string };

export interface TunnelProvider {
  readonly name: TunnelName;
  /** Looks, without starting anything, what there is and what is missing; for `tunnel list` and doctor. */
  inspect(): Promise<TunnelReadiness>;
  /**
   * Starts the tunnel once; starting it again after its end is the supervisor's work. Resolves when the address is
   * known. That it leads here is for the supervisor to prove.
   * @throws {TunnelError}, or the signal's reason when it is aborted before; nothing is left running then
   */
  start(options: TunnelStartOptions): Promise<RunningTunnel>;
}

export interface TunnelReadiness {
  readonly ready: boolean;
  /** One line: the program's path and version, what is configured, or what is missing. */
  readonly summary: string;
  /** What to install or to set, where something is missing. */
  readonly fix?: string;
}

export interface TunnelStartOptions {
  /** Loopback port of the public listener. Providers whose requests enter in process ignore it. */
  readonly port: number;
  /** Gives the start up. A tunnel that is up is ended by `stop`. */
  readonly signal: AbortSignal;
  /** One line for the user on what is going on ("waiting for an address"); never a secret. */
  readonly onProgress: (message: string) => void;
}

/** A tunnel that is up. */
export interface RunningTunnel {
  readonly address: TunnelAddress;
  /** How it is now; cheap, read at each request of the page. */
  status(): TunnelStatus;
  /** Resolves when the tunnel has ended, asked or by itself; never rejects. */
  readonly ended: Promise<TunnelEnd>;
  /** Ends it and everything it started; resolves when nothing is left. Harmless when it has ended already. */
  stop(): Promise<void>;
}

export interface TunnelStatus {
  /**
   * `connected`: heard from the other side and no failure since. `reconnecting`: it mends itself, `message` says what
   * is wrong. `ended`: see `RunningTunnel.ended`.
   */
  readonly state: 'connecting' | 'connected' | 'reconnecting' | 'ended';
  /** One sentence for the user; undefined when all is well. */
  readonly message: string | undefined;
  /** Epoch milliseconds of the last request that came through, where the provider sees requests. */
  readonly lastRequestAtMs?: number | undefined;
}

export type TunnelEnd =
  /** `stop` was called. */
  | { readonly reason: 'stopped' }
  /** It ended by itself: `refused` and `not-configured` must not be tried again, `failed` may. */
  | { readonly reason: 'error'; readonly error: TunnelError };

/**
 * - `missing-program`: a program that must be installed
 * - `not-configured`: a setting that is missing or cannot be right
 * - `refused`: the other side does not accept the credentials; trying again does not help
 * - `failed`: anything that may go better next time
 */
export type TunnelErrorReason = 'missing-program' | 'not-configured' | 'refused' | 'failed';

/** Why there is no tunnel: one sentence, the next step, and what the provider said last. */
export class TunnelError extends Error {
  readonly reason: TunnelErrorReason;
  /** The next step, addressed to the user. */
  readonly hint: string;
  /** The last lines of the provider's own log, without secrets. */
  readonly logTail: string | undefined;

  constructor(reason: TunnelErrorReason, message: string, hint: string, logTail?: string) {
    super(message);
    this.name = 'TunnelError';
    this.reason = reason;
    this.hint = hint;
    this.logTail = logTail;
  }
}
