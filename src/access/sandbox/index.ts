import { CodedError } from '../../runtime/errors.ts';
import { isLinux, isMac } from '../../runtime/platform.ts';
import { type AccessMode, rulesOf } from '../modes.ts';
import { createBubblewrap } from './bubblewrap.ts';
import { createSeatbelt } from './seatbelt.ts';
import type { NoSandbox, Sandbox, SandboxOptions } from './types.ts';

export { cleanEnvironment, withoutFolders } from './environment.ts';
export type { ConfinedProgram, ConfinedRun, NoSandbox, Sandbox, SandboxOptions } from './types.ts';

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
