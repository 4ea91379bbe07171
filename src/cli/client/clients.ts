import { CLIENT_NAMES, type ClientName } from './names.ts';

export { CLIENT_NAMES, type ClientName };

/** The programs that `client add` knows: how their configuration is written, and what must be done afterwards. */

export type Scope = 'user' | 'project';

/** An entry as the client's configuration file holds it. */
export interface Entry {
  readonly type?: 'stdio' | 'http';
  readonly command?: string;
  readonly args?: readonly string[];
  readonly url?: string;
}

export interface Client {
  /** Its name for people. */
  readonly label: string;
  readonly format: 'json' | 'toml';
  /** The key of the file whose value holds the servers by name. */
  readonly key: string;
  readonly scopes: readonly Scope[];
  /** Why it takes no address from its configuration file; undefined where it does. */
  readonly noHttp?: string;
  /** Its entries say of which kind they are. */
  readonly typed: boolean;
  /** Its reader takes comments and trailing commas. */
  readonly comments: boolean;
  /** `${…}` in an entry is a variable to it. */
  readonly variables: boolean;
  /** What has to be done until it is there. */
  readonly next: Readonly<Partial<Record<Scope, string>>>;
}

export const CLIENTS = {
  'claude-desktop': {
    label: 'Claude Desktop',
    format: 'json',
    key: 'mcpServers',
    scopes: ['user'],
    noHttp:
      'Claude Desktop starts local servers over stdio only; leave --http out. (An address on the web is added in its settings, under Connectors.)',
    typed: false,
    comments: false,
    variables: false,
    next: { user: 'Quit Claude Desktop completely (its menu, not only the window) and start it again.' },
  },
  'claude-code': {
    label: 'Claude Code',
    format: 'json',
    key: 'mcpServers',
    scopes: ['user', 'project'],
    typed: true,
    comments: false,
    variables: true,
    next: {
      user: 'Start claude anew; /mcp shows the server.',
      project: 'Start claude anew in this folder and allow the server of the project; /mcp shows it.',
    },
  },
  codex: {
    label: 'Codex',
    format: 'toml',
    key: 'mcp_servers',
    scopes: ['user', 'project'],
    typed: false,
    comments: true,
    variables: false,
    next: {
      user: 'Start codex anew; /mcp shows the server.',
      project: 'Start codex anew in this folder. It reads this file only in a project that you trust.',
    },
  },
  cursor: {
    label: 'Cursor',
    format: 'json',
    key: 'mcpServers',
    scopes: ['user', 'project'],
    typed: false,
    comments: true,
    variables: true,
    next: {
      user: 'Restart Cursor and switch the server on in its settings, under MCP.',
      project: 'Open this folder in Cursor and switch the server on in its settings, under MCP.',
    },
  },
  vscode: {
    label: 'VS Code',
    format: 'json',
    key: 'servers',
    scopes: ['user', 'project'],
    typed: true,
    comments: true,
    variables: true,
    next: {
      user: 'In VS Code run the command "MCP: List Servers" and start the server; it asks whether you trust it.',
      project:
        'Open this folder in VS Code, run "MCP: List Servers" and start the server; it asks whether you trust it.',
    },
  },
} as const satisfies Record<ClientName, Client>;

export function isClientName(name: string | undefined): name is ClientName {
  return name !== undefined && Object.hasOwn(CLIENTS, name);
}

/** The client under its general type (the table's own type is narrower). */
export function clientOf(name: ClientName): Client {
  return CLIENTS[name];
}

/** Keys of an entry that make sense for one of the two kinds only; the others are the user's own. */
export const KEYS_OF_KIND = {
  stdio: ['command', 'args', 'env', 'env_vars', 'cwd', 'envFile'],
  http: ['url', 'headers', 'http_headers', 'env_http_headers', 'bearer_token_env_var'],
} as const;
