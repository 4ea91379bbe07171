import { existsSync } from 'node:fs';
import { appendFile, lstat, mkdir, readlink, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runProgram } from '../../runtime/run-program.ts';
import { which } from '../../runtime/which.ts';
import { defined, forLauncher, withoutFolders } from './environment.ts';
import { gitConfiguration } from './git-configuration.ts';
import { isWithin, realPathOf } from './paths.ts';
import { socketFilter } from './socket-filter.ts';
import { toolChains } from './tool-chains.ts';
import type { ConfinedRun, NoSandbox, Sandbox, SandboxOptions } from './types.ts';

/** Programs and libraries; on most systems all but the first are links into it. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** Libraries alone, for a program of ours that is linked to them. */
const LIBRARIES = ['/usr/lib', '/usr/lib32', '/usr/lib64', '/lib', '/lib32', '/lib64', '/libx32'];
/** What programs need to know of the machine. Nothing here is a secret, and whatever else is in /etc may be. */
const ETC = [
  'alternatives',
  'ca-certificates',
  'ca-certificates.conf',
  'crypto-policies',
  'fonts',
  'gai.conf',
  'gitconfig',
  'group',
  'host.conf',
  'hosts',
  'inputrc',
  'java',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'locale.alias',
  'locale.conf',
  'localtime',
  'login.defs',
  'magic',
  'manpath.config',
  'maven',
  'mime.types',
  'networks',
  'nsswitch.conf',
  'os-release',
  'passwd',
  'pki/ca-trust',
  'pki/tls/certs',
  'pki/tls/cert.pem',
  'pki/tls/openssl.cnf',
  'protocols',
  'resolv.conf',
  'services',
  'shells',
  'ssl/certs',
  'ssl/cert.pem',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
];
const EMPTY = ['/run', '/var', '/tmp', '/home', '/root'];

const PROBE_TIMEOUT_MS = 10_000;

/** bubblewrap (https://github.com/containers/bubblewrap), looked up on PATH and tried once. */
export async function createBubblewrap(options: SandboxOptions): Promise<Sandbox | NoSandbox> {
  // Never one that a confined program could have put there.
  const program = await which('bwrap', withoutFolders(options.env, options.roots));
  if (program === undefined) {
    return {
      unavailable: 'bubblewrap (bwrap) is not installed',
      hint: 'Have the user install it (apt install bubblewrap, dnf install bubblewrap, pacman -S bubblewrap) and start local-coder again; the file and search tools work without it.',
    };
  }
  const sandbox = await Bubblewrap.make(program, options);
  const run = sandbox.wrap('/bin/sh', ['-c', 'exit 0'], { cwd: options.roots[0], env: options.env });
  const probe = await runProgram(run.file, run.args, {
    cwd: '/',
    env: run.env,
    timeoutMs: PROBE_TIMEOUT_MS,
  }).catch((error: unknown) => ({ exitCode: -1, stderr: String(error), timedOut: false }));
  if (probe.exitCode === 0) return sandbox;
  return { unavailable: `bubblewrap does not work here: ${reasonOf(probe)}`, hint: hintFor(probe.stderr) };
}

function reasonOf({ stderr, timedOut }: { stderr: string; timedOut: boolean }): string {
  if (timedOut) return 'it did not answer';
  const line =
    stderr
      .trim()
      .split('\n')[0]
      ?.replace(/^bwrap: /, '') ?? '';
  return line === '' ? 'it fails without a word' : line.slice(0, 300);
}

function hintFor(stderr: string): string {
  if (/uid map|namespace|clone|permission|not permitted/i.test(stderr)) {
    return 'This system forbids unprivileged user namespaces: on Ubuntu allow bwrap in AppArmor, elsewhere set kernel.unprivileged_userns_clone=1 or user.max_user_namespaces, in a container start it with the needed rights; then start local-coder again. The file and search tools work without it.';
  }
  return 'Have the user run "bwrap --ro-bind / / --unshare-all true" to see what is missing, then start local-coder again. The file and search tools work without it.';
}

