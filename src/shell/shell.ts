import { basename, join } from 'node:path';
import { type Confinement, cleanEnvironment, withoutFolders } from '../access/sandbox/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { watchLongHelpers } from '../runtime/long-helpers.ts';
import { type Cursor, formatCursor, outputFrom, outputTail, parseCursor, sizes } from './answer.ts';
import { emptyState } from './dialects/dialect.ts';
import { findShell, type ShellProgram } from './dialects/index.ts';
import { childEnvironment } from './environment.ts';
import { launch, type ManagedProcess } from './managed-process.ts';
import { describe } from './process-info.ts';
import { ProcessTable } from './process-table.ts';
import { loadProfile, stateWithProfile } from './profile.ts';
import { Runs } from './runs.ts';
import { ShellCommands } from './shell-commands.ts';
import { ShellStates } from './shell-states.ts';
import type {
  CallLinks,
  CommandRequest,
  CommandResult,
  OutputRequest,
  OutputResult,
  ProcessInfo,
  ProgramRequest,
  ShellInfo,
  ShellStatus,
  StartRequest,
} from './types.ts';
import { allowedWaitMs, waitForOutput, within } from './wait.ts';

export interface ShellOptions {
  /** Private folder of the product; exists. */
  readonly stateDir: string;
  /** Name (bash, zsh, sh, pwsh, powershell, cmd) or absolute path; default: the user's, else the platform's. */
  readonly defaultShell?: string | undefined;
  /** Default and maximum for every command's timeout; without it commands run as long as they like. */
  readonly shellTimeoutSeconds?: number | undefined;
  /** How long a call waits for its command before it answers that it goes on. */
  readonly yieldMs: number;
  /** The server's environment; commands get it without what is the product's own. */
  readonly env: NodeJS.ProcessEnv;
  /** In modes that confine commands: all that is started goes through it. */
  readonly confinement?: Confinement | undefined;
  /** Whether new shells get what the user's start files give (default true). */
  readonly startFiles?: boolean | undefined;
}

const DEFAULT_SHELL_NAME = 'main';
/** What process_output gives when neither a cursor nor a number of characters is asked for. */
const DEFAULT_TAIL_CHARACTERS = 20_000;
const STOP_GRACE_MS = 3000;
/** How long the first command of a new shell waits for the user's start files, when they were not read before. */
const PROFILE_WAIT_MS = 3000;

interface Parts {
  readonly program: ShellProgram;
  readonly states: ShellStates;
  readonly commands: ShellCommands;
  /** Settles when the user's start files were read; never rejects. */
  readonly profile: Promise<unknown>;
}

/** Named shells and everything that runs: the shell domain's public face. */
export class Shell {
  /** What commands and programs get, before a shell's own changes. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #options: ShellOptions;
  readonly #table: ProcessTable;
  readonly #runs: Runs;
  readonly #unwatchHelpers: () => void;
  /** How far calls of process_output without a cursor have shown a process's output. */
  readonly #shown = new WeakMap<ManagedProcess, Cursor>();
  #parts: Promise<Parts> | undefined;
  #loaded: Parts | undefined;

  constructor(options: ShellOptions) {
    this.#options = options;
    const environment = childEnvironment(options.env);
    this.environment = options.confinement ? cleanEnvironment(environment) : environment;
    this.#table = new ProcessTable(options.stateDir);
    this.#runs = new Runs(this.#table);
    this.#unwatchHelpers = watchLongHelpers(this.#table.helpers);
  }

