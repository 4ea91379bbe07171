import type { SettingName } from '../config/definitions.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import { changeConfiguration, readConfiguration } from '../relay/agent/configuration.ts';
import { revoke } from '../relay/agent/relay-http.ts';
import { agentStateDir } from './agent-state.ts';

/**
 * `local-coder unpair`: revokes the credential at the relay and forgets it. The workspaces stay for the next pairing;
 * an agent that runs ends by itself.
 * @param force forget it also when the relay cannot be reached
 */
export async function unpair(
  flags: ReadonlyMap<SettingName, unknown>,
  force: boolean,
  output: { write(text: string): unknown } = process.stdout,
): Promise<ExitCode> {
  const stateDir = await agentStateDir(flags);
  const { agent } = await readConfiguration(stateDir);
  if (agent === undefined) {
    output.write('This machine is not paired.\n');
    return EXIT.ok;
  }
  try {
    await revoke(agent);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (!force) {
      throw new UsageError(
        `${error.message} Nothing was changed; try again, or forget the credential here with --force and revoke the agent on the page of the relay.`,
        EXIT.failed,
      );
    }
    output.write(`${error.message} Revoke the agent on the page of the relay.\n`);
  }
  await changeConfiguration(stateDir, ({ workspaces, agent: present }) => ({
    workspaces,
    // Another command may have paired anew meanwhile.
    ...(present !== undefined && present.agentToken !== agent.agentToken && { agent: present }),
  }));
  output.write(`No longer paired with ${agent.serverBaseUrl}; the workspaces stay.\n`);
  return EXIT.ok;
}
