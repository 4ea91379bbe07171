import { setTimeout as delay } from 'node:timers/promises';
import { describeCommands } from '../access/sandbox/index.ts';
import type { SettingName } from '../config/definitions.ts';
import { loadSettings, type Settings } from '../config/load.ts';
import { openStateDir } from '../config/state-dir.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import { CallBook } from '../dashboard/call-book.ts';
import { createApp } from '../http/app.ts';
import { type Listener, listen } from '../http/listener.ts';
import type { PublicAppOptions } from '../http/public-app.ts';
import type { RequestLine } from '../http/request-log.ts';
import { createMcpEndpoint } from '../mcp/http.ts';
import { systemCode } from '../runtime/errors.ts';
import { createLog, type Log } from '../runtime/log.ts';
import type { AccessMode } from '../workspace/index.ts';
import { askForApproval } from './approval-terminal.ts';
import type { Gatekeeper } from './caller-auth.ts';
import { startCard } from './card.ts';
import { addressOf, isLoopback } from './host-address.ts';
import { LocalPage } from './local-page.ts';
import { portOwner } from './port-owner.ts';
import { startProgram } from './program.ts';
import { publicAuth, wantsPublicSide } from './provider-settings.ts';
import type { PublicSide, PublicSideOptions } from './public-side.ts';
import { register } from './registration.ts';
import { ServedModes } from './served-modes.ts';
import { onTermination } from './termination.ts';

/** How long running calls may take to finish when the server is told to end. */
const GRACE_MS = 5_000;
const PREPARE_SHELL_MS = 1_000;
/** Opening the register takes 5 ms: after the answer to whoever waited for the address. */
const REGISTER_AFTER_MS = 25;

