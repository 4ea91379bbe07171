import { open } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { MARKER_VARIABLE } from '../runtime/process-tree.ts';
import { openPty } from '../runtime/pty.ts';
import { type LaunchRequest, ManagedProcess } from './managed-process.ts';

/** Wide enough that programs do not fold their lines. */
const COLUMNS = 120;
const ROWS = 40;
const END_OF_INPUT = '\x04';

/**
 * Starts a program on a pseudo-terminal; what it prints goes through this server into the log.
 * @throws {CodedError} NOT_AVAILABLE
 */
export async function launchOnTerminal(request: LaunchRequest): Promise<ManagedProcess> {
  const managed = new ManagedProcess({ ...request, mergeStderr: true, openStdin: true });
  const log = await open(managed.stdout.path, 'ax', 0o600);
  try {
    const pty = await openPty({
      file: request.file,
      args: request.args,
      cwd: request.cwd,
      env: { ...request.env, TERM: 'xterm-256color', [MARKER_VARIABLE]: managed.marker },
      columns: COLUMNS,
      rows: ROWS,
      folder: dirname(request.logPath),
      // A full disk loses output, as it would in a redirection.
      onData: (chunk) =>
        log.write(chunk).then(
          () => {},
          () => {},
        ),
      onExit: (code, signal) => {
        log.close().catch(() => {});
        managed.finish(signal > 0 ? null : code, signal > 0 ? signalName(signal) : null);
      },
    });
    managed.attach({
      pid: pty.pid,
      write: (text) => pty.write(text),
      closeInput: () => {
        pty.write(END_OF_INPUT).catch(() => {});
      },
    });
    return managed;
  } catch (error) {
    await log.close();
    await managed.stdout.remove();
    throw error;
  }
}

function signalName(signal: number): string {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}
