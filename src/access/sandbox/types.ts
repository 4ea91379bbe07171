export interface SandboxOptions {
  /** Real, absolute folders that confined programs may read and write. */
  readonly roots: readonly [string, ...string[]];
  /** Whether confined programs reach the network of this machine. */
  readonly network: boolean;
  /** Further folders that they may read (`--sandbox-read`), absolute. */
  readonly readDirs: readonly string[];
  /** The product's own state, real and absolute: out of reach even where it lies inside a root. */
  readonly stateDir: string;
  /** Further folders of the product that commands never see (the data folder of a portable run that cannot be written). */
  readonly hidden?: readonly string[] | undefined;
  /** Further files of the product's own (the audit log and its older parts), absolute; the first is made if need be. */
  readonly protectedFiles?: readonly string[];
  /** Where programs are looked for, and what confined ones get of (see cleanEnvironment). */
  readonly env: NodeJS.ProcessEnv;
}

/** A program as it is to be started, confined. */
export interface ConfinedProgram {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
}

export interface ConfinedRun {
  /** Absolute; must pass canEnter. */
  readonly cwd: string;
  /** All that the program gets; see cleanEnvironment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Single files (or folders) of the host that this run needs besides; may lie in the state folder. */
  readonly read?: readonly string[];
  /** Files that exist and that this run may overwrite. */
  readonly write?: readonly string[];
  /** For a program of ours that only reads the roots: nothing else of the machine is there. */
  readonly rootsOnly?: boolean;
}

/** The operating system's fence around the programs that the model starts. */
export interface Sandbox {
  readonly name: 'bubblewrap' | 'sandbox-exec';
  readonly network: boolean;
  /** Turns a program into one that runs confined. Costs nothing but the start itself (about 5 ms). */
  wrap(file: string, args: readonly string[], run: ConfinedRun): ConfinedProgram;
  /** Whether a folder exists inside, so that a program can be started in it. */
  canEnter(folder: string): Promise<boolean>;
}

/** Why there is none, and what to do about it. */
export interface NoSandbox {
  readonly unavailable: string;
  readonly hint: string;
}
