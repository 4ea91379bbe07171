import { z } from 'zod';
import { defineTool, RUNS } from './define.ts';
import { commandData, commandOutput, commandSummary } from './shell-answers.ts';

export const runCommand = defineTool({
  name: 'run_command',
  description:
    "Run a shell command (terminal, bash): build, test, install, git, anything. cwd, environment, functions, aliases and venvs carry over to the shell's next call; the last to finish wins. After yield_ms (default 10 s) it answers with process_id and the command goes on: read on with process_output. stdin is closed; add 2>&1 for stdout and stderr in order. For servers use start_process, for the project's own scripts run_script.",
  input: z.object({
    command: z.string().min(1),
    working_directory: z.string().optional().describe('for this call alone'),
    timeout: z.number().positive().optional().describe('seconds, then killed'),
    yield_ms: z.number().int().min(0).optional(),
    shell: z.string().min(1).max(64).optional().describe('name of a shell with its own state'),
    again: z.boolean().default(false).describe('run although the same command still runs'),
  }),
  output: commandOutput,
  annotations: RUNS,
  bulk: ['stdout', 'stderr'],
  slim: true,
  async handler(input, context) {
    const { workspace, shell } = context.services;
    const result = await shell.runCommand(
      {
        command: input.command,
        root: workspace.defaultRoot,
        workingDirectory:
          input.working_directory === undefined
            ? undefined
            : await workspace.forReading(input.working_directory),
        timeoutMs: input.timeout === undefined ? undefined : input.timeout * 1000,
        yieldMs: input.yield_ms,
        shell: input.shell,
        again: input.again,
      },
      context,
    );
    return { summary: commandSummary(result), data: commandData(result, workspace) };
  },
});
