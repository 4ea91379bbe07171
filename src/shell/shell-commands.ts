import { stat, unlink, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Confinement, Sandbox } from '../access/sandbox/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { runProgram } from '../runtime/run-program.ts';
import { fenceOf, readTextInside } from '../workspace/index.ts';
import type { CallFiles, ShellState } from './dialects/dialect.ts';
import { usesFunctions } from './dialects/functions.ts';
import type { ShellProgram } from './dialects/index.ts';
import { sourcedFiles } from './dialects/sh-functions.ts';
import { utf8ToLatin1 } from './dialects/words.ts';
import { type LaunchRequest, type ManagedProcess, stateFolderError } from './managed-process.ts';
import { readSmallFile } from './output-log.ts';
import type { ProcessTable, Slot } from './process-table.ts';
import type { NamedShell, ShellStates } from './shell-states.ts';
import { oneLine } from './text.ts';

/** What a shell says of itself at its end; of a larger one nothing is taken over. */
const MAX_DUMP_BYTES = 16 * 1024 * 1024;
/** A sourced file above this is not searched for functions. */
const MAX_SOURCED_BYTES = 1024 * 1024;

export interface ShellCommand {
  readonly command: string;
  readonly workingDirectory?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** False: the shell's state is used and left as it is. */
  readonly savesState: boolean;
  readonly kind: LaunchRequest['kind'];
  readonly name?: string | undefined;
  readonly openStdin?: boolean;
  /** One log for both streams. */
  readonly mergeStderr?: boolean;
}

export interface StartedCommand {
  readonly process: ManagedProcess;
  /** Settles when it ended and its state was taken over. */
  readonly completed: Promise<void>;
}

interface Call {
  readonly shell: NamedShell;
  /** The state that it started from. */
  readonly before: ShellState;
  readonly generation: number;
  readonly request: ShellCommand;
  readonly process: ManagedProcess;
  readonly files: CallFiles | undefined;
  /** The command with the files that it sources, for shells that need it. */
  readonly script: string;
  readonly release: () => void;
}

/** Starts commands in named shells: a fresh process of the shell each, with the state that was saved last. */
export class ShellCommands {
  readonly #table: ProcessTable;
  readonly #states: ShellStates;
  readonly #program: ShellProgram;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #confinement: Confinement | undefined;

  constructor(
    table: ProcessTable,
    states: ShellStates,
    program: ShellProgram,
    environment: Readonly<Record<string, string>>,
    confinement: Confinement | undefined,
  ) {
    this.#confinement = confinement;
    this.#table = table;
    this.#states = states;
    this.#program = program;
    this.#environment = environment;
  }

