import type { ApprovalDesk } from '../access/index.ts';
import type { Settings } from '../config/load.ts';
import type { CallBook } from '../dashboard/call-book.ts';
import type { Dashboard } from '../dashboard/dashboard.ts';
import type { LinkOwner } from '../dashboard/link-table.ts';
import { CARD_LINK_MS, LoginLinks, pageLink } from '../dashboard/login-links.ts';
import type { DashboardParts } from '../dashboard/parts.ts';
import type { RequestLine } from '../http/request-log.ts';
import type { Log } from '../runtime/log.ts';
import { processStartTime } from '../runtime/process-identity.ts';
import type { Gatekeeper } from './caller-auth.ts';
import type { PublicSide } from './public-side.ts';
import type { ServedModes } from './served-modes.ts';

export interface LocalPageOptions {
  readonly settings: Settings;
  readonly stateDir: string;
  readonly calls: CallBook;
  readonly approvals: ApprovalDesk;
  readonly modes: ServedModes;
  readonly gatekeeper: Gatekeeper | undefined;
  /** How callers prove themselves, where they have to. */
  readonly auth: 'oauth' | 'url' | undefined;
  /** Of the private listener, a number and no name, such as `http://127.0.0.1:3000`; known once it is bound. */
  readonly origin: () => string;
  readonly publicSide: () => PublicSide | undefined;
  readonly log: Log;
}

/** The local page of this server: what is there before anybody looks, which is little, and the rest on demand. */
export class LocalPage {
  readonly #options: LocalPageOptions;
  readonly #links = new LoginLinks();
  readonly #startedAtMs = Date.now();
  #dashboard: Promise<Dashboard> | undefined;

  constructor(options: LocalPageOptions) {
    this.#options = options;
  }

  /** Answers a request for the page; the first one loads it. */
  async fetch(request: Request): Promise<Response> {
    this.#dashboard ??= import('../dashboard/dashboard.ts').then(({ createDashboard }) =>
      createDashboard(this.#parts()),
    );
    return (await this.#dashboard).fetch(request);
  }

  /** A fresh link for the terminal. It lets in whoever has it: undefined where standard output is no terminal. */
  link(): string | undefined {
    return process.stdout.isTTY ? pageLink(this.#options.origin(), this.#links.add(CARD_LINK_MS)) : undefined;
  }

  /** Takes note of which clients there are. The page's own requests and strangers' are no clients. */
  seen(line: RequestLine): void {
    const { clients } = this.#options.calls;
    if (line.method !== undefined && line.status < 400) clients.seen(line.client, Date.now());
  }

  /** Ends open event streams, which would keep the listener open. */
  async close(): Promise<void> {
    await (await this.#dashboard?.catch(() => undefined))?.close();
  }

  #parts(): DashboardParts {
    const { settings, stateDir, calls, approvals, modes, gatekeeper, auth, origin, publicSide, log } =
      this.#options;
    let owner: Promise<LinkOwner> | undefined;
    return {
      settings: { roots: settings.workspace, access: settings.access, approve: settings.approve },
      address: () => `${origin()}/mcp`,
      startedAtMs: this.#startedAtMs,
      calls,
      services: () => modes.services,
      approvals,
      tunnel: () => publicSide()?.tunnel(),
      connector: async () => publicSide()?.connector(),
      gatekeeper: gatekeeper && auth && { auth, ...gatekeeper },
      links: this.#links,
      owner: () => {
        owner ??= processStartTime(process.pid).then((startTime) => ({
          pid: process.pid,
          startTime: startTime ?? '',
        }));
        return owner;
      },
      stateDir,
      onLogin: () => {
        log.info('the local page was opened');
        const next = this.link();
        if (next !== undefined)
          process.stdout.write(`\n  The page was opened. Page, once more:  ${next}\n\n`);
      },
      onError: (error) => log.error(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    };
  }
}
