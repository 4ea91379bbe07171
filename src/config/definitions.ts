import { z } from 'zod';

/**
 * Every setting: its flag `--<key>`, its variable `LOCAL_CODER_<KEY>`, its key in the configuration file.
 * One table, so that help, loading and the error messages cannot disagree (cli.md, "Settings").
 */
export interface SettingDefinition {
  readonly schema: z.ZodType;
  /** `flag` takes no value on the command line. */
  readonly kind: 'value' | 'list' | 'flag';
  /** Placeholder in --help. */
  readonly placeholder?: string;
  readonly help: string;
  /** What is allowed, for error messages: "a number from 0 to 65535". */
  readonly allowed: string;
  /** Values this version cannot honour yet; returns the words for the refusal. */
  readonly notAvailable?: (value: unknown) => string | undefined;
  /** Whether a project's own file (.env, .local-coder.json) may set it: always, or only to a tighter value. */
  readonly fromProject?: 'always' | 'tighten';
}

const text = z.string().min(1);
const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const flag = z.union([z.boolean(), z.stringbool()]);

/** https, or http that cannot leave this machine. */
const httpUrl = text.refine(
  (value) =>
    URL.canParse(value) &&
    /^(https:\/\/[^/@]+|http:\/\/(localhost|127(\.\d+){3}|\[::1\])(:\d+)?)(\/|$)/i.test(value),
);

