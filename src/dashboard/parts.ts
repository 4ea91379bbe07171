import type { ApprovalDesk } from '../access/index.ts';
import type { AuthStore, ConsentDesk, SecretUrl } from '../auth/index.ts';
import type { Services } from '../tools/services.ts';
import type { CallBook } from './call-book.ts';
import type { LinkOwner } from './link-table.ts';
import type { LoginLinks } from './login-links.ts';
import type { ConnectorModel, StatusModel, TunnelModel } from './models.ts';

/** What the page is made of: the parts of the running program, handed over by who put them together. */
export interface DashboardParts {
  readonly settings: Pick<StatusModel, 'roots' | 'access' | 'approve'>;
  /** Local MCP address. */
  readonly address: () => string;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly calls: CallBook;
  /** What serves, the server's own access mode first. */
  readonly services: () => readonly [Services, ...Services[]];
  readonly approvals: ApprovalDesk;
  readonly tunnel: () => TunnelModel | undefined;
  readonly connector: () => Promise<ConnectorModel | undefined>;
  /** Undefined where nothing is asked of callers. */
  readonly gatekeeper: PageGatekeeper | undefined;
  readonly links: LoginLinks;
  /** This server, as links in the state database name it. */
  readonly owner: () => Promise<LinkOwner>;
  readonly stateDir: string;
  /** A link was used: the terminal shows the next one. */
  readonly onLogin: () => void;
  readonly onError: (error: unknown) => void;
}

export interface PageGatekeeper {
  readonly auth: 'oauth' | 'url';
  readonly store: AuthStore;
  readonly desk: ConsentDesk;
  readonly secretUrl: SecretUrl;
}
