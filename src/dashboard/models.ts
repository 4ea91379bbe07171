/**
 * What the page shows, section by section: made from the program's parts by sources/, drawn by views/. All texts are
 * as they came (file names, commands and output may hold anything): views draw them as text, never as markup.
 */

/** ISO 8601 in UTC unless said otherwise; the page shows it in the browser's time zone. */
export type IsoTime = string;

export interface StatusModel {
  readonly version: string;
  readonly roots: readonly string[];
  readonly access: 'full' | 'workspace' | 'read-only';
  readonly approve: 'never' | 'destructive' | 'all';
  /** Local MCP address. */
  readonly address: string;
  readonly uptimeSeconds: number;
  readonly tunnel: TunnelModel | undefined;
  /** For ChatGPT's form; only when there is an address to give. */
  readonly connector: ConnectorModel | undefined;
  readonly clients: readonly ClientModel[];
  readonly requests: {
    /** Calls in the last 60 s. */
    readonly perMinute: number;
    /** One number per minute of the last 30, oldest first. */
    readonly history: readonly number[];
    readonly total: number;
    readonly lastCallAt: IsoTime | undefined;
  };
  readonly runningCalls: number;
  readonly runningProcesses: number;
  readonly waitingApprovals: number;
}

export interface TunnelModel {
  readonly name: string;
  readonly state: 'starting' | 'up' | 'down' | 'failed';
  readonly message: string | undefined;
  readonly address: string | undefined;
}

export interface ConnectorModel {
  readonly name: string;
  readonly description: string;
  /** A URL, or the id of an OpenAI tunnel. With `--auth url` it holds the secret. */
  readonly server: { readonly kind: 'url' | 'tunnel'; readonly value: string };
  readonly authentication: 'oauth' | 'none';
}

export interface ClientModel {
  readonly name: string;
  readonly calls: number;
  readonly lastSeenAt: IsoTime;
}

export type CallOutcome = 'ok' | 'failed' | 'denied' | 'cancelled' | 'running';

/** One line of the activity. */
export interface CallModel {
  /** Names the call for as long as it can be looked up; unique within a run, and stable for calls from the log. */
  readonly id: string;
  readonly at: IsoTime;
  readonly tool: string;
  readonly target: string;
  readonly client: string | undefined;
  readonly outcome: CallOutcome;
  /** Error code of a call that failed. */
  readonly code: string | undefined;
  /** Undefined while it runs. */
  readonly durationMs: number | undefined;
  readonly resultBytes: number | undefined;
}

export interface ActivityQuery {
  /** Cursor of an earlier answer: only older calls. */
  readonly before?: string | undefined;
  readonly limit: number;
  /** Looked for in tool, target, client and code, letter case aside. */
  readonly search?: string | undefined;
  readonly outcome?: CallOutcome | undefined;
  readonly tool?: string | undefined;
}

export interface ActivityModel {
  /** Names for the filter; those of the calls where it is missing. */
  readonly tools?: readonly string[] | undefined;
  /** Newest first. */
  readonly calls: readonly CallModel[];
  /** Cursor for what is older; undefined at the end. */
  readonly next: string | undefined;
}

/** An opened call. */
export interface CallDetailModel extends CallModel {
  /** What the audit trail does not hold is kept in memory for the newest calls only. */
  readonly kept: boolean;
  /** JSON text, secrets masked. */
  readonly arguments: CutText | undefined;
  /** Text of the result, secrets masked. */
  readonly result: CutText | undefined;
  /** Files that the call changed, from the history. */
  readonly checkpointId: string | undefined;
  readonly diffs: readonly FileDiffModel[];
  /** The process of a command, when it can still be asked for. */
  readonly processId: string | undefined;
}

export interface CutText {
  readonly text: string;
  /** Characters that are not shown; 0 when it is whole. */
  readonly hiddenCharacters: number;
}

export interface FileDiffModel {
  readonly path: string;
  /** `diff`: hunks follow; the others have none. */
  readonly kind: 'diff' | 'binary' | 'large' | 'link' | 'unknown' | 'same';
  /** What stood there before and after, where the hunks do not say it. */
  readonly states: readonly [FileStateModel, FileStateModel] | undefined;
  readonly hunks: readonly HunkModel[];
  /** Lines that were left out because the diff is too long to show. */
  readonly hiddenLines: number;
}

