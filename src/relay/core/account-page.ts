import { html } from 'hono/html';
import { type Sql, text } from '../../auth/index.ts';
import type { Agent, ListedWorkspace } from './agents.ts';
import { page } from './page.ts';

/** A client that the user has let in. */
export interface ConnectedClient {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly access: string;
  readonly usedMs: number;
}

/** The clients of one user, the latest use first. */
export async function connectedClients(sql: Sql, userId: string, nowMs: number): Promise<ConnectedClient[]> {
  const rows = await sql.all(
    `SELECT id, client_name, redirect_host, access, used_ms FROM auth_grants
     WHERE subject = ?1 AND expires_ms > ?2 ORDER BY used_ms DESC, id LIMIT 100`,
    userId,
    nowMs,
  );
  return rows.map((row) => ({
    id: text(row, 'id'),
    name: text(row, 'client_name'),
    host: text(row, 'redirect_host'),
    access: text(row, 'access'),
    usedMs: Number(row['used_ms']),
  }));
}

export interface AccountView {
  readonly userName: string;
  readonly publicUrl: string;
  readonly agents: readonly Agent[];
  readonly workspaces: readonly ListedWorkspace[];
  readonly online: ReadonlySet<string>;
  readonly clients: readonly ConnectedClient[];
  /** Proof that a form comes from this page. */
  readonly sealed: string;
  readonly newCode: string | undefined;
  readonly nowMs: number;
}

/** What is connected to the relay for one user, and the means to end it. */
export function accountPage(view: AccountView, headers: Record<string, string>): Promise<Response> {
  const form = (action: string, label: string, id?: string) =>
    html`<form method="post" action="/account/${action}"><input type="hidden" name="request" value="${view.sealed}">${
      id === undefined ? '' : html`<input type="hidden" name="id" value="${id}">`
    }<button class="plain">${label}</button></form>`;
  const agent = (one: Agent) => {
    const online = view.online.has(one.id);
    const workspaces = view.workspaces.filter((workspace) => workspace.agentId === one.id);
    const kind = one.kind === 'viewer' ? 'read only' : `serves tools, access ${one.access ?? 'workspace'}`;
    return html`<div class="box"><div class="row"><h3>${one.displayName}
<span class="state ${online ? 'online' : ''}">${online ? 'online' : 'offline'}</span></h3>${form('revoke-agent', 'Revoke', one.id)}</div>
<span class="small">${kind} · connected ${ago(one.connectedMs, view.nowMs)} · last used ${ago(one.usedMs, view.nowMs)}${
      one.version === undefined ? '' : ` · version ${one.version}`
    } · <code>${one.id}</code></span>
${
  workspaces.length === 0
    ? html`<p class="small">No workspace. On that computer: <code>local-coder workspace add --path .</code></p>`
    : html`<ul>${workspaces.map((w) => html`<li>${w.displayName} <code>${w.workspaceId}</code></li>`)}</ul>`
}</div>`;
  };
  const client = (one: ConnectedClient) => html`<div class="box row"><div><h3>${one.name}</h3>
<span class="small">${one.host} · ${one.access === 'read-only' ? 'read only' : 'whatever your agents serve'} · last used ${ago(one.usedMs, view.nowMs)}</span></div>
${form('revoke-client', 'Disconnect', one.id)}</div>`;
  return page(
    'Your agents',
    html`<header><h1>Your agents</h1><div class="row"><span class="small">${view.userName}</span>${form('sign-out', 'Sign out')}</div></header>
${view.agents.length === 0 ? html`<p>No computer is connected yet.</p>` : view.agents.map(agent)}
${
  view.newCode === undefined
    ? form('pairing-code', 'Connect a computer')
    : html`<div class="box"><p>On the computer to connect, within ten minutes:</p>
<pre>local-coder pair ${view.newCode} --relay ${view.publicUrl}
local-coder workspace add --path .
local-coder agent</pre></div>`
}
<h2>Connected clients</h2>
<p class="small">Address for ChatGPT, Claude and other MCP clients: <code>${view.publicUrl}/mcp</code></p>
${view.clients.length === 0 ? html`<p>No client is connected.</p>` : view.clients.map(client)}`,
    { headers },
  );
}

function ago(atMs: number | undefined, nowMs: number): string {
  if (atMs === undefined) return 'never';
  const minutes = Math.max(0, Math.round((nowMs - atMs) / 60_000));
  if (minutes < 1) return 'just now';
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}
