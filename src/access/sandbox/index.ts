import { CodedError } from '../../runtime/errors.ts';
import { isLinux, isMac } from '../../runtime/platform.ts';
import { type AccessMode, rulesOf } from '../modes.ts';
import { createBubblewrap } from './bubblewrap.ts';
import { createSeatbelt } from './seatbelt.ts';

export { cleanEnvironment, withoutFolders } from './environment.ts';

export interface SandboxOptions {
  /** Real, absolute folders that confined programs may read and write. */
  readonly roots: readonly [string, ...string[]];
  /** Whether confined programs reach the network of this machine. */
  readonly network: boolean;
  /** Further folders that they may read (`--sandbox-read`), absolute. */
  readonly readDirs: readonly string[];
  /** The product's own state, real and absolute: out of reach even where it lies inside a root. */
  readonly stateDir: string;
  /** Further files of the product's own (the audit log), absolute. */
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

/**
 * Finds the sandbox of this system and tries it: what cannot start a program here is not there.
 * Linux: bubblewrap. macOS: sandbox-exec. Windows has none.
 */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox | NoSandbox> {
  if (isLinux) return createBubblewrap(options);
  if (isMac) return createSeatbelt(options);
  return {
    unavailable: 'there is no sandbox for commands on this platform',
    hint: 'Start local-coder with --access full to run commands unconfined, or run it in WSL or a container.',
  };
}

export function isSandbox(found: Sandbox | NoSandbox): found is Sandbox {
  return 'wrap' in found;
}

/** What the domains that start programs are given in a mode that confines them. */
export interface Confinement {
  /** Where confined programs can write: nothing that runs unconfined is taken from there. */
  readonly roots: readonly string[];
  /** @throws {CodedError} when nothing may be started: NOT_AVAILABLE with what to install, DENIED in read-only mode */
  require(): Promise<Sandbox>;
  /** For programs of ours that only read: confined where that is possible. */
  orNone(): Promise<Sandbox | undefined>;
}

/** The sandbox that is being looked for, as the domains use it. */
export function confinementBy(found: Promise<Sandbox | NoSandbox>, roots: readonly string[]): Confinement {
  return {
    roots,
    async require() {
      const sandbox = await found;
      if (isSandbox(sandbox)) return sandbox;
      throw noCommands(sandbox);
    },
    async orNone() {
      const sandbox = await found;
      return isSandbox(sandbox) ? sandbox : undefined;
    },
  };
}

/** Nothing is started at all. */
export function confinementRefusing(error: () => CodedError, roots: readonly string[]): Confinement {
  return {
    roots,
    require: () => Promise.reject(error()),
    orNone: () => Promise.resolve(undefined),
  };
}

/** How commands run, in a few words for the card and agent_status. */
export async function describeCommands(
  mode: AccessMode,
  found: Promise<Sandbox | NoSandbox> | undefined,
): Promise<string> {
  const { commands } = rulesOf(mode);
  if (commands === 'none') return 'none, nothing is run or changed';
  if (commands === 'free') return 'unconfined, with the rights of the user';
  const sandbox = await found;
  if (sandbox === undefined) return 'none';
  if (!isSandbox(sandbox)) return `none: ${sandbox.unavailable}. ${sandbox.hint}`;
  return `confined to the folders by ${sandbox.name}, network ${sandbox.network ? 'on' : 'off'}`;
}

function noCommands({ unavailable, hint }: NoSandbox): CodedError {
  return new CodedError(
    'NOT_AVAILABLE',
    `No command runs in the access mode workspace without a sandbox, and ${unavailable}.`,
    hint,
  );
}
