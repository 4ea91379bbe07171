import { z } from 'zod';
import { findScript, listScripts, scriptCommand } from '../shell/index.ts';
import { defineTool, READS, RUNS } from './define.ts';
import { count, inSentence, startingSentence } from './files-call.ts';
import { commandData, commandOutput, commandSummary } from './shell-answers.ts';

const listScriptsTool = defineTool({
  name: 'list_scripts',
  description:
    'List the scripts and tasks that a project defines (package.json, Makefile, justfile, cargo, go, composer, rake, gradle, pyproject …) with their exact commands; run_script runs one by name.',
  input: z.object({ path: z.string().optional().describe('folder of the project') }),
  output: () =>
    z.object({
      path: z.string(),
      scripts: z.array(
        z.object({
          name: z.string(),
          command: z.string(),
          source: z.string(),
          detail: z.string().optional(),
        }),
      ),
    }),
  annotations: READS,
  bulk: [],
  async handler({ path }, { services: { workspace } }) {
    const folder = await workspace.forReading(path ?? '.');
    const scripts = await listScripts(folder);
    const shown = workspace.display(folder);
    return {
      summary:
        scripts.length === 0
          ? `No script is defined in ${inSentence(shown)}; give path, the folder of a package, or use run_command.`
          : `${count(scripts.length, 'script')} in ${inSentence(shown)}.`,
      data: {
        path: shown,
        scripts: scripts.map(({ name, command, source, detail }) => ({
          name,
          command,
          source,
          ...(detail === undefined ? {} : { detail: detail.slice(0, 200) }),
        })),
      },
    };
  },
});

const runScriptTool = defineTool({
  name: 'run_script',
  description:
    'Run a script that the project defines, by name: test, build, lint, format … (npm, make, just, cargo, go …; list_scripts shows them). Answers as run_command does, which runs anything else.',
  input: z.object({
    name: z.string().min(1),
    args: z.array(z.string()).optional(),
    path: z.string().optional().describe('folder of the project'),
  }),
  output: commandOutput,
  annotations: RUNS,
  bulk: ['stdout', 'stderr'],
  slim: true,
  async handler({ name, args, path }, context) {
    const { workspace, shell } = context.services;
    const folder = await workspace.forReading(path ?? '.');
    const script = findScript(await listScripts(folder), name, startingSentence(workspace.display(folder)));
    const command = scriptCommand(script, args ?? [], await shell.quoter());
    const result = await shell.runCommand(
      { command, root: workspace.defaultRoot, workingDirectory: folder },
      context,
    );
    return { summary: commandSummary(result), data: commandData(result, workspace) };
  },
});

export const scriptTools = [listScriptsTool, runScriptTool];
