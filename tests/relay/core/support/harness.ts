import assert from 'node:assert/strict';
import type { Sql } from '../../../../src/auth/index.ts';
import { pair, TestAgent, type TestAgentOptions } from './agent.ts';
import { connectClient, TestBrowser } from './browser.ts';
import { CLIENT_ID, CLIENT_SECRET, type GitHubStandIn } from './github.ts';
import { callTool, type Envelope } from './mcp.ts';

/** A running relay, whatever the runtime. */
export interface Harness {
  readonly url: string;
  /** The relay's own database. */
  readonly sql: Sql;
  readonly github: GitHubStandIn;
  /** What went wrong inside; empty at the end of every test. */
  readonly defects: readonly unknown[];
  close(): Promise<void>;
}

/** Longer than anything here needs, shorter than the tools' own: timeouts are seen in seconds. */
export const TOOL_MS = 2_000;
export const REVIEW_PASSWORD = 'correct horse battery';

/** The environment of the relay under test. */
export function environment(
  github: GitHubStandIn,
  passwordHash: string,
  maxToolMs = TOOL_MS,
): Record<string, string> {
  return {
    GITHUB_CLIENT_ID: CLIENT_ID,
    GITHUB_CLIENT_SECRET: CLIENT_SECRET,
    GITHUB_URL: github.url,
    GITHUB_API_URL: github.url,
    REVIEW_EMAIL: 'reviewer@example.com',
    REVIEW_PASSWORD_HASH: passwordHash,
    OAUTH_COOKIE_SECRET: 'a secret of the tests',
    RELAY_MAX_TOOL_MS: String(maxToolMs),
  };
}

let nextGitHubId = 1_000;

/** A user of the relay with a client that was let in. */
export class TestUser {
  readonly relay: Harness;
  readonly browser: TestBrowser;
  readonly id: string;
  readonly login: string;
  readonly token: string;

  private constructor(relay: Harness, browser: TestBrowser, id: string, login: string, token: string) {
    this.relay = relay;
    this.browser = browser;
    this.id = id;
    this.login = login;
    this.token = token;
  }

  static async signIn(
    relay: Harness,
    login: string,
    access: 'read-only' | 'full' = 'read-only',
  ): Promise<TestUser> {
    await forgetLimits(relay);
    const browser = new TestBrowser();
    relay.github.user = { id: nextGitHubId++, login };
    const home = await browser.open(`${relay.url}/sign-in/github`);
    assert.equal(home.status, 200, home.html);
    const { token } = await connectClient(relay.url, browser, access);
    const row = await relay.sql.first(
      'SELECT id FROM relay_users WHERE subject = ?1',
      String(relay.github.user.id),
    );
    return new TestUser(relay, browser, String(row?.['id']), login, token);
  }

  call(
    name: string,
    args: Record<string, unknown> = {},
    init: Parameters<typeof callTool>[4] = {},
  ): Promise<Envelope> {
    return callTool(this.relay.url, this.token, name, args, init);
  }

  /** Pairs a new agent. */
  async pair(name = 'laptop') {
    const { data } = await this.call('createAgentPairingCode', { agentDisplayName: name });
    return pair(this.relay.url, String(data['pairingCode']));
  }

  /** Pairs an agent that serves one workspace, and connects it. */
  async agent(workspaceId: string, options: TestAgentOptions = {}) {
    const credential = await this.pair();
    const workspaces = [{ workspaceId, displayName: `The ${workspaceId} project` }];
    const agent = await TestAgent.connect(this.relay.url, credential, { workspaces, ...options });
    return { credential, agent };
  }
}

/** Every test starts with a full share of what is limited. */
export async function forgetLimits(relay: Harness): Promise<void> {
  await relay.sql.batch([['DELETE FROM relay_limits']]);
}
