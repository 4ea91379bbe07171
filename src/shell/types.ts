import type { ShellKind } from './dialects/dialect.ts';

/** How a call is tied to whoever made it; a ToolContext is one. */
export interface CallLinks {
  /** Hashed conversation key. */
  readonly conversation: string | undefined;
  /** A real cancel: the work is killed. */
  readonly signal: AbortSignal;
  /** Nobody reads this answer any more; the work goes on. */
  readonly abandoned: AbortSignal;
  /** performance.now() by which the answer must leave. */
  readonly answerByMs: number;
  readonly progress: (message: string) => void;
  /** Told the id of the process that the call started or joined, before it is waited for. */
  readonly started?: ((processId: string) => void) | undefined;
}

export interface CommandRequest {
  readonly command: string;
  /** Name of the shell whose state is used; default: the conversation's own, else "main". */
  readonly shell?: string | undefined;
  /** Where a new shell starts, absolute. Shells of different folders are different shells. */
  readonly root: string;
  /** Absolute folder for this call alone: the shell's own folder stays as it is. */
  readonly workingDirectory?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly yieldMs?: number | undefined;
  /** Run it although the same command of the same conversation is running. */
  readonly again?: boolean | undefined;
}

export interface ProgramRequest {
  /** Absolute path. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Replaces the environment of commands (which `Shell.environment` gives). */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** As shown in process lists and answers; default: file name and arguments. */
  readonly label?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly yieldMs?: number | undefined;
}

export interface StartRequest {
  readonly command: string;
  readonly root: string;
  readonly shell?: string | undefined;
  readonly workingDirectory?: string | undefined;
  readonly name?: string | undefined;
  readonly pty?: boolean | undefined;
}

export interface CommandResult {
  readonly processId: string;
  readonly command: string;
  /** Absolute folder in which it was started. */
  readonly cwd: string;
  readonly running: boolean;
  /** Null while it runs, and when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  readonly timedOut: boolean;
  /** stop_process ended it. */
  readonly stopped: boolean;
  readonly truncated: boolean;
  /** Bytes that are no UTF-8 were replaced. */
  readonly lossy: boolean;
  readonly totalBytes: number;
  /** For process_output. */
  readonly cursor: string;
  /** The process can still be asked for by its id. */
  readonly kept: boolean;
  /** It ended, and processes of its group go on. */
  readonly leftBackground: boolean;
  /** This call joined one that was running, or got the result that an earlier one could not deliver. */
  readonly attached: boolean;
}

export interface ProcessInfo {
  readonly id: string;
  readonly name: string | undefined;
  readonly command: string;
  readonly cwd: string;
  readonly shell: string | undefined;
  readonly pid: number | undefined;
  readonly state: 'running' | 'background' | 'exited';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly outputBytes: number;
  /** TCP ports it listens on; best effort, Linux only. */
  readonly ports: readonly number[];
  /** It runs, and what is written to it reaches its stdin. */
  readonly readsInput: boolean;
}

export interface OutputRequest {
  readonly id: string;
  readonly tailChars?: number | undefined;
  readonly cursor?: string | undefined;
  readonly waitMs?: number | undefined;
  /** A look of somebody else than the caller of the tools, to whom it has then not been shown. */
  readonly aside?: boolean | undefined;
}

export interface OutputResult {
  readonly info: ProcessInfo;
  readonly stdout: string;
  readonly stderr: string;
  readonly cursor: string;
  readonly truncated: boolean;
  readonly lossy: boolean;
  /** Bytes after the cursor. */
  readonly remainingBytes: number;
  readonly totalBytes: number;
}

export interface ShellInfo {
  readonly name: string;
  readonly kind: ShellKind;
  readonly cwd: string;
  /** The last few commands, newest last, each cut to one line. */
  readonly recentCommands: readonly string[];
  readonly runningCommands: number;
}

/** What agent_status shows. */
export interface ShellStatus {
  readonly shells: {
    readonly name: string;
    readonly kind: ShellKind;
    readonly cwd: string;
    readonly running_commands: number;
  }[];
  readonly processes: { readonly running: number; readonly known: number };
}
