import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { movedPath, toCarried } from '../runtime/portable.ts';
import { type Dialect, emptyState, type ShellState } from './dialects/dialect.ts';
import { areLarge } from './dialects/functions.ts';

const RECENT_COMMANDS = 5;

/** Files that a call's shell loads; they stay until the last process that was started with them has ended. */
export interface RestoreFiles {
  readonly restore: string;
  readonly functions: string | undefined;
  release(): void;
}

export interface NamedShell {
  readonly name: string;
  readonly root: string;
  state: ShellState;
  readonly recentCommands: string[];
  runningCommands: number;
  /** Commands that ended and whose state is being read. */
  readonly pendingSaves: Set<Promise<void>>;
  /** Rises with every reset: what a call leaves that began before is dropped. */
  generation: number;
}

interface Files {
  readonly restore: string;
  readonly functions: FunctionsFile | undefined;
  readonly ready: Promise<unknown>;
  users: number;
}

/** Shared by all states with the same functions: a `cd` must not write 260 KiB again. */
interface FunctionsFile {
  readonly path: string;
  readonly ready: Promise<void>;
  states: number;
}

/**
 * The states of all named shells: in memory for calls, on disk (`shells/<hash>.json`, 0600) for the next start of
 * the server. Shells of the same name in different root folders are different shells.
 */
export class ShellStates {
  readonly #stateDir: string;
  readonly #folder: string;
  readonly #dialect: Dialect;
  readonly #runFolder: () => Promise<string>;
  readonly #initial: (cwd: string) => Promise<ShellState>;
  readonly #shells = new Map<string, Promise<NamedShell>>();
  readonly #loaded = new Map<string, NamedShell>();
  readonly #files = new WeakMap<ShellState, Files>();
  readonly #functionsFiles = new WeakMap<ShellState['functions'], FunctionsFile>();
  /** Writes of one file follow one another. */
  readonly #writes = new Map<string, Promise<void>>();
  #fileNumber = 0;

  /**
   * @param folder where states are kept
   * @param runFolder where restore files go; private to this server
   * @param initial state of a shell that is new
   */
  constructor(
    { stateDir, folder }: { readonly stateDir: string; readonly folder: string },
    dialect: Dialect,
    runFolder: () => Promise<string>,
    initial: (cwd: string) => Promise<ShellState>,
  ) {
    this.#stateDir = stateDir;
    this.#folder = folder;
    this.#dialect = dialect;
    this.#runFolder = runFolder;
    this.#initial = initial;
  }

