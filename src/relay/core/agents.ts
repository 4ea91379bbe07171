import { type Sql, type SqlRow, type SqlStatement, sha256, text } from '../../auth/index.ts';
import type { Hello, WireTool, WireWorkspace } from '../protocol.ts';
import type { AgentIdentity } from './ports.ts';

/** How exactly an agent's last use is known: spares a write per call. */
const USE_RESOLUTION_MS = 60_000;

export interface Agent {
  readonly id: string;
  readonly displayName: string;
  readonly kind: 'viewer' | 'full';
  readonly access: string | undefined;
  readonly version: string | undefined;
  readonly createdMs: number;
  readonly connectedMs: number | undefined;
  readonly usedMs: number | undefined;
}

/** A workspace as callers know it. */
export interface ListedWorkspace {
  readonly workspaceId: string;
  readonly displayName: string;
  readonly languages: readonly string[];
  readonly agentId: string;
  readonly agentDisplayName: string;
}

/** Where a call for a workspace goes. */
export interface Target {
  readonly agentId: string;
  readonly agentDisplayName: string;
  /** The agent's own id of the workspace. */
  readonly workspaceId: string;
}

/** Agents and their workspaces. Every statement is bound to the user; what is another's is not found. */
export class Agents {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The agent of a credential. `suspended` when its user is. */
  async byToken(token: string): Promise<(AgentIdentity & { readonly suspended: boolean }) | undefined> {
    const row = await this.#sql.first(
      `SELECT a.id, a.user_id, u.status FROM relay_agents a JOIN relay_users u ON u.id = a.user_id
       WHERE a.token_hash = ?1`,
      await sha256(token),
    );
    if (row === undefined) return undefined;
    return { agentId: text(row, 'id'), userId: text(row, 'user_id'), suspended: row['status'] !== 'active' };
  }

  /**
   * Takes down what an agent says of itself.
   * @returns the user's name, undefined when the agent was revoked or its user suspended meanwhile
   */
  async hello(identity: AgentIdentity, message: Hello, nowMs: number): Promise<string | undefined> {
    const account = await this.#account(identity);
    if (account === undefined) return undefined;
    const full = message.kind === 'full';
    await this.#sql.batch([
      [
        `UPDATE relay_agents SET kind = ?3, access = ?4, tools = ?5, version = ?6, connected_ms = ?7
         WHERE id = ?2 AND user_id = ?1`,
        identity.userId,
        identity.agentId,
        message.kind,
        full ? (message.access ?? 'workspace') : null,
        full ? JSON.stringify(message.tools ?? []) : null,
        message.version ?? null,
        nowMs,
      ],
      ...workspacesWritten(identity, message.workspaces),
    ]);
    return account;
  }

  /** @returns false when the agent was revoked or its user suspended meanwhile */
  async sync(identity: AgentIdentity, workspaces: readonly WireWorkspace[]): Promise<boolean> {
    if ((await this.#account(identity)) === undefined) return false;
    await this.#sql.batch(workspacesWritten(identity, workspaces));
    return true;
  }

  async list(userId: string): Promise<Agent[]> {
    const rows = await this.#sql.all(
      'SELECT * FROM relay_agents WHERE user_id = ?1 ORDER BY created_ms, id',
      userId,
    );
    return rows.map(agentOf);
  }

  async workspaces(userId: string): Promise<ListedWorkspace[]> {
    const rows = await this.#sql.all(
      `SELECT w.public_id, w.display_name, w.languages, w.agent_id, a.display_name AS agent_name
       FROM relay_workspaces w JOIN relay_agents a ON a.id = w.agent_id AND a.user_id = w.user_id
       WHERE w.user_id = ?1 ORDER BY w.display_name, w.public_id`,
      userId,
    );
    return rows.map((row) => ({
      workspaceId: text(row, 'public_id'),
      displayName: text(row, 'display_name'),
      languages: JSON.parse(text(row, 'languages')) as string[], // written by workspacesWritten
      agentId: text(row, 'agent_id'),
      agentDisplayName: text(row, 'agent_name'),
    }));
  }

  /** The workspace of that public id, if it is the user's. */
  async target(userId: string, publicId: string): Promise<Target | undefined> {
    const row = await this.#sql.first(
      `SELECT w.agent_id, w.workspace_id, a.display_name
       FROM relay_workspaces w JOIN relay_agents a ON a.id = w.agent_id AND a.user_id = w.user_id
       WHERE w.user_id = ?1 AND w.public_id = ?2`,
      userId,
      publicId,
    );
    if (row === undefined) return undefined;
    return {
      agentId: text(row, 'agent_id'),
      agentDisplayName: text(row, 'display_name'),
      workspaceId: text(row, 'workspace_id'),
    };
  }

  /** The user's agents that serve more than the viewer tools, with those tools; the latest connection first. */
  async full(userId: string): Promise<{ readonly agent: Agent; readonly tools: readonly WireTool[] }[]> {
    const rows = await this.#sql.all(
      `SELECT * FROM relay_agents WHERE user_id = ?1 AND kind = 'full' ORDER BY connected_ms DESC, id`,
      userId,
    );
    return rows.map((row) => ({
      agent: agentOf(row),
      tools: JSON.parse(text(row, 'tools')) as WireTool[], // checked and written by hello
    }));
  }

  /** Notes that an agent was called. */
  async used(userId: string, agentId: string, nowMs: number): Promise<void> {
    await this.#sql.first(
      `UPDATE relay_agents SET used_ms = ?3
       WHERE id = ?2 AND user_id = ?1 AND (used_ms IS NULL OR used_ms < ?4) RETURNING id`,
      userId,
      agentId,
      nowMs,
      nowMs - USE_RESOLUTION_MS,
    );
  }

  /** Ends an agent of the user's, with its workspaces. @returns false when the user has none of that id */
  async revoke(userId: string, agentId: string): Promise<boolean> {
    const row = await this.#sql.first(
      'DELETE FROM relay_agents WHERE id = ?2 AND user_id = ?1 RETURNING id',
      userId,
      agentId,
    );
    await this.#sql.batch([
      ['DELETE FROM relay_workspaces WHERE user_id = ?1 AND agent_id = ?2', userId, agentId],
    ]);
    return row !== undefined;
  }

  /** Those of the agents that may not be connected: revoked, or of a suspended user. */
  async unwelcome(agentIds: readonly string[]): Promise<string[]> {
    const rows = await this.#sql.all(
      `SELECT value AS id FROM json_each(?1) WHERE value NOT IN (
         SELECT a.id FROM relay_agents a JOIN relay_users u ON u.id = a.user_id WHERE u.status = 'active')`,
      JSON.stringify(agentIds),
    );
    return rows.map((row) => text(row, 'id'));
  }

  async #account({ agentId, userId }: AgentIdentity): Promise<string | undefined> {
    const row = await this.#sql.first(
      `SELECT u.name FROM relay_agents a JOIN relay_users u ON u.id = a.user_id
       WHERE a.id = ?2 AND a.user_id = ?1 AND u.status = 'active'`,
      userId,
      agentId,
    );
    return row && text(row, 'name');
  }
}

