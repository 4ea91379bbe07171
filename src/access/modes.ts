import { CodedError } from '../runtime/errors.ts';

/** What the tools may touch (`--access`). */
export type AccessMode = 'full' | 'workspace' | 'read-only';

/** What a mode allows; everything that asks for the mode asks here. */
export interface ModeRules {
  /** Paths must lie inside the roots, really and not only by name. */
  readonly confined: boolean;
  readonly writes: boolean;
  /** `sandboxed`: only where the operating system confines them. */
  readonly commands: 'free' | 'sandboxed' | 'none';
  /** What git ignores (`.env`, keys, build output) is not shown, whoever asks for it by name. */
  readonly hidesIgnored: boolean;
}

const RULES: Readonly<Record<AccessMode, ModeRules>> = {
  full: { confined: false, writes: true, commands: 'free', hidesIgnored: false },
  workspace: { confined: true, writes: true, commands: 'sandboxed', hidesIgnored: false },
  'read-only': { confined: true, writes: false, commands: 'none', hidesIgnored: true },
};

export function rulesOf(mode: AccessMode): ModeRules {
  return RULES[mode];
}

/** Whether a tool is listed in a mode: in one that only reads, only tools that change nothing. */
export function isToolAllowed(
  mode: AccessMode,
  tool: { readonly annotations: { readonly readOnlyHint: boolean } },
): boolean {
  return RULES[mode].writes || tool.annotations.readOnlyHint;
}

/**
 * A path that is not inside of the roots. The same words whether something is there or not: a caller must not learn
 * what exists outside.
 */
export function outsideWorkspace(path: string, defaultRoot: string): CodedError {
  return new CodedError(
    'PATH_OUTSIDE_WORKSPACE',
    `"${path}" is not inside of the workspace, and the access mode allows nothing else.`,
    `Use a path inside ${defaultRoot} (list_allowed_directories names all folders), or ask the user to start local-coder with another --workspace or --access full.`,
  );
}

export function nothingIsWritten(path: string): CodedError {
  return new CodedError(
    'DENIED',
    `"${path}" cannot be changed: the access mode is read-only.`,
    'Only reading tools work. Ask the user to start local-coder with --access workspace if a change is wanted.',
  );
}

export function commandsRefused(): CodedError {
  return new CodedError(
    'DENIED',
    'No command runs: the access mode is read-only.',
    'Only reading tools work. Ask the user to start local-coder with --access workspace if a command is wanted.',
  );
}

export function ownState(path: string): CodedError {
  return new CodedError(
    'DENIED',
    `"${path}" belongs to local-coder's own state, which no tool may read or change.`,
    'Use agent_status, recent_calls or rewind to see what it holds.',
  );
}

export function ignoredFile(path: string): CodedError {
  return new CodedError(
    'DENIED',
    `"${path}" is excluded by the ignore rules (.gitignore), and the access mode read-only shows nothing of that.`,
    'Read another file, or ask the user for what is needed of this one.',
  );
}
