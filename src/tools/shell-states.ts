import { z } from 'zod';
import { defineTool, READS } from './define.ts';
import { inSentence } from './files-call.ts';

const shellStatus = defineTool({
  name: 'shell_status',
  description:
    'List the named shells of run_command: working directory, recent commands, how many commands run. For running commands use process_status.',
  input: z.object({}),
  output: () =>
    z.object({
      shells: z.array(
        z.object({
          name: z.string(),
          kind: z.string(),
          cwd: z.string(),
          running: z.number(),
          recent_commands: z.array(z.string()),
        }),
      ),
    }),
  annotations: READS,
  async handler(_input, { services: { shell, workspace } }) {
    const shells = shell.shells(workspace.defaultRoot).map((info) => ({
      name: info.name,
      kind: info.kind,
      cwd: workspace.display(info.cwd),
      running: info.runningCommands,
      recent_commands: [...info.recentCommands],
    }));
    const names = shells.map((info) => `${info.name} in ${inSentence(info.cwd)}`).join(', ');
    return {
      summary: shells.length === 0 ? 'No shell was used since the server started.' : `Shells: ${names}.`,
      data: { shells },
    };
  },
});

const shellReset = defineTool({
  name: 'shell_reset',
  description:
    'Forget the state of a run_command shell: working directory, variables, functions, aliases. Running commands go on; end them with stop_process.',
  input: z.object({ shell: z.string().min(1).max(64).optional() }),
  output: () => z.object({ name: z.string(), cwd: z.string() }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  async handler(input, context) {
    const { shell, workspace } = context.services;
    const info = await shell.resetShell(input.shell, workspace.defaultRoot, context);
    const cwd = workspace.display(info.cwd);
    return { summary: `Shell "${info.name}" is new, in ${inSentence(cwd)}.`, data: { name: info.name, cwd } };
  },
});

export const shellStateTools = [shellStatus, shellReset];