  get(name: string, root: string): Promise<NamedShell> {
    const key = this.#key(name, root);
    let shell = this.#shells.get(key);
    if (!shell) {
      shell = this.#load(key, name, root);
      this.#shells.set(key, shell);
      shell.catch(() => this.#shells.delete(key));
    }
    return shell;
  }

  list(): NamedShell[] {
    return [...this.#loaded.values()];
  }

  /**
   * Takes over what a call changed, unless the shell was reset since it began. Calls that overlap do not undo each
   * other: what a call left as it had found it stays as it is by now; where two changed the same, the last wins.
   * @param base the state that the call started from
   */
  save(shell: NamedShell, base: ShellState, after: ShellState, generation: number): void {
    if (shell.generation !== generation) return;
    const state = merge(shell.state, base, after, this.#dialect);
    if (sameState(shell.state, state)) return;
    const unchanged = sameRecord(shell.state.functions, state.functions);
    this.#setState(shell, unchanged ? { ...state, functions: shell.state.functions } : state);
  }

  async reset(name: string, root: string): Promise<NamedShell> {
    const shell = await this.get(name, root);
    shell.generation++;
    shell.recentCommands.length = 0;
    this.#setState(shell, await this.#initial(root));
    const key = this.#key(name, root);
    await this.#write(key, undefined);
    return shell;
  }

  remember(shell: NamedShell, command: string): void {
    shell.recentCommands.push(command);
    if (shell.recentCommands.length > RECENT_COMMANDS) shell.recentCommands.shift();
  }

  /** The files that bring a new shell process into the present state; written only when it changed. */
  async restoreFiles(shell: NamedShell): Promise<RestoreFiles> {
    const { state } = shell;
    const files = await this.#filesOf(state);
    files.users++;
    let released = false;
    try {
      await files.ready;
    } catch (error) {
      this.#files.delete(state);
      throw error;
    }
    return {
      restore: files.restore,
      functions: files.functions?.path,
      release: () => {
        if (released) return;
        released = true;
        files.users--;
        this.#removeUnused(shell, state, files);
      },
    };
  }

  /** Waits until everything is on disk. */
  async close(): Promise<void> {
    await Promise.all(this.#writes.values());
  }

  #setState(shell: NamedShell, state: ShellState): void {
    const before = shell.state;
    shell.state = state;
    const files = this.#files.get(before);
    if (files) this.#removeUnused(shell, before, files);
    this.#write(this.#key(shell.name, shell.root), shell).catch(() => {});
  }

  #removeUnused(shell: NamedShell, state: ShellState, files: Files): void {
    if (files.users > 0 || shell.state === state) return;
    this.#files.delete(state);
    unlink(files.restore).catch(() => {});
    if (files.functions && --files.functions.states === 0) {
      this.#functionsFiles.delete(state.functions);
      unlink(files.functions.path).catch(() => {});
    }
  }

  async #filesOf(state: ShellState): Promise<Files> {
    const folder = await this.#runFolder();
    let files = this.#files.get(state);
    if (!files) {
      const lazy = areLarge(state.functions) && !state.settings.includes('\nexport -f ');
      const functions = lazy ? this.#functionsFileOf(state, folder) : undefined;
      const restore = join(folder, `restore-${++this.#fileNumber}`);
      const script = this.#dialect.restoreScript(state, functions?.path);
      const ready = Promise.all([writePrivate(restore, script), functions?.ready]);
      ready.catch(() => {});
      files = { restore, functions, ready, users: 0 };
      this.#files.set(state, files);
    }
    return files;
  }

  #functionsFileOf(state: ShellState, folder: string): FunctionsFile {
    let file = this.#functionsFiles.get(state.functions);
    if (!file) {
      const path = join(folder, `functions-${++this.#fileNumber}`);
      file = { path, ready: writePrivate(path, this.#dialect.functionsScript(state)), states: 0 };
      file.ready.catch(() => {});
      this.#functionsFiles.set(state.functions, file);
    }
    file.states++;
    return file;
  }

  async #load(key: string, name: string, root: string): Promise<NamedShell> {
    const stored = await this.#read(key);
    const shell: NamedShell = {
      name,
      root,
      state: stored ?? (await this.#initial(root)),
      recentCommands: [],
      runningCommands: 0,
      pendingSaves: new Set(),
      generation: 0,
    };
    this.#loaded.set(key, shell);
    return shell;
  }

  async #read(key: string): Promise<ShellState | undefined> {
    try {
      const parsed: unknown = JSON.parse(await readFile(join(this.#folder, `${key}.json`), 'utf8'));
      if (typeof parsed !== 'object' || parsed === null || !('version' in parsed) || parsed.version !== 1)
        return undefined;
      // Written by ourselves; every field that a later version lacks gets its default.
      const stored = parsed as { place?: string; state?: Partial<ShellState> };
      const { cwd, ...rest } = stored.state ?? {};
      if (cwd === undefined) return undefined;
      const state = { ...emptyState(cwd), ...rest, cwd };
      return stored.place === undefined ? state : movedState(state, stored.place, dirname(this.#stateDir));
    } catch {
      // Missing or damaged: a new shell.
      return undefined;
    }
  }

  /** Atomic, one after the other per shell, and only the last of several. */
  #write(key: string, shell: NamedShell | undefined): Promise<void> {
    const before = this.#writes.get(key) ?? Promise.resolve();
    const generation = shell?.state;
    const next = before.then(async () => {
      if (shell && shell.state !== generation) return;
      const file = join(this.#folder, `${key}.json`);
      if (!shell) return unlink(file).catch(() => {});
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const temporary = `${file}.${process.pid}.tmp`;
      const { name, root, state } = shell;
      const place = toCarried(root, this.#stateDir) === root ? undefined : dirname(this.#stateDir);
      await writeFile(temporary, JSON.stringify({ version: 1, name, root, place, state }), { mode: 0o600 });
      await rename(temporary, file);
    });
    const settled = next.catch(() => {});
    this.#writes.set(key, settled);
    return settled;
  }

  #key(name: string, root: string): string {
    return createHash('sha256')
      .update(JSON.stringify([this.#dialect.kind, toCarried(root, this.#stateDir), name]))
      .digest('hex')
      .slice(0, 32);
  }
}

/**
 * The state of a shell whose folder lies elsewhere by now, with all that lay beside it (runtime/portable.ts): where it
 * stands, and what its variables name (PATH, VIRTUAL_ENV). What functions and aliases name is the user's own text.
 */
function movedState(state: ShellState, then: string, now: string): ShellState {
  if (then === now) return state;
  const moved = (path: string) => movedPath(path, then, now) ?? path;
  const environment = Object.entries(state.environment).map(([name, value]) => {
    return [name, typeof value === 'string' ? value.split(delimiter).map(moved).join(delimiter) : value];
  });
  return { ...state, cwd: moved(state.cwd), environment: Object.fromEntries(environment) };
}

/** Text of a shell: one character per byte. */
function writePrivate(path: string, text: string): Promise<void> {
  return writeFile(path, text, { encoding: 'latin1', mode: 0o600 });
}

function merge(now: ShellState, base: ShellState, after: ShellState, dialect: Dialect): ShellState {
  if (now === base) return after;
  const pick = <K extends 'cwd' | 'settings' | 'options'>(key: K): string =>
    after[key] === base[key] ? now[key] : after[key];
  return {
    cwd: pick('cwd'),
    environment: mergeRecord(now.environment, base.environment, after.environment),
    variables: mergeVariables(now.variables, base.variables, after.variables, dialect),
    functions: mergeRecord(now.functions, base.functions, after.functions),
    settings: pick('settings'),
    options: pick('options'),
  };
}

function mergeVariables(now: string, base: string, after: string, { variableEntries }: Dialect): string {
  if (after === base) return now;
  if (now === base || !variableEntries) return after;
  const [n, b, a] = [variableEntries(now), variableEntries(base), variableEntries(after)];
  if (!n || !b || !a) return after;
  return Object.values(mergeRecord(n, b, a))
    .map((line) => `${line}\n`)
    .join('');
}

function mergeRecord<T>(
  now: Readonly<Record<string, T>>,
  base: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
): Record<string, T> {
  const merged: Record<string, T> = { ...now };
  for (const [key, value] of Object.entries(after)) if (base[key] !== value) merged[key] = value;
  for (const key of Object.keys(base)) if (!(key in after)) delete merged[key];
  return merged;
}

function sameState(a: ShellState, b: ShellState): boolean {
  return (
    a.cwd === b.cwd &&
    a.variables === b.variables &&
    a.settings === b.settings &&
    a.options === b.options &&
    sameRecord(a.environment, b.environment) &&
    sameRecord(a.functions, b.functions)
  );
}

function sameRecord(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key] && key in b);
}
