import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NodeRelay, startNodeRelay } from '../../../src/relay/adapters/node/relay.ts';
import { openRelayDatabase, type RelayDatabase } from '../../../src/relay/adapters/node/sql.ts';
import { configuredMethods } from '../../../src/relay/identity/methods.ts';
import { ownerCodeSignIn } from '../../../src/relay/identity/owner-code.ts';
import { hashPassword } from '../../../src/relay/identity/password.ts';
import { startGitHub } from '../core/support/github.ts';
import { environment, type Harness, REVIEW_PASSWORD, TOOL_MS } from '../core/support/harness.ts';

export interface NodeHarness extends Harness {
  readonly relay: NodeRelay;
  readonly database: RelayDatabase;
  /** What went wrong inside; empty at the end of every test. */
  readonly defects: unknown[];
  /** Ends the relay as a restart does, and starts it again on the same port and database. */
  restart(): Promise<void>;
  /** Lets the relay's clock jump. */
  skipTime(byMs: number): void;
}

export interface NodeHarnessOptions {
  readonly maxToolMs?: number;
  readonly clientAddressHeader?: string;
  /** Beside the environment that every relay of the tests has. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startNode(options: NodeHarnessOptions = {}): Promise<NodeHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'local-coder-relay-'));
  const github = await startGitHub();
  const database = await openRelayDatabase(join(folder, 'relay.db'));
  const env = { ...environment(github, await hashPassword(REVIEW_PASSWORD)), ...options.env };
  const defects: unknown[] = [];
  let skippedMs = 0;
  const start = (port: number) =>
    startNodeRelay({
      database,
      host: '127.0.0.1',
      port,
      methods: [...configuredMethods(env), ownerCodeSignIn(database.sql)],
      cookieSecret: env['OAUTH_COOKIE_SECRET'],
      maxToolMs: options.maxToolMs ?? TOOL_MS,
      clientAddressHeader: options.clientAddressHeader,
      onError: (error) => defects.push(error),
      now: () => Date.now() + skippedMs,
    });
  let relay = await start(0);
  return {
    url: relay.url,
    get relay() {
      return relay;
    },
    sql: database.sql,
    database,
    github,
    defects,
    skipTime(byMs) {
      skippedMs += byMs;
    },
    async restart() {
      await relay.close(500);
      relay = await start(relay.port);
    },
    async close() {
      await relay.close(0);
      database.close();
      await github.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