  /**
   * @param launchProcess how the process is made; a child with log files, or a pseudo-terminal
   * @throws {CodedError} FILE_NOT_FOUND when the folder is gone, COMMAND_NOT_FOUND, TOO_LARGE, BUSY
   */
  async start(
    shell: NamedShell,
    request: ShellCommand,
    launchProcess: (request: LaunchRequest) => Promise<ManagedProcess>,
  ): Promise<StartedCommand> {
    const { command } = request;
    if (command.includes('\0')) {
      throw new CodedError('INVALID_PARAMS', 'The command contains a NUL character.', 'Remove it.');
    }
    const { dialect, file } = this.#program;
    const sandbox = await this.#confinement?.require();
    // A command that was seen to end has its state taken over before the next one begins.
    if (shell.pendingSaves.size > 0) await Promise.all(shell.pendingSaves);
    const { state, generation } = shell;
    const cwd = request.workingDirectory ?? state.cwd;
    if (sandbox && !(await sandbox.canEnter(cwd))) throw this.#notThere(shell, request, cwd);
    const restore = await this.#states.restoreFiles(shell).catch((error: unknown) => {
      throw stateFolderError(error);
    });
    const script = dialect.readsSourcedFiles
      ? await withSourcedFiles(command, cwd, sandbox !== undefined)
      : '';
    let files: CallFiles | undefined;
    try {
      const process = await this.#table.start(async (slot) => {
        files = await this.#callFiles(slot, request, restore);
        if (sandbox && files.dump !== '') await writeFile(files.dump, '', { mode: 0o600 });
        const eager = restore.functions !== undefined && usesFunctions(command, state.functions);
        const invocation = dialect.invocation(command, state, files, eager, script);
        return launchProcess({
          ...slot,
          kind: request.kind,
          command,
          verbatimArguments: invocation.verbatim === true,
          cwd,
          ...confined(sandbox, files, {
            file,
            args: invocation.args,
            cwd,
            env: { ...this.#callEnvironment(state.environment, cwd), ...invocation.env },
          }),
          shellName: shell.name,
          ...(request.name === undefined ? {} : { name: request.name }),
          ...(request.openStdin ? { openStdin: true } : {}),
          ...(request.mergeStderr ? { mergeStderr: true } : {}),
        });
      });
      if (request.timeoutMs !== undefined) process.limitTime(request.timeoutMs);
      shell.runningCommands++;
      this.#states.remember(shell, oneLine(command, 80));
      const completed = this.#complete({
        shell,
        before: state,
        generation,
        request,
        process,
        files,
        script,
        release: restore.release,
      });
      return { process, completed };
    } catch (error) {
      restore.release();
      if (files?.command !== undefined) unlink(files.command).catch(() => {});
      throw await this.#explain(error, shell, request, cwd);
    }
  }

  async #callFiles(
    slot: Slot,
    request: ShellCommand,
    restore: { readonly restore: string; readonly functions: string | undefined },
  ): Promise<CallFiles> {
    const { dialect } = this.#program;
    const files = { ...restore, dump: request.savesState ? `${slot.logPath}.state` : '' };
    if (Buffer.byteLength(request.command) <= dialect.maxArgumentBytes)
      return { ...files, command: undefined };
    // Systems limit one argument (Linux: 128 KiB, Windows: 32 Ki characters in all).
    // cmd.exe runs files of this name only; to the others it is as good as any.
    const command = `${slot.logPath}.cmd`;
    const text = dialect.commandFileText?.(request.command) ?? `${request.command}\n`;
    await writeFile(command, text, { mode: 0o600 });
    return { ...files, command };
  }

  #callEnvironment(changes: Readonly<Record<string, string | null>>, cwd: string): Record<string, string> {
    const environment: Record<string, string> = { ...this.#environment };
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) delete environment[name];
      else environment[name] = value;
    }
    // Shells take the folder's name from here, symlinks as entered, when it is the folder that they are in.
    environment['PWD'] = cwd;
    return environment;
  }

  async #complete(call: Call): Promise<void> {
    const { shell, process, files } = call;
    await process.ended;
    const saved = this.#takeOver(call).catch(() => {});
    shell.pendingSaves.add(saved);
    if (files?.command !== undefined) unlink(files.command).catch(() => {});
    // Background children may still load functions; the files then stay until the server ends.
    if (!process.leftBackground) call.release();
    await saved;
    shell.pendingSaves.delete(saved);
    shell.runningCommands--;
  }

  /** Makes what the call's shell left the state of the named shell. */
  async #takeOver({ shell, before, generation, request, process, files, script }: Call): Promise<void> {
    if (!files?.dump) return;
    const dump = await readSmallFile(files.dump, MAX_DUMP_BYTES);
    unlink(files.dump).catch(() => {});
    if (dump === '' || process.stopped) return;
    const after = await this.#readState(dump, before, script);
    if (!after) return;
    if (request.workingDirectory === undefined) return this.#states.save(shell, before, after, generation);
    const environment = { ...after.environment };
    const previous = before.environment['OLDPWD'];
    if (previous === undefined) delete environment['OLDPWD'];
    else environment['OLDPWD'] = previous;
    this.#states.save(shell, before, { ...after, cwd: before.cwd, environment }, generation);
  }

  async #readState(dump: string, before: ShellState, commandScript: string): Promise<ShellState | undefined> {
    const { dialect, file } = this.#program;
    const after = dialect.parseDump(dump, before, this.#environment, commandScript);
    if (!after || !dialect.checksRestore || isDeepStrictEqual(after.functions, before.functions))
      return after;
    const script = dialect.restoreScript(after, undefined);
    const check = await runProgram(file, ['-n'], {
      cwd: '/',
      env: this.#environment,
      input: script,
      timeoutMs: 5000,
    });
    return check.exitCode === 0 ? after : { ...after, functions: before.functions };
  }

  /** The folder does not exist inside of the sandbox; the shell must not stay stuck in it. */
  #notThere(shell: NamedShell, request: ShellCommand, cwd: string): CodedError {
    if (request.workingDirectory !== undefined) {
      return new CodedError(
        'FILE_NOT_FOUND',
        `The folder "${cwd}" is not there for confined commands; nothing was run.`,
        `Give a folder inside ${shell.root} as working_directory.`,
      );
    }
    this.#states.save(shell, shell.state, { ...shell.state, cwd: shell.root }, shell.generation);
    return new CodedError(
      'FILE_NOT_FOUND',
      `The folder "${cwd}", in which shell "${shell.name}" was, is not there for confined commands; nothing was run.`,
      `The shell is back in ${shell.root}: send the command again if it belongs there, or give working_directory.`,
    );
  }

  /** A folder that is gone looks like a missing program; the shell must not stay stuck in it. */
  async #explain(error: unknown, shell: NamedShell, request: ShellCommand, cwd: string): Promise<unknown> {
    if (!(error instanceof CodedError)) return stateFolderError(error);
    if (error.code !== 'COMMAND_NOT_FOUND' && error.code !== 'PERMISSION_DENIED') return error;
    const isFolder = await stat(cwd).then(
      (found) => found.isDirectory(),
      () => undefined,
    );
    if (isFolder) return error;
    if (isFolder === false) {
      return new CodedError(
        'NOT_A_DIRECTORY',
        `"${cwd}" is not a folder.`,
        'Give a folder as working_directory.',
      );
    }
    if (request.workingDirectory !== undefined) {
      return new CodedError(
        'FILE_NOT_FOUND',
        `The folder "${cwd}" does not exist.`,
        'Give a folder that exists as working_directory.',
      );
    }
    this.#states.save(shell, shell.state, { ...shell.state, cwd: shell.root }, shell.generation);
    return new CodedError(
      'FILE_NOT_FOUND',
      `The folder "${cwd}", in which shell "${shell.name}" was, no longer exists; nothing was run.`,
      `The shell is back in ${shell.root}: send the command again if it belongs there, or give working_directory.`,
    );
  }
}

/** The program as it is started: in a sandbox with nothing of the state folder but this call's own files. */
function confined(
  sandbox: Sandbox | undefined,
  files: CallFiles,
  run: Pick<LaunchRequest, 'file' | 'args' | 'cwd' | 'env'>,
): Pick<LaunchRequest, 'file' | 'args' | 'env'> {
  const { file, args, cwd, env } = run;
  if (!sandbox) return { file, args, env };
  const read = [files.restore, files.functions, files.command].filter((path) => path !== undefined);
  return sandbox.wrap(file, args, { cwd, env, read, write: files.dump === '' ? [] : [files.dump] });
}

/** The command and the files that it reads in, as bytes. */
async function withSourcedFiles(command: string, cwd: string, isConfined: boolean): Promise<string> {
  let script = utf8ToLatin1(command);
  for (const name of sourcedFiles(command)) {
    const path = resolve(cwd, name);
    // A confined shell cannot read what lies outside, and neither may we for it.
    if (isConfined && !fenceOf(path)) continue;
    const sourced = await readTextInside(path, 'latin1').catch(() => '');
    if (sourced.length < MAX_SOURCED_BYTES) script += `\n${sourced}`;
  }
  return script;
}