/** `local-coder serve`: listens until a signal ends it. */
export async function serve(flags: ReadonlyMap<SettingName, unknown>): Promise<ExitCode> {
  const settings = await loadSettings(flags, process.env, process.cwd());
  assertRelayLimits(settings, flags);
  if (wantsPublicSide(settings)) publicAuth(settings); // refused before anything is started, replaced or said
  const log = createLog(settings['log-level']);
  for (const warning of settings.warnings) log.warn(warning);
  const { stateDir, warning, portable } = await openStateDir(settings['state-dir'], settings);
  if (warning !== undefined) log.warn(warning);
  if (settings.replace) await replaceOlder(settings, stateDir, log);

  // A listener that others reach has no page: nobody would ever look at its calls.
  const calls = isLoopback(settings.host) ? new CallBook() : undefined;
  const program = startProgram(settings, stateDir, log, { calls });
  const onError = (error: Error) => log.debug(error.message);
  const mcp = createMcpEndpoint({ registry: program.registry, instructions: program.instructions, onError });
  let port = settings.port;
  const modes = new ServedModes({ program, mcp }, settings, stateDir, log);
  const auth = listenerAuth(settings);
  const gatekeeper = await gatekeeperFor(settings, stateDir, log);
  let pageOrigin = '';
  let publicSide: PublicSide | undefined;
  const page =
    calls &&
    new LocalPage({
      settings,
      stateDir,
      calls,
      approvals: program.approvals,
      modes,
      gatekeeper,
      auth: auth ?? askedOfStrangers(settings),
      origin: () => pageOrigin,
      publicSide: () => publicSide,
      log,
    });
  const callerAuth = auth && gatekeeper?.callerAuth(auth, ({ headers }) => `http://${headers.get('host')}`);
  const routes = {
    mcpFor: (granted: AccessMode | undefined) => modes.mcpFor(granted),
    onRequest: (line: RequestLine) => tellRequest(line, log, page),
    onError: (error: Error) => log.error(error.stack ?? error.message),
  };
  const app =
    callerAuth !== undefined && !isLoopback(settings.host)
      ? await exposedApp({ ...routes, auth: callerAuth, served: () => modes.services })
      : createApp({
          ...routes,
          mcp,
          auth: callerAuth,
          workspace: program.services.workspace,
          offers: program.services.offers,
          port: () => port,
          page: page && ((request) => page.fetch(request)),
        });
  const listener = await bind(app.fetch, settings);
  port = listener.port;
  const origin = `http://${addressOf(settings.host)}:${port}`;
  // A name may lead a browser to another listener: that of 127.0.0.1 is here, that of [::1] may be the model's own, and the
  // link's token goes to whoever is there.
  const boundHost = settings.host === 'localhost' ? listener.address : settings.host;
  pageOrigin = `http://${addressOf(boundHost)}:${port}`;
  modes.setBaseUrl(origin);
  process.stdout.write(
    startCard(
      settings,
      `${origin}${auth === 'url' ? await secretPath(gatekeeper) : '/mcp'}`,
      process.stdout,
      await describeCommands(settings.access, program.services.sandbox),
      portable?.says,
      page?.link(),
    ),
  );

  const stopAsking = askForApproval(program.approvals, log, page !== undefined);
  const terminated = onTermination();
  const registered = delay(REGISTER_AFTER_MS).then(() =>
    register({ ...settings, host: boundHost }, stateDir, port, log),
  );
  if (gatekeeper && wantsPublicSide(settings)) {
    const onRequest = (line: RequestLine) => tellRequest(line, log, page);
    const onStatus = () => void registered.then((entry) => entry?.tell(publicSide?.tunnel()));
    publicSide = await openPublic({
      settings,
      stateDir,
      modes,
      gatekeeper,
      log,
      listener,
      onRequest,
      onStatus,
    });
    onStatus();
  }
  void program.recover();
  // The shell's start files are read before the first command needs them, but not while a client connects.
  setTimeout(() => void program.services.shell.prepare().catch(() => {}), PREPARE_SHELL_MS).unref();

  const end = await Promise.race([terminated, ...(publicSide ? [publicSide.failed] : [])]);
  if (typeof end === 'string') log.info(`${end}: ending; running calls have ${GRACE_MS / 1000} s`);
  stopAsking();
  const publicClosed = publicSide?.close(GRACE_MS);
  await page?.close();
  const closed = listener.close(GRACE_MS);
  await program.registry.drain(GRACE_MS);
  await program.close();
  await Promise.all([closed, publicClosed, modes.close(GRACE_MS)]);
  await mcp.close();
  gatekeeper?.close();
  (await registered)?.remove();
  if (typeof end !== 'string') throw end;
  return EXIT.ok;
}

/** What comes through a relay could be asked by whoever runs it: how far that goes is said, not assumed. */
function assertRelayLimits(settings: Settings, flags: ReadonlyMap<SettingName, unknown>): void {
  if (settings.tunnel !== 'relay') return;
  if (settings.tools === 'viewer') {
    throw new UsageError(
      'The viewer goes through a relay without a tunnel: local-coder agent serves the workspaces that were added.',
    );
  }
  if (flags.has('access') || process.env['LOCAL_CODER_ACCESS']) return;
  throw new UsageError(
    '--tunnel relay lets the relay use the tools on this machine: say how much with --access (workspace is suggested, since whoever runs the relay could use it).',
  );
}

/** On another address than loopback everybody in the network can knock: nobody gets in without a proof. */
function listenerAuth(settings: Settings): 'oauth' | 'url' | undefined {
  if (isLoopback(settings.host)) return settings.auth === 'none' ? undefined : settings.auth;
  if (settings.auth === 'none') {
    throw new UsageError(
      `--auth none is not possible with --host ${settings.host}, which others can reach. Use oauth (the default there) or url.`,
    );
  }
  return settings.auth ?? 'oauth';
}

/** The routes for an address that others can reach: those of the public listener. */
async function exposedApp({
  mcpFor,
  ...routes
}: Pick<PublicAppOptions, 'auth' | 'served' | 'onRequest' | 'onError'> & {
  mcpFor: PublicAppOptions['mcp'];
}) {
  const [{ createPublicApp }, { HealthKey }] = await Promise.all([
    import('../http/public-app.ts'),
    import('../tunnel/health-key.ts'),
  ]);
  return createPublicApp({ ...routes, mcp: mcpFor, health: new HealthKey(), streams: () => true });
}

