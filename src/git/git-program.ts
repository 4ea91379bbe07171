import { dirname } from 'node:path';
import { type Confinement, withoutFolders } from '../access/sandbox/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { type ProgramResult, runProgram } from '../runtime/run-program.ts';
import { which } from '../runtime/which.ts';
import type { AccessMode } from '../workspace/index.ts';
import { buildCommandLine, type CommandPurpose, gitEnvironment } from './command.ts';
import { gitFailure } from './failures.ts';
import { GIVE_UP_MS, KeptOutput, type LongRunner, type LongRunResult, runToTheEnd } from './long-run.ts';
import { withoutCredentials } from './names.ts';

export interface GitProgramOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly accessMode: AccessMode;
  /** In modes that confine commands: git runs in their sandbox, and only in repositories inside of the roots. */
  readonly confinement?: Confinement | undefined;
  /** Milliseconds after which a reading command is ended. Default 30,000. */
  readonly timeoutMs?: number;
}

export interface GitRun extends CommandPurpose {
  /** Top folder of the working tree. */
  readonly cwd: string;
  readonly input?: Buffer | string;
  readonly signal?: AbortSignal | undefined;
  readonly maxBytes?: number;
  readonly onStdout?: (chunk: Buffer) => boolean | undefined;
  /** Exit codes that are an answer and no failure; default only 0. */
  readonly accept?: readonly number[];
}

/** A command that may take longer than an answer, and who runs it. */
export interface LongGitRun extends Omit<CommandPurpose, 'reads'> {
  readonly cwd: string;
  readonly signal?: AbortSignal | undefined;
  readonly runner: LongRunner;
}

/** A git command line as it is started, confined where that is wanted. */
interface StartableGit {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const MINIMUM: readonly [number, number] = [2, 30];
const DEFAULT_TIMEOUT_MS = 30_000;
/** Output of a changing command that is looked at. */
const MAX_CHANGE_OUTPUT_BYTES = 1024 * 1024;
/** Time for git to remove its lock files before it is killed. */
const POLITE_MS = 2_000;
/** Waits between tries when somebody else (an editor's own git) holds the index for a moment. */
const LOCK_RETRY_MS: readonly number[] = [60, 150, 400, 800];

/** The system's git, found once, checked once, and run in one way. Nothing else starts git. */
export class GitProgram {
  readonly accessMode: AccessMode;
  readonly #options: GitProgramOptions;
  #env: NodeJS.ProcessEnv | undefined;
  #located: Promise<string> | undefined;

  constructor(options: GitProgramOptions) {
    this.#options = options;
    this.accessMode = options.accessMode;
  }

  /**
   * Runs one git command to its end.
   * @param args the command, then its arguments (see buildCommandLine for where a caller's values may stand)
   * @throws {CodedError} GIT_NOT_FOUND, TIMEOUT, and for exit codes that are not accepted what gitFailure says
   */
  async run(args: readonly string[], run: GitRun): Promise<ProgramResult> {
    if (!run.reads) this.refuseInReadOnly(args[0]);
    const file = await this.#locate(run.cwd);
    const line = await this.#commandLine(file, args, run);
    for (let attempt = 0; ; attempt++) {
      const result = await this.#once(line, run);
      if (result.timedOut) throw this.#tookTooLong(args, run);
      if (result.truncated && !run.onStdout) throw tooMuch(args);
      if (result.truncated || (run.accept ?? [0]).includes(result.exitCode ?? -1)) return result;
      const wait = LOCK_RETRY_MS[attempt];
      if (!run.reads && wait !== undefined && /\.lock': File exists/.test(result.stderr)) {
        await pause(wait, run.signal);
        continue;
      }
      throw gitFailure({ ...result, args, cwd: run.cwd, stdout: result.stdout.toString('utf8') });
    }
  }

  async #once({ file, args, env }: StartableGit, run: GitRun): Promise<ProgramResult> {
    const input = run.input === undefined ? {} : { input: run.input };
    const common = { cwd: run.cwd, env, ...input, ...(run.signal && { signal: run.signal }) };
    if (run.reads) {
      return runProgram(file, args, {
        ...common,
        timeoutMs: this.#timeoutMs(run),
        ...(run.maxBytes !== undefined && { maxBytes: run.maxBytes }),
        ...(run.onStdout && { onStdout: run.onStdout }),
      });
    }
    // A change is never stopped because it prints much: what is too much is dropped.
    const output = new KeptOutput(MAX_CHANGE_OUTPUT_BYTES);
    const result = await runProgram(file, args, {
      ...common,
      timeoutMs: this.#timeoutMs(run),
      politeMs: POLITE_MS,
      exitIsEnd: true,
      onStdout: (chunk) => output.push(chunk),
    });
    return { ...result, stdout: output.bytes() };
  }