/** Makes an agent's rows equal to the list. An id that another agent of the user has already is told apart by the agent's. */
function workspacesWritten(
  { agentId, userId }: AgentIdentity,
  workspaces: readonly WireWorkspace[],
): SqlStatement[] {
  const list = JSON.stringify([...new Map(workspaces.map((one) => [one.workspaceId, one])).values()]);
  return [
    [
      `DELETE FROM relay_workspaces WHERE user_id = ?1 AND agent_id = ?2
         AND workspace_id NOT IN (SELECT value ->> 'workspaceId' FROM json_each(?3))`,
      userId,
      agentId,
      list,
    ],
    [
      `INSERT INTO relay_workspaces (user_id, public_id, agent_id, workspace_id, display_name, languages)
       SELECT ?1,
         CASE WHEN EXISTS (SELECT 1 FROM relay_workspaces o WHERE o.user_id = ?1 AND o.agent_id <> ?2
                             AND o.public_id = value ->> 'workspaceId')
              THEN (value ->> 'workspaceId') || '-' || substr(?2, -6) ELSE value ->> 'workspaceId' END,
         ?2, value ->> 'workspaceId', value ->> 'displayName', COALESCE(value -> 'languages', '[]')
       FROM json_each(?3)
       WHERE EXISTS (SELECT 1 FROM relay_agents a WHERE a.id = ?2 AND a.user_id = ?1)
       ON CONFLICT (user_id, agent_id, workspace_id) DO UPDATE SET
         display_name = excluded.display_name, languages = excluded.languages`,
      userId,
      agentId,
      list,
    ],
  ];
}

function agentOf(row: SqlRow): Agent {
  const number = (column: string) => (row[column] === null ? undefined : Number(row[column]));
  return {
    id: text(row, 'id'),
    displayName: text(row, 'display_name'),
    kind: row['kind'] === 'full' ? 'full' : 'viewer',
    access: row['access'] === null ? undefined : text(row, 'access'),
    version: row['version'] === null ? undefined : text(row, 'version'),
    createdMs: Number(row['created_ms']),
    connectedMs: number('connected_ms'),
    usedMs: number('used_ms'),
  };
}
