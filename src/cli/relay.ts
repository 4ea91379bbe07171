import { join } from 'node:path';
import type { SettingName } from '../config/definitions.ts';
import { loadSettings, type Settings } from '../config/load.ts';
import { openStateDir } from '../config/state-dir.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import type { NodeRelayOptions } from '../relay/adapters/node/relay.ts';
import type { RelayDatabase } from '../relay/adapters/node/sql.ts';
import type { SignInMethod } from '../relay/identity/identity.ts';
import { systemCode } from '../runtime/errors.ts';
import { createLog } from '../runtime/log.ts';
import { forTerminal } from '../runtime/terminal.ts';
import { onTermination } from './termination.ts';

const USAGE =
  'local-coder relay [--port N] [--public-url URL] | relay code | relay users | relay suspend ID | relay resume ID | relay hash-password';
const DEFAULT_PORT = 8787;
const GRACE_MS = 3_000;
const LOOPBACK = /^(127\.|::1$|localhost$)/;

type Flags = ReadonlyMap<SettingName, unknown>;

/**
 * `local-coder relay`: many users' agents behind one address, on this machine. The other words work on the same
 * database, also while a relay runs.
 * @param words what follows `relay` on the command line
 */
export async function relay(words: readonly string[], flags: Flags): Promise<ExitCode> {
  const [action, id, ...rest] = words;
  const takesId = action === 'suspend' || action === 'resume';
  if (rest.length > 0 || takesId !== (id !== undefined)) throw new UsageError(`Usage: ${USAGE}.`);
  if (action === 'hash-password') return hashPassword();
  const settings = await relaySettings(flags);
  const { stateDir, portable } = await openStateDir(settings['state-dir'], {
    portable: settings.portable,
    mustKeep: action !== undefined,
  });
  if (portable?.isKept === false)
    process.stderr.write(
      `local-coder: ${portable.folder} cannot be written: users and agents of this run are not kept\n`,
    );
  const { openRelayDatabase } = await import('../relay/adapters/node/sql.ts');
  const database = await openRelayDatabase(join(stateDir, 'relay.db'));
  try {
    switch (action) {
      case undefined:
        return await serveRelay(settings, database);
      case 'code':
        process.stdout.write(await ownerCode(database));
        return EXIT.ok;
      case 'users':
        return await listUsers(database);
      case 'suspend':
      case 'resume':
        return await setSuspended(database, id ?? '', action === 'suspend');
      default:
        throw new UsageError(`Usage: ${USAGE}.`);
    }
  } finally {
    database.close();
  }
}

async function relaySettings(flags: Flags): Promise<Settings> {
  const chosen = flags.has('port') || process.env['LOCAL_CODER_PORT'] || process.env['PORT'];
  const settings = await loadSettings(
    chosen ? flags : new Map<SettingName, unknown>([...flags, ['port', DEFAULT_PORT]]),
    process.env,
    process.cwd(),
  );
  return settings;
}

