import { hostname } from 'node:os';
import { createInterface } from 'node:readline/promises';
import type { SettingName } from '../config/definitions.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import { changeConfiguration, readConfiguration } from '../relay/agent/configuration.ts';
import { pairWith, relayBaseUrl, revoke } from '../relay/agent/relay-http.ts';
import { forTerminal } from '../runtime/terminal.ts';
import { agentStateDir } from './agent-state.ts';

export interface PairStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/**
 * `local-coder pair CODE --relay URL`: makes this machine an agent of a relay's account. Shows whose it would be and
 * asks before anything is kept: a code can be somebody else's.
 */
export async function pair(
  flags: ReadonlyMap<SettingName, unknown>,
  code: string | undefined,
  relay: string | undefined,
  { input, output }: PairStreams = { input: process.stdin, output: process.stdout },
): Promise<ExitCode> {
  if (code === undefined || code.trim() === '' || relay === undefined) {
    throw new UsageError('Usage: local-coder pair CODE --relay URL.');
  }
  const serverBaseUrl = relayBaseUrl(relay);
  const stateDir = await agentStateDir(flags);
  const { agent } = await readConfiguration(stateDir);
  if (agent !== undefined) {
    throw new UsageError(
      `This machine is paired with ${agent.serverBaseUrl} already. Run local-coder unpair first; the workspaces stay.`,
      EXIT.failed,
    );
  }
  const paired = await pairWith(serverBaseUrl, code.trim(), hostname().slice(0, 120) || 'computer');
  const { agentId, agentToken, account, agentDisplayName } = paired;
  output.write(
    `Relay    ${serverBaseUrl}\nAccount  ${forTerminal(account)}\nAgent    ${forTerminal(agentDisplayName)} (${agentId})\n\n` +
      'Whoever uses this account will be able to read the workspaces that you add.\n',
  );
  if (!(await agrees({ input, output }))) {
    await revoke({ serverBaseUrl, agentToken }).catch((error: unknown) =>
      output.write(`${error instanceof Error ? error.message : error} Revoke the agent on its page.\n`),
    );
    output.write('Nothing was stored.\n');
    return EXIT.failed;
  }
  await changeConfiguration(stateDir, (present) => ({
    ...present,
    agent: { agentId, agentToken, serverBaseUrl, account, agentDisplayName },
  }));
  output.write(
    'Paired. Next: local-coder workspace add --name NAME --path FOLDER, then local-coder agent.\n',
  );
  return EXIT.ok;
}

/** Only a yes is one; the end of the input is none. */
async function agrees({ input, output }: PairStreams): Promise<boolean> {
  const lines = createInterface({ input, terminal: false });
  output.write('Is this your account? [y/N] ');
  try {
    for await (const line of lines) return /^\s*(y|yes)\s*$/i.test(line);
    return false;
  } finally {
    lines.close();
    output.write('\n');
  }
}