class Bubblewrap implements Sandbox {
  readonly name = 'bubblewrap';
  readonly network: boolean;
  readonly #program: string;
  readonly #filterFile: string | undefined;
  readonly #roots: readonly string[];
  readonly #stateDir: string;
  readonly #hidden: readonly string[];
  readonly #protectedFiles: readonly string[];
  /** Folders of the roots that lie above what is closed, the outer ones first. */
  readonly #pinned: readonly string[];
  readonly #home: string | undefined;
  /** Mounts of every run, and those of a run that only reads the roots. */
  readonly #machine: readonly string[];
  readonly #libraries: readonly string[];
  /** Folders of the host that are there inside. */
  readonly #visible: readonly string[];

  private constructor(parts: {
    program: string;
    filterFile: string | undefined;
    options: SandboxOptions;
    machine: readonly string[];
    libraries: readonly string[];
    visible: readonly string[];
  }) {
    const { roots, stateDir, network, env } = parts.options;
    this.#program = parts.program;
    this.#filterFile = parts.filterFile;
    this.network = network && parts.filterFile !== undefined;
    // The outer ones first, so that the inner ones are not covered.
    this.#roots = [...roots].sort((a, b) => a.length - b.length);
    this.#stateDir = stateDir;
    this.#hidden = (parts.options.hidden ?? []).filter((path) => roots.some((root) => isWithin(path, root)));
    this.#protectedFiles = ownFilesIn(roots, parts.options);
    this.#pinned = foldersAbove([stateDir, ...this.#protectedFiles], roots);
    this.#home = env['HOME'];
    this.#machine = parts.machine;
    this.#libraries = parts.libraries;
    this.#visible = parts.visible;
  }

