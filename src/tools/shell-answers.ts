import { z } from 'zod';
import {
  type CommandResult,
  formatCount,
  formatDuration,
  oneLine,
  type ProcessInfo,
} from '../shell/index.ts';
import type { Workspace } from '../workspace/index.ts';
import type { ShapeOf } from './define.ts';

/** Longest command that an answer repeats in full. */
const MAX_COMMAND_CHARACTERS = 2000;

/** `data` of run_command and run_script; the optional fields are there only when they say something. */
export const commandOutput = () =>
  z.object({
    command: z.string(),
    cwd: z.string(),
    exit_code: z.number().nullable(),
    stdout: z.string(),
    stderr: z.string(),
    duration_ms: z.number(),
    timed_out: z.boolean(),
    truncated: z.boolean(),
    process_id: z.string().nullable(),
    running: z.boolean().optional(),
    signal: z.string().optional(),
    cursor: z.string().optional(),
    attached: z.boolean().optional(),
    non_utf8: z.boolean().optional(),
  });

export function commandData(result: CommandResult, workspace: Workspace): ShapeOf<typeof commandOutput> {
  return {
    command: shortCommand(result.command),
    cwd: workspace.display(result.cwd),
    exit_code: result.exitCode,
    stdout: result.stdout,
    stderr: result.stderr,
    duration_ms: Math.round(result.durationMs),
    timed_out: result.timedOut,
    truncated: result.truncated,
    process_id: result.kept ? result.processId : null,
    ...(result.running ? { running: true } : {}),
    ...(result.signal === null ? {} : { signal: result.signal }),
    ...(result.kept ? { cursor: result.cursor } : {}),
    ...(result.attached ? { attached: true } : {}),
    ...(result.lossy ? { non_utf8: true } : {}),
  };
}

export function commandSummary(result: CommandResult): string {
  const name = `"${oneLine(result.command, 60)}"`;
  const time = formatDuration(result.durationMs);
  const parts = [`${outcome(result, name, time)}.`];
  if (result.attached) {
    parts.push(
      result.running
        ? 'This call joined the same command, which was running already; again: true starts another.'
        : 'This is the result of the same command, started by an earlier call.',
    );
  }
  if (result.truncated)
    parts.push(`The output (${formatCount(result.totalBytes)} bytes) is cut in the middle.`);
  if (result.leftBackground) {
    parts.push(`It left processes in the background: stop_process {"id":"${result.processId}"} ends them.`);
  }
  if (result.lossy) parts.push('Bytes that are no UTF-8 are shown as U+FFFD.');
  return parts.join(' ');
}

function outcome(result: CommandResult, name: string, time: string): string {
  if (result.running) {
    return `${name} still runs after ${time} and goes on: process_output {"id":"${result.processId}","cursor":"${result.cursor}","wait_ms":30000} waits for more`;
  }
  if (result.timedOut) return `${name} was ended by its timeout after ${time}; this is what it printed`;
  if (result.stopped) return `${name} was stopped after ${time}`;
  if (result.signal !== null) return `${name} was ended by ${result.signal} after ${time}`;
  return `${name} ended with exit code ${result.exitCode ?? 'unknown'} after ${time}`;
}

/** One process as process_status and its siblings show it. */
export const processShape = () =>
  z.object({
    process_id: z.string(),
    name: z.string().optional(),
    command: z.string(),
    cwd: z.string(),
    pid: z.number().optional(),
    state: z.enum(['running', 'background', 'exited']),
    exit_code: z.number().nullable(),
    signal: z.string().optional(),
    timed_out: z.boolean().optional(),
    started_at: z.string(),
    duration_ms: z.number(),
    output_bytes: z.number(),
    ports: z.array(z.number()).optional(),
  });

export function processData(info: ProcessInfo, workspace: Workspace): ShapeOf<typeof processShape> {
  return {
    process_id: info.id,
    ...(info.name === undefined ? {} : { name: info.name }),
    command: shortCommand(info.command),
    cwd: workspace.display(info.cwd),
    ...(info.pid === undefined ? {} : { pid: info.pid }),
    state: info.state,
    exit_code: info.exitCode,
    ...(info.signal === null ? {} : { signal: info.signal }),
    ...(info.timedOut ? { timed_out: true } : {}),
    started_at: info.startedAt,
    duration_ms: Math.round(info.durationMs),
    output_bytes: info.outputBytes,
    ...(info.ports.length > 0 ? { ports: [...info.ports] } : {}),
  };
}

/** "has been running for 12 s" · "ended with exit code 0". */
export function processState(info: ProcessInfo): string {
  const time = formatDuration(info.durationMs);
  if (info.state === 'running') return `has been running for ${time}`;
  if (info.timedOut) return `was ended by its timeout after ${time}`;
  const end =
    info.signal === null
      ? `ended with exit code ${info.exitCode ?? 'unknown'}`
      : `was ended by ${info.signal}`;
  return info.state === 'background' ? `${end} and left processes in the background` : end;
}

export function shortCommand(command: string): string {
  if (command.length <= MAX_COMMAND_CHARACTERS) return command;
  const start = command.slice(0, MAX_COMMAND_CHARACTERS).replace(/[\ud800-\udbff]$/, '');
  return `${start}… [${formatCount(command.length)} characters]`;
}