  #timeoutMs(run: GitRun): number {
    return run.reads ? (this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS) : GIVE_UP_MS;
  }

  /** Runs a command that may take longer than an answer. The result's exit code is the caller's to judge. */
  async runLong(args: readonly string[], run: LongGitRun): Promise<LongRunResult> {
    this.refuseInReadOnly(args[0]);
    const file = await this.#locate(run.cwd);
    // The shell domain confines what it runs, which may go on longer than this call.
    const line = buildCommandLine(this.#environment(), this.accessMode, { ...run, reads: false }, [], args);
    const sandbox = await this.#options.confinement?.require();
    const start =
      sandbox && run.runner === runToTheEnd
        ? sandbox.wrap(file, line.args, { cwd: run.cwd, env: line.env })
        : { file, ...line };
    const title = withoutCredentials(`git ${args.join(' ')}`);
    return run.runner.run({ title, cwd: run.cwd, ...start }, run.signal);
  }

  /** The user's own setting of a variable, as git would see it. */
  environmentHas(name: string): boolean {
    return this.#environment()[name] !== undefined;
  }

  /** Real folders that a repository must lie in; undefined: anywhere. */
  get roots(): readonly string[] | undefined {
    return this.#options.confinement?.roots;
  }

  /**
   * True when nothing of the repository's configuration may start a program: in read-only mode, and for reading
   * commands in a confined mode without a sandbox.
   */
  async startsNothing(): Promise<boolean> {
    const { confinement } = this.#options;
    return (
      this.accessMode === 'read-only' ||
      (confinement !== undefined && (await confinement.orNone()) === undefined)
    );
  }

  async #commandLine(file: string, args: readonly string[], run: GitRun): Promise<StartableGit> {
    const { confinement } = this.#options;
    const sandbox = run.reads ? await confinement?.orNone() : await confinement?.require();
    const startsNothing = await this.startsNothing();
    const filters = startsNothing ? await this.#filterNames(file, run) : [];
    const mode = startsNothing ? 'read-only' : this.accessMode;
    const line = buildCommandLine(this.#environment(), mode, run, filters, args);
    // The repository's own core.worktree could name a folder outside of it, whose files a diff would then show.
    if (startsNothing) line.env['GIT_WORK_TREE'] = run.cwd;
    return sandbox ? sandbox.wrap(file, line.args, { cwd: run.cwd, env: line.env }) : { file, ...line };
  }

  #environment(): NodeJS.ProcessEnv {
    this.#env ??= gitEnvironment(this.#options.env);
    return this.#env;
  }

  /**
   * Finds git and checks its version at the first use. Only success is remembered: git can be installed while the
   * server runs.
   */
  #locate(cwd: string): Promise<string> {
    this.#located ??= this.#find(cwd).catch((error) => {
      this.#located = undefined;
      throw error;
    });
    return this.#located;
  }

  async #find(cwd: string): Promise<string> {
    const file = await which('git', withoutFolders(this.#environment(), this.roots ?? []));
    const install =
      'Install git 2.30 or newer (https://git-scm.com/downloads); the other tools work without it.';
    if (file === undefined)
      throw new CodedError('GIT_NOT_FOUND', 'git is not installed, or not on PATH.', install);
    const result = await runProgram(file, ['--version'], {
      cwd: this.roots ? dirname(file) : cwd,
      env: this.#environment(),
      timeoutMs: 10_000,
    });
    const version = result.stdout.toString('utf8').match(/git version (\d+)\.(\d+)/);
    if (version === null) {
      const said = result.stderr.trim().split('\n')[0];
      throw new CodedError(
        'GIT_NOT_FOUND',
        `${file} does not work as git${said ? `: ${said}` : ''}.`,
        install,
      );
    }
    const [major, minor] = [Number(version[1]), Number(version[2])];
    if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
      throw new CodedError(
        'GIT_NOT_FOUND',
        `git ${major}.${minor} is too old; 2.30 or newer is needed.`,
        install,
      );
    }
    return file;
  }

  /** Read anew each time: a filter that was configured a moment ago must not run either. */
  async #filterNames(file: string, run: GitRun): Promise<string[]> {
    const line = buildCommandLine(
      this.#environment(),
      'read-only',
      { reads: true },
      [],
      ['config', '-z', '--name-only', '--get-regexp', '^filter\\.'],
    );
    const result = await runProgram(file, line.args, {
      cwd: run.cwd,
      env: line.env,
      timeoutMs: DEFAULT_TIMEOUT_MS,
      maxBytes: 1024 * 1024,
      ...(run.signal && { signal: run.signal }),
    });
    const names = new Set<string>();
    for (const key of result.stdout.toString('utf8').split('\0')) {
      const name = key.slice('filter.'.length, key.lastIndexOf('.'));
      if (name !== '') names.add(name);
    }
    if (result.truncated || [...names].some((name) => name.includes('='))) {
      throw new CodedError(
        'DENIED',
        'The configuration of this repository has filters that cannot be switched off one by one.',
        'In read-only mode such a repository is read with the file tools.',
      );
    }
    return [...names];
  }

  /** @throws {CodedError} DENIED in read-only mode */
  refuseInReadOnly(command: string | undefined): void {
    if (this.accessMode !== 'read-only') return;
    throw new CodedError(
      'DENIED',
      `git ${command} changes something, and the access mode is read-only.`,
      'Only reading tools work.',
    );
  }

  #tookTooLong(args: readonly string[], run: GitRun): CodedError {
    const seconds = Math.round(this.#timeoutMs(run) / 1000);
    return new CodedError(
      'TIMEOUT',
      `git ${args[0]} took longer than ${seconds} s and was ended.`,
      'Ask for less (one file, fewer commits), or run it with run_command, which goes on in the background.',
    );
  }
}

function tooMuch(args: readonly string[]): CodedError {
  return new CodedError(
    'TOO_LARGE',
    `git ${args[0]} printed more than can be taken in.`,
    'Ask for less: one file or folder, fewer commits.',
  );
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}