  static async make(program: string, options: SandboxOptions): Promise<Bubblewrap> {
    const { env, roots, readDirs, stateDir, network } = options;
    const system = await Promise.all(SYSTEM.map(systemMount));
    const etc = await Promise.all(ETC.map((name) => etcMount(`/etc/${name}`)));
    const chains = await toolChains(env, ['/usr', ...roots]);
    const more = [...chains, ...readDirs].flatMap((path) => ['--ro-bind-try', path, path]);
    const home = env['HOME'];
    const ownHome =
      home === undefined ||
      !home.startsWith('/') ||
      home === '/' ||
      [...roots, ...EMPTY].some((each) => isWithin(home, each))
        ? []
        : ['--tmpfs', home];
    // What is not there cannot be covered: a command would put a link in its place, and the server write through it.
    for (const file of ownFilesIn(roots, options).slice(0, 1)) await makeFile(file);
    const identity = await gitConfiguration(env, stateDir, roots);
    // A file, because whoever starts the program hands on neither descriptors nor anything else.
    const folder = join(stateDir, 'sandbox');
    const filter = socketFilter(process.arch, network);
    const filterFile = filter && join(folder, `calls-${process.arch}-${network ? 'network' : 'alone'}.bpf`);
    if (filter && filterFile !== undefined) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(filterFile, filter, { mode: 0o600 });
    }
    return new Bubblewrap({
      program,
      filterFile,
      options,
      machine: [
        ...system.flat(),
        ...etc.flat(),
        ...EMPTY.flatMap((path) => ['--tmpfs', path]),
        ...ownHome,
        ...(home?.startsWith('/') && home !== '/' ? ['--dir', home] : []),
        ...identity,
        ...more,
      ],
      libraries: (await Promise.all(LIBRARIES.map(systemMount))).flat(),
      visible: ['/usr', ...chains, ...readDirs],
    });
  }

  wrap(file: string, args: readonly string[], run: ConfinedRun) {
    // What starts the program is not confined yet: variables that tell it to load code are set inside only.
    const { env, inside } = forLauncher({ ...defined(run.env), PWD: run.cwd });
    const bwrap = [
      this.#program,
      '--unshare-all',
      ...(this.network && !run.rootsOnly ? ['--share-net'] : []),
      '--new-session',
      '--die-with-parent',
      // Started by root a program would keep what undoes mounts.
      '--cap-drop',
      'ALL',
      ...(run.rootsOnly ? this.#libraries : this.#machine),
      '--proc',
      '/proc',
      '--dev',
      '/dev',
      ...this.#roots.flatMap((root) => [run.rootsOnly ? '--ro-bind' : '--bind', root, root]),
      // A folder that something is mounted on cannot be renamed: what is closed below it keeps its name.
      ...this.#pinned.flatMap((path) => [run.rootsOnly ? '--ro-bind-try' : '--bind-try', path, path]),
      // Always, wherever it lies: the single files below it are put on top.
      '--tmpfs',
      this.#stateDir,
      // Only where a root would show it: what is not there cannot be covered on a medium that cannot be written.
      ...this.#hidden.filter(existsSync).flatMap((path) => ['--tmpfs', path, '--remount-ro', path]),
      ...this.#protectedFiles.filter(existsSync).flatMap((path) => ['--ro-bind', '/dev/null', path]),
      // Git ignores what lies there, inside as outside.
      ...(this.#roots.some((root) => isWithin(this.#stateDir, root))
        ? ['--ro-bind-try', join(this.#stateDir, '.gitignore'), join(this.#stateDir, '.gitignore')]
        : []),
      ...(run.read ?? []).flatMap((path) => ['--ro-bind', path, path]),
      ...(run.write ?? []).flatMap((path) => ['--bind', path, path]),
      '--remount-ro',
      this.#stateDir,
      '--remount-ro',
      '/',
      '--chdir',
      run.cwd,
      ...Object.entries(inside).flatMap(([name, value]) => ['--setenv', name, value]),
    ];
    if (this.#filterFile === undefined || run.rootsOnly) {
      return { file: this.#program, args: [...bwrap.slice(1), '--', file, ...args], env };
    }
    // bubblewrap reads the filter from a descriptor; a shell opens it.
    const open = 'filter=$1; shift; exec "$@" 3<"$filter"';
    return {
      file: '/bin/sh',
      args: ['-c', open, 'sh', this.#filterFile, ...bwrap, '--seccomp', '3', '--', file, ...args],
      env,
    };
  }

  async canEnter(folder: string): Promise<boolean> {
    if (EMPTY.includes(folder) || folder === this.#home || folder === '/') return true;
    const real = await realPathOf(folder);
    if (real === undefined || [this.#stateDir, ...this.#hidden].some((each) => isWithin(real, each)))
      return false;
    if (![...this.#roots, ...this.#visible].some((each) => isWithin(real, each) && isWithin(folder, each)))
      return false;
    return stat(real).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
  }
}

/** The product's own files that lie in the roots and not in the state folder. */
function ownFilesIn(roots: readonly string[], { protectedFiles = [], stateDir }: SandboxOptions): string[] {
  return protectedFiles.filter(
    (file) => roots.some((root) => isWithin(file, root)) && !isWithin(file, stateDir),
  );
}

async function makeFile(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, '', { mode: 0o600 });
  } catch {
    // Where this user cannot, a command of the same user cannot either.
  }
}

/** The folders between the roots and some paths below them, without either; the outer ones first. */
function foldersAbove(paths: readonly string[], roots: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const isBelowRoot = (folder: string) => roots.some((root) => folder !== root && isWithin(folder, root));
    for (let folder = dirname(path); isBelowRoot(folder); folder = dirname(folder)) found.add(folder);
  }
  return [...found].sort((a, b) => a.length - b.length);
}

/** A folder of the system as it is: a link stays one. */
async function systemMount(path: string): Promise<string[]> {
  const stats = await lstat(path).catch(() => undefined);
  if (!stats) return [];
  return stats.isSymbolicLink() ? ['--symlink', await readlink(path), path] : ['--ro-bind', path, path];
}

/** A file of /etc with the content that it has, wherever a link leads (resolv.conf: often into /run). */
async function etcMount(path: string): Promise<string[]> {
  const real = await realPathOf(path);
  return real === undefined ? [] : ['--ro-bind', real, path];
}
