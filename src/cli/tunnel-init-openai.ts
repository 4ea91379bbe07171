import { Writable } from 'node:stream';
import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { openStateDir } from '../config/state-dir.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import {
  checkApiKey,
  checkCredentials,
  checkTunnelId,
  credentialsFile,
  DEFAULT_BASE_URL,
  parseBaseUrl,
  storeCredentials,
} from '../tunnel/openai/index.ts';
import { TunnelError } from '../tunnel/types.ts';

const CHECK_MS = 30_000;

/** `local-coder tunnel init openai`: asks for tunnel id and key, asks the service about them, and stores them (0600). */
export async function tunnelInitOpenAi(flags: ReadonlyMap<SettingName, unknown>): Promise<ExitCode> {
  const settings = await loadSettings(flags, process.env, process.cwd());
  const { stateDir } = await openStateDir(settings['state-dir'], {
    portable: settings.portable,
    mustKeep: true,
  });
  const questions = await openQuestions();
  try {
    process.stdout.write(
      'Create a tunnel and a key at https://platform.openai.com/settings/organization/tunnels first.\n',
    );
    const tunnelId = checkTunnelId(await questions.ask('Tunnel id (tunnel_…): '));
    const apiKey = checkApiKey(await questions.ask('API key (is not shown): ', true));
    const baseUrl = parseBaseUrl(
      settings['tunnel-base-url'] ?? process.env['CONTROL_PLANE_BASE_URL'] ?? DEFAULT_BASE_URL,
    );
    process.stdout.write(`Asking ${baseUrl.host} …\n`);
    const organizationId = process.env['CONTROL_PLANE_ORGANIZATION_ID'] || undefined;
    const record = await checkCredentials(
      { tunnelId, apiKey, baseUrl, organizationId },
      { env: process.env, signal: AbortSignal.timeout(CHECK_MS) },
    );
    await storeCredentials(stateDir, { tunnelId, apiKey, organizationId });
    const name = record.name === undefined ? '' : ` (${record.name})`;
    process.stdout.write(
      `The service accepts them${name}. Stored in ${credentialsFile(stateDir)}; start with --tunnel openai.\n`,
    );
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof TunnelError)) throw error;
    throw new UsageError(
      `${error.message} ${error.hint} Nothing was stored.`,
      error.reason === 'refused' ? EXIT.refused : error.reason === 'failed' ? EXIT.failed : EXIT.usage,
    );
  } finally {
    questions.close();
  }
}

/** Questions on the terminal, or answers one per line from a pipe. */
async function openQuestions() {
  const { createInterface } = await import('node:readline');
  let hidden = false;
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (!hidden) process.stdout.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: process.stdin.isTTY === true });
  const waiting: ((line: string) => void)[] = [];
  const come: string[] = [];
  let ended = false;
  lines.on('line', (line) => {
    const next = waiting.shift();
    if (next) next(line);
    else come.push(line);
  });
  lines.once('close', () => {
    ended = true;
    for (const next of waiting.splice(0)) next('');
  });
  return {
    async ask(question: string, secret = false): Promise<string> {
      process.stdout.write(question);
      hidden = secret;
      const line =
        come.shift() ?? (ended ? '' : await new Promise<string>((resolve) => waiting.push(resolve)));
      hidden = false;
      if (secret) process.stdout.write('\n');
      return line.trim();
    },
    close: () => lines.close(),
  };
}