export const SETTINGS = {
  workspace: {
    schema: z.array(text).min(1),
    kind: 'list',
    placeholder: 'DIR',
    help: 'folder to serve, repeatable; the first is the default folder (default: the current folder)',
    allowed: 'an existing folder',
    fromProject: 'always',
  },
  port: {
    schema: integer(0, 65_535),
    kind: 'value',
    placeholder: 'N',
    help: 'port to listen on, 0 picks a free one (default 3000)',
    allowed: 'a number from 0 to 65535',
    fromProject: 'always',
  },
  host: {
    schema: text,
    kind: 'value',
    placeholder: 'ADDRESS',
    help: 'address to listen on (default 127.0.0.1); on any other nobody gets in without --auth oauth (the default there) or url',
    allowed: 'an address of this machine',
  },
  access: {
    schema: z.enum(['full', 'workspace', 'read-only']),
    kind: 'value',
    placeholder: 'MODE',
    help: 'what the tools may touch: full (default), workspace (only the folders, commands in a sandbox), read-only',
    allowed: 'full, workspace or read-only',
    fromProject: 'tighten',
  },
  'sandbox-network': {
    schema: z.enum(['on', 'off']),
    kind: 'value',
    placeholder: 'on|off',
    help: 'whether commands reach the network with --access workspace: on (default) or off',
    allowed: 'on or off',
  },
  'sandbox-read': {
    schema: z.array(text),
    kind: 'list',
    placeholder: 'DIR',
    help: 'a further folder that commands may read with --access workspace, repeatable',
    allowed: 'a folder',
  },
  tools: {
    schema: z.enum(['full', 'slim', 'viewer']),
    kind: 'value',
    placeholder: 'SET',
    help: 'which tools are listed: full (default), slim, or viewer (looks into the folders, read-only)',
    allowed: 'full, slim or viewer',
    fromProject: 'tighten',
  },
  results: {
    schema: z.enum(['auto', 'both', 'structured', 'text']),
    kind: 'value',
    placeholder: 'FORM',
    help: 'channel of results: auto (default), both, structured or text',
    allowed: 'auto, both, structured or text',
  },
  shell: {
    schema: text,
    kind: 'value',
    placeholder: 'NAME',
    help: 'shell for commands: bash, zsh, sh, pwsh, powershell, cmd (default: the platform’s)',
    allowed: 'bash, zsh, sh, pwsh, powershell or cmd',
  },
  'shell-timeout': {
    schema: integer(1, 86_400),
    kind: 'value',
    placeholder: 'S',
    help: 'kill a command after S seconds, also the longest a call may ask for (default: never)',
    allowed: 'seconds from 1 to 86400',
    fromProject: 'always',
  },
  yield: {
    schema: integer(100, 38_000),
    kind: 'value',
    placeholder: 'MS',
    help: 'answer after MS milliseconds when a command still runs; it goes on (default 10000)',
    allowed: 'milliseconds from 100 to 38000',
  },
  'state-dir': {
    schema: text,
    kind: 'value',
    placeholder: 'DIR',
    help: 'private folder for state (default: per user, see README); wins over a local-coder-data folder, excludes --portable',
    allowed: 'a folder',
  },
  'history-size': {
    schema: integer(1, 10_000_000),
    kind: 'value',
    placeholder: 'MIB',
    help: 'disk budget of the recorded file changes in MiB (default 2048)',
    allowed: 'a number of MiB from 1 to 10000000',
  },
  'audit-log': {
    schema: text,
    kind: 'value',
    placeholder: 'FILE',
    help: 'where every tool call is recorded (default: audit/audit.jsonl in the state folder)',
    allowed: 'a file',
  },
  replace: {
    schema: flag,
    kind: 'flag',
    help: 'stop our own older instance on this port first',
    allowed: 'true or false',
  },
  'log-level': {
    schema: z.enum(['error', 'warn', 'info', 'debug']),
    kind: 'value',
    placeholder: 'LEVEL',
    help: 'error, warn, info (default: one line per request) or debug',
    allowed: 'error, warn, info or debug',
  },
  stdio: {
    schema: flag,
    kind: 'flag',
    help: 'serve one client over standard input and output',
    allowed: 'true or false',
  },
  // Known settings whose feature comes later: refused, never ignored.
  auth: {
    schema: z.enum(['oauth', 'url', 'none']),
    kind: 'value',
    placeholder: 'HOW',
    help: 'authentication: none (default on loopback), oauth (default through a tunnel), url (a secret address)',
    allowed: 'oauth, url or none',
  },
  approve: {
    schema: z.enum(['never', 'destructive', 'all']),
    kind: 'value',
    placeholder: 'WHICH',
    help: 'calls that wait for your word on this terminal: never (default), destructive, all that change or run',
    allowed: 'never, destructive or all',
    fromProject: 'tighten',
  },
  annotations: {
    schema: z.enum(['honest', 'quiet']),
    kind: 'value',
    placeholder: 'HOW',
    help: 'quiet: changes of files that rewind can take back are not marked destructive, so that clients ask less often (default honest)',
    allowed: 'honest or quiet',
  },
  widgets: {
    schema: flag,
    kind: 'flag',
    help: 'let hosts that show MCP Apps, ChatGPT among them, show edits, diffs and commands in a view (default off)',
    allowed: 'true or false',
  },
  tunnel: {
    schema: z.enum(['none', 'cloudflare', 'openai', 'ngrok', 'tailscale', 'ssh', 'relay', 'custom']),
    kind: 'value',
    placeholder: 'NAME',
    help: 'reach this server from the web: cloudflare, openai, ngrok, tailscale, ssh, relay (after local-coder pair) or custom (default none)',
    allowed: 'none, cloudflare, openai, ngrok, tailscale, ssh, relay or custom',
  },
  'tunnel-hostname': {
    schema: text,
    kind: 'value',
    placeholder: 'HOST',
    help: 'cloudflare: host name of your own tunnel; ngrok: your domain; ssh: [USER@]HOST[:PORT][/REMOTE-PORT]',
    allowed: 'a host name',
  },
  'tunnel-bin': {
    schema: text,
    kind: 'value',
    placeholder: 'FILE',
    help: 'the tunnel program (default: searched on PATH, in bin of the state folder, beside the executable)',
    allowed: 'a program',
  },
  'tunnel-install': {
    schema: flag,
    kind: 'flag',
    help: 'download cloudflared when it is not installed, checked against digests that this program knows',
    allowed: 'true or false',
  },
  'tunnel-version': {
    schema: z.string().regex(/^\d{4}\.\d{1,2}\.\d{1,3}$/),
    kind: 'value',
    placeholder: 'V',
    help: 'another version of cloudflared to download, checked against the digest that its release names',
    allowed: 'a version such as 2026.9.3',
  },
  'tunnel-mirror': {
    schema: httpUrl,
    kind: 'value',
    placeholder: 'URL',
    help: 'where to download it from, as URL/VERSION/FILE (default: the vendor’s releases)',
    allowed: 'an https URL',
  },
  'tunnel-command': {
    schema: text,
    kind: 'value',
    placeholder: 'LINE',
    help: 'custom: the command that makes the tunnel; {port} stands for the local port',
    allowed: 'a command line',
  },
  'tunnel-url-pattern': {
    schema: text,
    kind: 'value',
    placeholder: 'REGEX',
    help: 'custom, ssh: finds the address in its output (default: the first https URL)',
    allowed: 'a regular expression',
  },
  'tunnel-base-url': {
    schema: text,
    kind: 'value',
    placeholder: 'URL',
    help: 'openai: control plane (default https://api.openai.com)',
    allowed: 'a URL',
  },
  'public-url': {
    schema: httpUrl.refine((value) => URL.canParse(value) && new URL(value).pathname === '/'),
    kind: 'value',
    placeholder: 'URL',
    help: 'address under which somebody else forwards to the public port',
    allowed: 'an https URL without a path',
  },
  'public-port': {
    schema: integer(0, 65_535),
    kind: 'value',
    placeholder: 'N',
    help: 'port of the public listener on loopback (default: a free one)',
    allowed: 'a number from 0 to 65535',
  },
  portable: {
    schema: flag,
    kind: 'flag',
    help: 'keep everything in local-coder-data beside the program and nothing on this computer; made when it is missing, used from then on; --portable=false ignores it',
    allowed: 'true or false',
  },
} as const satisfies Record<string, SettingDefinition>;

export type SettingName = keyof typeof SETTINGS;
export type SettingValues = { [Name in SettingName]?: z.infer<(typeof SETTINGS)[Name]['schema']> };

/** The variable of a setting: `shell-timeout` is LOCAL_CODER_SHELL_TIMEOUT. */
export function environmentName(setting: SettingName): string {
  return `LOCAL_CODER_${setting.toUpperCase().replaceAll('-', '_')}`;
}

/** The definition under its general type (the table's own type is narrower, for inference). */
export function definitionOf(setting: SettingName): SettingDefinition {
  return SETTINGS[setting];
}

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}