export type FileStateModel =
  | { readonly type: 'none' | 'folder' | 'special' }
  | { readonly type: 'file'; readonly sizeBytes: number }
  | { readonly type: 'link'; readonly target: string };

export interface HunkModel {
  readonly oldStart: number;
  readonly newStart: number;
  readonly lines: readonly DiffLineModel[];
}

export interface DiffLineModel {
  readonly kind: 'context' | 'added' | 'removed';
  readonly text: string;
}

export interface HistoryModel {
  /** Newest first. */
  readonly checkpoints: readonly CheckpointModel[];
  readonly next: string | undefined;
  readonly usedBytes: number;
  readonly budgetBytes: number;
  readonly canRedo: boolean;
}

/** The checkpoints of one file. */
export interface FileHistoryModel extends HistoryModel {
  readonly path: string;
  /** The checkpoint that `diff` begins before, where one was asked for (`?against=c12`). */
  readonly against: string | undefined;
  /** From what stood there before `against` to what stands there now; undefined when that did not change this file. */
  readonly diff: FileDiffModel | undefined;
}

export interface CheckpointModel {
  readonly id: string;
  readonly at: IsoTime;
  readonly tool: string;
  readonly files: readonly { readonly path: string; readonly change: string }[];
  readonly fileCount: number;
  /** The checkpoint that this one took back. */
  readonly restores: string | undefined;
}

/** What restoring a checkpoint would do now. */
export interface RestorePreviewModel {
  readonly checkpoint: CheckpointModel;
  readonly steps: readonly {
    readonly path: string;
    readonly action: 'restore' | 'already' | 'conflict';
    /** Later checkpoints that changed the same file. */
    readonly later: readonly string[];
  }[];
  readonly conflictCount: number;
  /** Files of the checkpoint that are outside of what is served. */
  readonly hiddenCount: number;
  /** Steps beyond those that are listed. */
  readonly moreSteps: number;
  /** From what stands there now to what restoring makes of it. */
  readonly diffs: readonly FileDiffModel[];
}

export interface ApprovalModel {
  readonly id: string;
  readonly tool: string;
  /** In full: what is hidden would be approved unseen. */
  readonly subject: string;
  /** What the call would make of the files as they are now, where that can be told beforehand. */
  readonly diffs: readonly FileDiffModel[];
  readonly client: string | undefined;
  readonly folder: string;
  readonly access: string | undefined;
  readonly askedAt: IsoTime;
  readonly expiresAt: IsoTime;
  /** Words of the command that "always for this command prefix" would cover; undefined where no prefix can be offered. */
  readonly prefix: string | undefined;
}

export interface ProcessModel {
  readonly id: string;
  readonly name: string | undefined;
  readonly command: string;
  readonly folder: string;
  readonly shell: string | undefined;
  readonly state: 'running' | 'background' | 'exited';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly startedAt: IsoTime;
  readonly durationMs: number;
  readonly outputBytes: number;
  readonly ports: readonly number[];
  /** Has an input to write to. */
  readonly readsInput: boolean;
}

export interface ShellModel {
  readonly name: string;
  readonly kind: string;
  readonly folder: string;
  readonly runningCommands: number;
}

export interface ProcessesModel {
  readonly processes: readonly ProcessModel[];
  readonly shells: readonly ShellModel[];
}

/** A piece of a process's output, with its escape sequences. */
export interface ProcessOutputModel {
  readonly process: ProcessModel;
  readonly stdout: string;
  readonly stderr: string;
  readonly cursor: string;
  /** Earlier output was left out. */
  readonly truncated: boolean;
  readonly remainingBytes: number;
}

export interface AccessModel {
  /** Undefined where nothing is asked of callers (--auth none and no public side). */
  readonly auth: 'oauth' | 'url' | undefined;
  readonly grants: readonly GrantModel[];
  /** Clients that wait for the owner's one-time code. */
  readonly waiting: readonly WaitingClientModel[];
  /** There is a secret address, which can be rotated. */
  readonly hasSecretUrl: boolean;
}

export interface GrantModel {
  readonly id: string;
  readonly client: string;
  readonly host: string;
  readonly access: string;
  readonly createdAt: IsoTime;
  readonly usedAt: IsoTime;
  readonly expiresAt: IsoTime;
}

export interface WaitingClientModel {
  readonly reference: string;
  readonly number: string;
  readonly code: string;
  readonly client: string;
  readonly host: string;
  readonly expiresAt: IsoTime;
}
