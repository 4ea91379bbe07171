import { z } from 'zod';
import { formatCount, oneLine } from '../shell/index.ts';
import { defineTool, READS, RUNS } from './define.ts';
import { processData, processShape, processState } from './shell-answers.ts';

const startProcess = defineTool({
  name: 'start_process',
  description:
    'Start a long-running program (dev server, watcher, REPL) in the background; answers at once with an id for process_output, write_process_input and stop_process. For commands that end use run_command.',
  input: z.object({
    command: z.string().min(1),
    working_directory: z.string().optional(),
    name: z.string().min(1).max(64).optional(),
    pty: z.boolean().default(false).describe('on a pseudo-terminal'),
  }),
  output: processShape,
  annotations: RUNS,
  bulk: [],
  async handler(input, context) {
    const { workspace, shell } = context.services;
    const info = await shell.startProcess(
      {
        command: input.command,
        root: workspace.defaultRoot,
        workingDirectory:
          input.working_directory === undefined
            ? undefined
            : await workspace.forReading(input.working_directory),
        name: input.name,
        pty: input.pty,
      },
      context,
    );
    return {
      summary: `"${oneLine(info.command, 60)}" was started; process_output {"id":"${info.id}","cursor":"0","wait_ms":5000} shows what it prints.`,
      data: processData(info, workspace),
    };
  },
});

const processStatus = defineTool({
  name: 'process_status',
  description:
    'List running and finished processes of start_process and run_command, or one of them: state, exit code, pid, ports it listens on. For output use process_output.',
  input: z.object({ id: z.string().optional() }),
  output: () => z.object({ processes: z.array(processShape()) }),
  annotations: READS,
  bulk: [],
  async handler({ id }, { services: { shell, workspace } }) {
    const infos = await shell.processStatus(id);
    const running = infos.filter((info) => info.state !== 'exited').length;
    const first = infos[0];
    const summary =
      id !== undefined && first
        ? `Process ${first.id} ${processState(first)}.`
        : `${running} running, ${infos.length - running} finished.`;
    return { summary, data: { processes: infos.map((info) => processData(info, workspace)) } };
  },
});

const processOutput = defineTool({
  name: 'process_output',
  description:
    'Read the output of a running or finished process by its process_id: after a cursor (data.cursor is the next one), or its last tail_chars; wait_ms waits for more.',
  input: z.object({
    id: z.string(),
    tail_chars: z.number().int().positive().optional(),
    cursor: z.union([z.string(), z.number()]).optional(),
    wait_ms: z.number().int().min(0).optional(),
  }),
  output: () =>
    z.object({
      process_id: z.string(),
      state: z.enum(['running', 'background', 'exited']),
      exit_code: z.number().nullable(),
      signal: z.string().optional(),
      timed_out: z.boolean().optional(),
      cursor: z.string(),
      remaining_bytes: z.number(),
      truncated: z.boolean(),
      non_utf8: z.boolean().optional(),
      stdout: z.string(),
      stderr: z.string(),
    }),
  annotations: READS,
  bulk: ['stdout', 'stderr'],
  slim: true,
  async handler(input, context) {
    const result = await context.services.shell.processOutput(
      { id: input.id, tailChars: input.tail_chars, cursor: input.cursor?.toString(), waitMs: input.wait_ms },
      context,
    );
    const { info } = result;
    const isEmpty = result.stdout === '' && result.stderr === '';
    // The first bytes of a character whose rest is still to come: asking at once would give the same answer again.
    const isPartOfCharacter = isEmpty && info.state === 'running' && result.remainingBytes < 8;
    const more =
      result.remainingBytes > 0 && !isPartOfCharacter
        ? ` ${formatCount(result.remainingBytes)} bytes follow: process_output {"id":"${info.id}","cursor":"${result.cursor}"}.`
        : isEmpty
          ? ' No new output.'
          : '';
    return {
      summary: `Process ${info.id} ${processState(info)}.${more}`,
      data: {
        process_id: info.id,
        state: info.state,
        exit_code: info.exitCode,
        ...(info.signal === null ? {} : { signal: info.signal }),
        ...(info.timedOut ? { timed_out: true } : {}),
        cursor: result.cursor,
        remaining_bytes: result.remainingBytes,
        truncated: result.truncated,
        ...(result.lossy ? { non_utf8: true } : {}),
        stdout: result.stdout,
        stderr: result.stderr,
      },
    };
  },
});

const writeProcessInput = defineTool({
  name: 'write_process_input',
  description:
    'Write text to the stdin of a process of start_process, for example an answer to a prompt (end it with a newline); close ends its input. The reply is read with process_output.',
  input: z.object({ id: z.string(), input: z.string(), close: z.boolean().default(false) }),
  output: () =>
    z.object({ process_id: z.string(), state: z.string(), bytes: z.number(), cursor: z.string() }),
  annotations: RUNS,
  slim: true,
  async handler({ id, input, close }, { services: { shell } }) {
    const { info, cursor } = await shell.writeInput(id, input, close);
    const bytes = Buffer.byteLength(input);
    // What ends in a printable character is a line that was not sent off; keys of a terminal are control characters.
    const open =
      !close && /[^\p{Cc}]$/u.test(input) ? ' No newline ended it; most programs wait for one.' : '';
    return {
      summary: `${formatCount(bytes)} ${bytes === 1 ? 'byte was' : 'bytes were'} written to process ${info.id}${close ? ', its input was closed' : ''}.${open}`,
      data: { process_id: info.id, state: info.state, bytes, cursor },
    };
  },
});

const stopProcess = defineTool({
  name: 'stop_process',
  description:
    'Stop (kill) a process and everything it started, also children that left its group: politely, after 3 s by force; force: at once.',
  input: z.object({ id: z.string(), force: z.boolean().default(false) }),
  output: () => processShape().extend({ survivors: z.array(z.number()).optional() }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  bulk: [],
  slim: true,
  async handler({ id, force }, { services: { shell, workspace } }) {
    const { info, survivors } = await shell.stopProcess(id, force);
    const rest = survivors.length > 0 ? ` These could not be killed: ${survivors.join(', ')}.` : '';
    return {
      summary: `Process ${info.id} ${processState(info)}.${rest}`,
      data: { ...processData(info, workspace), ...(survivors.length > 0 ? { survivors } : {}) },
    };
  },
});

const clearProcesses = defineTool({
  name: 'clear_processes',
  description:
    'Forget finished processes and delete their output logs. Running ones stay; end those with stop_process.',
  input: z.object({}),
  output: () => z.object({ cleared: z.number() }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  async handler(_input, { services: { shell } }) {
    const cleared = await shell.clearProcesses();
    return {
      summary:
        cleared === 1 ? '1 finished process was forgotten.' : `${cleared} finished processes were forgotten.`,
      data: { cleared },
    };
  },
});

export const processTools = [
  startProcess,
  processStatus,
  processOutput,
  writeProcessInput,
  stopProcess,
  clearProcesses,
];
