import { realpath } from 'node:fs/promises';

/** The file that an upgrade replaces, or the sentence that says how this program is upgraded instead. */
export type Origin =
  | { readonly executable: string; readonly instead?: never }
  | { readonly executable?: never; readonly instead: string };

export interface RunningAs {
  readonly isDeno: boolean;
  readonly isSingleExecutable: boolean;
  /** process.execPath */
  readonly execPath: string;
  /** process.argv[1] */
  readonly script: string | undefined;
}

/** Places of package managers, which keep account of the files that they put there. */
const PACKAGE_MANAGERS: readonly [place: RegExp, name: string][] = [
  [/^\/nix\/store\//, 'Nix'],
  [/\/(cellar|homebrew|linuxbrew)\//, 'Homebrew'],
  [/^\/(var\/lib\/)?snap\//, 'snap'],
  [/^\/(usr\/)?s?bin\//, "the system's package manager"],
  [/\/scoop\/apps\//, 'Scoop'],
  [/\/winget\/packages\//, 'winget'],
  [/\/windowsapps\//, 'the Microsoft Store'],
  [/\/chocolatey\//, 'Chocolatey'],
];

/** Finds out how this program came here. */
export async function findOrigin(running: RunningAs): Promise<Origin> {
  if (!running.isSingleExecutable) return { instead: withoutExecutable(running) };
  // Through a link its target is replaced: the link is somebody's way of having it on PATH.
  const executable = await realpath(running.execPath);
  const place = executable.replaceAll('\\', '/').toLowerCase();
  const manager = PACKAGE_MANAGERS.find(([pattern]) => pattern.test(place));
  if (manager === undefined) return { executable };
  return { instead: `${executable} belongs to ${manager[1]}: upgrade it there.` };
}

function withoutExecutable({ isDeno, script = '' }: RunningAs): string {
  const path = script.replaceAll('\\', '/');
  if (path.includes('/node_modules/') || path.includes('/_npx/')) {
    return 'This program was installed by npm: npm install -g local-coder@latest (npx local-coder@latest runs the newest by itself).';
  }
  if (isDeno || path.endsWith('.ts'))
    return 'This program runs from its sources: update them (git pull, then npm ci).';
  return 'This program is a bundle that Node runs: put the newer bundle in its place, or install the executable.';
}