  /**
   * Finds the shell and reads the user's start files ahead of the first command. Nobody has to wait for it.
   * @throws {CodedError} SHELL_NOT_FOUND
   */
  async prepare(): Promise<void> {
    await (await this.#ready()).profile;
  }

  /**
   * Runs a command in a named shell and answers when it ends or, at the yield time, with what there is.
   * @throws {CodedError} when it cannot be started; the signal's reason when cancelled (its tree is killed then)
   */
  async runCommand(request: CommandRequest, links: CallLinks): Promise<CommandResult> {
    const { states, commands } = await this.#ready();
    const shell = await states.get(this.#shellName(request.shell, links), request.root);
    const callKey = JSON.stringify([
      links.conversation ?? null,
      shell.root,
      shell.name,
      request.workingDirectory ?? null,
      request.command,
    ]);
    const start = () =>
      commands.start(
        shell,
        {
          command: request.command,
          workingDirectory: request.workingDirectory,
          timeoutMs: this.#timeoutMs(request.timeoutMs),
          savesState: true,
          kind: 'command',
        },
        launch,
      );
    return this.#runs.answer(
      callKey,
      request.again === true,
      start,
      request.yieldMs ?? this.#options.yieldMs,
      links,
    );
  }

  /**
   * Quotes a word for the shell that commands run in.
   * @throws {CodedError} SHELL_NOT_FOUND
   */
  async quoter(): Promise<(word: string) => string> {
    return (await this.#ready()).program.dialect.quote;
  }

  /** Runs a program without a shell, with the same yield, process_output and stop as a command. Never joined. */
  async startProgram(request: ProgramRequest, links: CallLinks): Promise<CommandResult> {
    const start = async () => {
      const { file, args, cwd, env = this.environment } = request;
      const sandbox = await this.#options.confinement?.require();
      const process = await this.#table.start((slot) =>
        launch({
          ...slot,
          kind: 'program',
          command: request.label ?? [basename(file), ...args].join(' '),
          cwd,
          ...(sandbox ? sandbox.wrap(file, args, { cwd, env }) : { file, args, env }),
        }),
      );
      const timeoutMs = this.#timeoutMs(request.timeoutMs);
      if (timeoutMs !== undefined) process.limitTime(timeoutMs);
      return { process, completed: process.ended.then(() => {}) };
    };
    return this.#runs.answer(undefined, true, start, request.yieldMs ?? this.#options.yieldMs, links);
  }

  /** Starts a long-running process with the state of a shell, which it does not change. Answers at once. */
  async startProcess(request: StartRequest, links: CallLinks): Promise<ProcessInfo> {
    links.signal.throwIfAborted();
    const { states, commands } = await this.#ready();
    const shell = await states.get(this.#shellName(request.shell, links), request.root);
    const start = request.pty ? (await import('./pty-process.ts')).launchOnTerminal : launch;
    const { process } = await commands.start(
      shell,
      {
        command: request.command,
        workingDirectory: request.workingDirectory,
        savesState: false,
        kind: 'process',
        name: request.name,
        openStdin: true,
        mergeStderr: true,
      },
      start,
    );
    links.started?.(process.id);
    return describe(process, false);
  }

  /**
   * Output of a process: after a cursor, waiting for more where asked to, or its end.
   * @throws {CodedError} PROCESS_NOT_FOUND, INVALID_PARAMS for a cursor that is none
   */
  async processOutput(request: OutputRequest, links: CallLinks): Promise<OutputResult> {
    const process = this.#table.get(request.id);
    const cursor = request.cursor === undefined ? undefined : parseCursor(request.cursor);
    if (request.cursor !== undefined && !cursor) {
      throw new CodedError(
        'INVALID_PARAMS',
        `"${request.cursor}" is no cursor.`,
        'Give back data.cursor of an earlier answer as it was, or leave it out for the end of the output.',
      );
    }
    // Without a cursor the wait is for what no earlier call without one has shown: the first answers at once when
    // there is output already, and polling does not spin.
    const from = cursor ?? this.#shown.get(process) ?? { stdout: 0, stderr: 0 };
    const waitMs = allowedWaitMs(request.waitMs ?? 0, links);
    if (waitMs > 0 && process.running) await waitForOutput(process, from, waitMs, links);
    // Before the output is read: who is told that it ended must have its last words.
    const info = await describe(process, false);
    const output =
      cursor && request.tailChars === undefined
        ? await outputFrom(process, cursor)
        : await outputTail(process, request.tailChars ?? DEFAULT_TAIL_CHARACTERS);
    if (cursor === undefined && request.aside !== true) this.#shown.set(process, output.cursor);
    return {
      info,
      stdout: output.stdout,
      stderr: output.stderr,
      cursor: formatCursor(output.cursor, process),
      truncated: output.truncated,
      lossy: output.lossy,
      remainingBytes: output.remainingBytes,
      totalBytes: output.totalBytes,
    };
  }

  /**
   * Writes to the stdin of a process.
   * @returns what is known of the process, and the cursor before which its reply cannot be
   * @throws {CodedError} PROCESS_NOT_FOUND; INVALID_PARAMS when it reads no input; BUSY when its input is full
   */
  async writeInput(
    id: string,
    input: string,
    close: boolean,
  ): Promise<{ readonly info: ProcessInfo; readonly cursor: string }> {
    const process = this.#table.get(id);
    const [stdout, stderr] = await sizes(process);
    if (input !== '' || !close) await process.write(input);
    if (close) process.closeInput();
    return { info: await describe(process, false), cursor: formatCursor({ stdout, stderr }, process) };
  }

  /**
   * Ends a process with everything that it started, also what it left in the background.
   * @returns pids that could not be killed, with what is known of the process now
   */
  async stopProcess(id: string, force: boolean): Promise<{ info: ProcessInfo; survivors: number[] }> {
    const process = this.#table.get(id);
    const survivors = await process.stop({ graceMs: force ? 0 : STOP_GRACE_MS });
    return { info: await describe(process, false), survivors };
  }

  /** One process without a look at the system: no ports. @throws {CodedError} PROCESS_NOT_FOUND */
  async processInfo(id: string): Promise<ProcessInfo> {
    return describe(this.#table.get(id), false);
  }

  /** @throws {CodedError} PROCESS_NOT_FOUND */
  async processStatus(id?: string): Promise<ProcessInfo[]> {
    const processes = id === undefined ? this.#table.list() : [this.#table.get(id)];
    return Promise.all(processes.map((process) => describe(process, true)));
  }

  /** Forgets finished processes. @returns how many */
  async clearProcesses(): Promise<number> {
    const finished = this.#table.list().filter((process) => !process.running && !process.leftBackground);
    await Promise.all(finished.map((process) => this.#table.forget(process)));
    return finished.length;
  }

  /** Shells that were used since the server started; empty before the first command. */
  shells(root?: string): ShellInfo[] {
    const loaded = this.#loaded;
    if (!loaded) return [];
    return loaded.states
      .list()
      .filter((shell) => root === undefined || shell.root === root)
      .map((shell) => ({
        name: shell.name,
        kind: loaded.program.dialect.kind,
        cwd: shell.state.cwd,
        recentCommands: shell.recentCommands,
        runningCommands: shell.runningCommands,
      }));
  }

  /** Where a command without a folder of its own would run now. */
  async currentFolder(
    name: string | undefined,
    root: string,
    links: Pick<CallLinks, 'conversation'>,
  ): Promise<string> {
    const { states } = await this.#ready();
    return (await states.get(this.#shellName(name, links), root)).state.cwd;
  }

  /** Forgets what a shell carries; what runs in it goes on and saves nothing. */
  async resetShell(name: string | undefined, root: string, links: CallLinks): Promise<ShellInfo> {
    const { states, program } = await this.#ready();
    const shell = await states.reset(this.#shellName(name, links), root);
    return {
      name: shell.name,
      kind: program.dialect.kind,
      cwd: shell.state.cwd,
      recentCommands: [],
      runningCommands: shell.runningCommands,
    };
  }

  /** For agent_status: cheap, no look at the system. */
  status(): ShellStatus {
    return {
      shells: this.shells().map(({ name, kind, cwd, runningCommands }) => ({
        name,
        kind,
        cwd,
        running_commands: runningCommands,
      })),
      processes: { running: this.#table.runningCount, known: this.#table.list().length },
    };
  }

  /** Pid of the small process that cleans up when this server is killed; undefined before the first command. */
  get guardPid(): number | undefined {
    return this.#table.guardPid;
  }

  /** Stops everything that was started here, daemons included; nothing can be started afterwards. */
  async close(options: { readonly graceMs: number } = { graceMs: 2000 }): Promise<void> {
    this.#unwatchHelpers();
    await this.#table.close(options.graceMs);
    await this.#loaded?.states.close();
  }

  #shellName(name: string | undefined, links: Pick<CallLinks, 'conversation'>): string {
    return name ?? links.conversation?.slice(0, 16) ?? DEFAULT_SHELL_NAME;
  }

  /** The configured time is the default and the maximum. */
  #timeoutMs(wantedMs: number | undefined): number | undefined {
    const { shellTimeoutSeconds } = this.#options;
    if (shellTimeoutSeconds === undefined) return wantedMs;
    return Math.min(wantedMs ?? Number.POSITIVE_INFINITY, shellTimeoutSeconds * 1000);
  }

  #ready(): Promise<Parts> {
    this.#parts ??= this.#load().catch((error) => {
      this.#parts = undefined;
      throw error;
    });
    return this.#parts;
  }

  async #load(): Promise<Parts> {
    const { confinement, defaultShell, stateDir, startFiles = true } = this.#options;
    const environment = confinement ? withoutFolders(this.environment, confinement.roots) : this.environment;
    const program = await findShell(defaultShell, environment);
    const runFolder = async () => (await this.#table.folder()).path;
    const { markerPrefix } = await this.#table.folder();
    // Start files run unconfined, and a confined command may be able to write them; they hold the user's secrets, too.
    const profile =
      confinement || !startFiles
        ? Promise.resolve(undefined)
        : loadProfile(program, this.environment, stateDir, markerPrefix).catch(() => undefined);
    // What a shell carries from a time without confinement stays there.
    const states = new ShellStates(
      { stateDir, folder: join(stateDir, ...(confinement ? ['confined'] : []), 'shells') },
      program.dialect,
      runFolder,
      async (cwd) => {
        const known = await within(profile, PROFILE_WAIT_MS);
        return known ? stateWithProfile(cwd, known) : emptyState(cwd);
      },
    );
    const commands = new ShellCommands(this.#table, states, program, this.environment, confinement);
    this.#loaded = { program, states, commands, profile };
    return this.#loaded;
  }
}

export function createShell(options: ShellOptions): Shell {
  return new Shell(options);
}