/** Where callers have to prove themselves, be it on this machine (--auth) or from the web. */
async function gatekeeperFor(settings: Settings, stateDir: string, log: Log) {
  if (!wantsPublicSide(settings) && listenerAuth(settings) === undefined) return undefined;
  return (await import('./caller-auth.ts')).openGatekeeper(settings, stateDir, log);
}

/** The private listener is open already: a public side that cannot be opened must not leave it behind. */
async function openPublic({
  listener,
  ...options
}: PublicSideOptions & { listener: Listener }): Promise<PublicSide> {
  const { openPublicSide } = await import('./public-side.ts');
  try {
    return await openPublicSide(options);
  } catch (error) {
    await listener.close(0);
    throw error;
  }
}

/** The secret is for a terminal alone. */
async function secretPath(gatekeeper: Gatekeeper | undefined): Promise<string> {
  if (!process.stdout.isTTY || gatekeeper === undefined) return '/mcp/… (local-coder token show)';
  return gatekeeper.secretUrl.path();
}

async function bind(fetch: Parameters<typeof listen>[0], settings: Settings): Promise<Listener> {
  try {
    return await listen(fetch, { host: settings.host, port: settings.port });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EADDRINUSE') {
      const owner = await portOwner(settings.port);
      throw new UsageError(
        `Port ${settings.port} is taken${owner === undefined ? '' : ` by ${owner}`}. ` +
          'Choose another with --port N (0 picks a free one); if it is an older local-coder, start with --replace.',
        EXIT.portTaken,
      );
    }
    if (code === 'EACCES') {
      throw new UsageError(
        `Port ${settings.port} may not be used by this user. Choose one above 1023 with --port N.`,
      );
    }
    throw new UsageError(
      `${settings.host} port ${settings.port} cannot be listened on (${code ?? String(error)}). Choose another --host or --port.`,
      EXIT.failed,
    );
  }
}

async function replaceOlder(settings: Settings, stateDir: string, log: Log): Promise<void> {
  const [{ openInstances }, { stopInstance }] = await Promise.all([
    import('./instances.ts'),
    import('./stop-instance.ts'),
  ]);
  const instances = await openInstances(stateDir);
  try {
    for (const instance of await instances.running()) {
      if (instance.port !== settings.port || instance.pid === process.pid) continue;
      log.info(`replacing the instance with pid ${instance.pid} on port ${instance.port}`);
      if (!(await stopInstance(instance))) {
        throw new UsageError(
          `The older instance (pid ${instance.pid}) could not be stopped; stop it by hand.`,
          EXIT.portTaken,
        );
      }
      await delay(0);
    }
  } finally {
    instances.close();
  }
}

/** What the page asks for all the time would drown what the user wants to see, unless it is refused. */
function tellRequest(line: RequestLine, log: Log, page: LocalPage | undefined): void {
  page?.seen(line);
  const isPage = line.path.startsWith('/page/') && line.status < 400;
  log[isPage ? 'debug' : 'info'](requestLine(line));
}

/** What strangers are asked for; with the OpenAI tunnel the tunnel service lets in. */
function askedOfStrangers(settings: Settings): 'oauth' | 'url' | undefined {
  return wantsPublicSide(settings) && settings.tunnel !== 'openai' ? publicAuth(settings) : undefined;
}

function requestLine(line: RequestLine): string {
  const what = [line.method, line.tool].filter(Boolean).join(' ');
  const client = line.client === undefined ? '' : ` · ${line.client}`;
  const outcome = line.call === undefined ? line.status : (line.call.code ?? line.call.outcome);
  return `${line.httpMethod} ${line.path}${what && ` ${what}`} → ${outcome} in ${Math.round(line.durationMs)} ms${client}`;
}