async function serveRelay(settings: Settings, database: RelayDatabase): Promise<ExitCode> {
  const log = createLog(settings['log-level']);
  for (const warning of settings.warnings) log.warn(warning);
  const publicUrl = settings['public-url'];
  if (publicUrl !== undefined && new URL(publicUrl).pathname !== '/') {
    throw new UsageError('--public-url of a relay is an origin: https://relay.example, without a path.');
  }
  const host = process.env['RELAY_HOST'] || settings.host;
  if (publicUrl === undefined && !LOOPBACK.test(host)) {
    throw new UsageError('RELAY_HOST beyond loopback needs --public-url https://…, where a proxy adds TLS.');
  }
  const methods = await signInMethods(database, publicUrl, host);
  const { startNodeRelay } = await import('../relay/adapters/node/relay.ts');
  const running = await bound(settings.port, () =>
    startNodeRelay({
      database,
      host,
      port: settings.port,
      publicUrl,
      methods,
      cookieSecret: process.env['OAUTH_COOKIE_SECRET'],
      clientAddressHeader: process.env['RELAY_CLIENT_ADDRESS_HEADER'] || undefined,
      maxToolMs: toolLimit(),
      onRequest: (method, path, status) => log.info(`${method} ${forTerminal(path)} → ${status}`),
      onCall: (record, userId) =>
        log.info(
          `${forTerminal(record.tool.slice(0, 64))} ${record.code ?? record.outcome} in ${Math.round(record.durationMs)} ms · ${userId}`,
        ),
      onError: (error) => log.error(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    } satisfies NodeRelayOptions),
  );
  process.stdout.write(`Relay       ${running.url}\nConnector   ${running.url}/mcp\n`);
  if (methods.some(({ id }) => id === 'code')) {
    process.stdout.write(`Sign in     ${running.url}/sign-in\n${await ownerCode(database)}`);
  }
  const signal = await onTermination();
  log.info(`${signal}: ending`);
  await running.close(GRACE_MS);
  return EXIT.ok;
}

async function signInMethods(
  database: RelayDatabase,
  publicUrl: string | undefined,
  host: string,
): Promise<SignInMethod[]> {
  const [{ configuredMethods }, { ownerCodeSignIn }] = await Promise.all([
    import('../relay/identity/methods.ts'),
    import('../relay/identity/owner-code.ts'),
  ]);
  let methods: SignInMethod[];
  try {
    methods = configuredMethods(process.env);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (!methods.some(({ id }) => id === 'github')) methods.unshift(ownerCodeSignIn(database.sql));
  if (process.env['DEV_AUTH_BYPASS_ENABLED'] !== 'true') return methods;
  if (publicUrl !== undefined || !LOOPBACK.test(host)) {
    throw new UsageError(
      'DEV_AUTH_BYPASS_ENABLED lets everybody in: it works on loopback without --public-url only. Unset it.',
      EXIT.refused,
    );
  }
  const { developmentSignIn } = await import('../relay/identity/development.ts');
  return [...methods, developmentSignIn()];
}

function toolLimit(): number | undefined {
  const text = process.env['RELAY_MAX_TOOL_MS'];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 100 && value <= 38_000) return value;
  throw new UsageError('RELAY_MAX_TOOL_MS must be milliseconds from 100 to 38000.');
}

async function bound<T>(port: number, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE') throw error;
    throw new UsageError(
      `Port ${port} is taken. Choose another with --port N (0 picks a free one).`,
      EXIT.portTaken,
    );
  }
}

async function ownerCode({ sql }: RelayDatabase): Promise<string> {
  const { newOwnerCode } = await import('../relay/identity/owner-code.ts');
  return `One-time code: ${await newOwnerCode(sql, Date.now())}  signs you in as the owner, once, within ten minutes.\n`;
}

async function listUsers({ sql }: RelayDatabase): Promise<ExitCode> {
  const { Users } = await import('../relay/core/users.ts');
  const users = await new Users(sql).list();
  const lines = users.map(
    ({ id, provider, name, suspended }) =>
      `${id}  ${provider}  ${forTerminal(name)}${suspended ? '  suspended' : ''}\n`,
  );
  process.stdout.write(lines.length === 0 ? 'Nobody has signed in yet.\n' : lines.join(''));
  return EXIT.ok;
}

async function setSuspended({ sql }: RelayDatabase, id: string, suspended: boolean): Promise<ExitCode> {
  const { Users } = await import('../relay/core/users.ts');
  const known = await new Users(sql).setSuspended(id, suspended);
  process.stdout.write(
    known
      ? `${id} is ${suspended ? 'suspended: clients are refused from now on, agents are dropped within seconds' : 'active again'}.\n`
      : `There is no user of id "${forTerminal(id)}"; see local-coder relay users.\n`,
  );
  return known ? EXIT.ok : EXIT.failed;
}

/** Reads the password from standard input: an argument would show in the process list. */
async function hashPassword(): Promise<ExitCode> {
  if (process.stdin.isTTY)
    process.stderr.write('Password, then Enter and Ctrl+D (it shows while you type):\n');
  let password = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) password += chunk;
  password = password.replace(/\r?\n$/, '');
  if (password.length < 12) throw new UsageError('The password must have 12 characters or more.');
  const { hashPassword: hash } = await import('../relay/identity/password.ts');
  process.stdout.write(`${await hash(password)}\n`);
  return EXIT.ok;
}
