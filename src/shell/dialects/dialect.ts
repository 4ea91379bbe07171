export type ShellKind = 'bash' | 'zsh' | 'sh' | 'pwsh' | 'powershell' | 'cmd';

/** What a named shell carries from one call to the next. Scripts are latin1: one character per byte. */
export interface ShellState {
  /** The folder as the shell calls it (symlinks as they were entered). */
  readonly cwd: string;
  /** Exported variables that differ from what the server gives every command; null: removed. */
  readonly environment: Readonly<Record<string, string | null>>;
  /** Script that sets everything else: unexported variables, arrays, attributes. */
  readonly variables: string;
  /** Definitions by name, in the shell's own notation. */
  readonly functions: Readonly<Record<string, string>>;
  /** Script: aliases, umask, options that must be set before the command is read. */
  readonly settings: string;
  /** One line that is run right before the command: `set -e` and the like. */
  readonly options: string;
}

export function emptyState(cwd: string): ShellState {
  return { cwd, environment: {}, variables: '', functions: {}, settings: '', options: '' };
}

export interface Invocation {
  readonly args: readonly string[];
  /** Windows: the arguments are quoted already. */
  readonly verbatim?: boolean;
  /** Further variables for this call. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface CallFiles {
  /** Loaded first; made by `restoreScript`. */
  readonly restore: string;
  /** All function definitions, when they are loaded only where needed. */
  readonly functions: string | undefined;
  /** Where the shell leaves its state. */
  readonly dump: string;
  /** Where the command was put because it is too long for an argument; undefined: it is an argument. */
  readonly command: string | undefined;
}

/** One kind of shell: how it is started, how it gets its state and how it gives it back. */
export interface Dialect {
  readonly kind: ShellKind;
  /** Longest command, in bytes, that goes as an argument; -1: none does. */
  readonly maxArgumentBytes: number;
  /** A mistake in the restore script would end the shell: it is checked with `-n` before a state is taken over. */
  readonly checksRestore?: boolean;
  /** Functions are taken from the command's text, so the text of files that it sources belongs to it. */
  readonly readsSourcedFiles?: boolean;
  /** Text of the command file, for shells that need more than the bare command (a byte order mark). */
  readonly commandFileText?: (command: string) => string;
  /** A word that the shell takes literally. */
  readonly quote: (word: string) => string;
  /** @param functionsFile given when the functions are to be loaded on first use */
  restoreScript(state: ShellState, functionsFile: string | undefined): string;
  /** Text of the functions file. */
  functionsScript(state: ShellState): string;
  /**
   * @param eager the command looks as if it used or listed functions
   * @param script the command with the files that it sources, latin1
   */
  invocation(
    command: string,
    state: ShellState,
    files: CallFiles,
    eager: boolean,
    script: string,
  ): Invocation;
  /**
   * What the shell left.
   * @param dump latin1
   * @param environment what the server gives every command
   * @returns undefined when it is incomplete: the shell was killed or replaced
   */
  parseDump(
    dump: string,
    previous: ShellState,
    environment: Readonly<Record<string, string>>,
    script: string,
  ): ShellState | undefined;
  /** Takes a state's `variables` apart, see `entriesOf`; without it they are carried as a whole. */
  readonly variableEntries?: (variables: string) => Record<string, string> | undefined;
  /** Script that, run by the user's interactive shell, leaves its state in `dump`; undefined: no start files. */
  readonly profile?: {
    readonly args: (dump: string) => readonly string[];
    /** Files whose change makes the captured profile stale; `~` is the home folder. */
    readonly startFiles: readonly string[];
  };
}
