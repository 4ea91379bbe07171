/** A home, a PATH of chosen programs and the shells in which install.sh is run. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from '../../support/built.ts';
import { snapshot } from './snapshot.ts';

export const INSTALLER = join(ROOT, 'install.sh');

/** What install.sh needs of a system besides what downloads, hashes and unpacks. */
const EVERYDAY = [
  'cat',
  'chmod',
  'find',
  'head',
  'id',
  'mkdir',
  'mktemp',
  'mv',
  'rm',
  'rmdir',
  'sed',
  'sh',
  'sleep',
  'wc',
];
const USUAL = [...EVERYDAY, 'tail', 'timeout', 'curl', 'sha256sum', 'tar', 'gzip', 'xz'];

export interface Shell {
  readonly name: string;
  readonly file: string | undefined;
  readonly args: readonly string[];
}

export const SHELLS: readonly Shell[] = [
  { name: 'dash', file: found('dash'), args: [] },
  { name: 'bash', file: found('bash'), args: [] },
  { name: 'busybox sh', file: found('busybox'), args: ['sh'] },
  { name: 'zsh', file: found('zsh'), args: ['-f'] },
  { name: 'zsh --emulate sh', file: found('zsh'), args: ['--emulate', 'sh', '-f'] },
];

/** A program of this machine, whatever PATH a test has. */
export function found(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/usr/bin', '/bin'];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** The reason to skip a test that needs these programs, or false. */
export function lacks(...names: string[]): string | false {
  const missing = names.find((name) => found(name) === undefined);
  return missing === undefined ? false : `no ${missing} on this machine`;
}

/** The reason to skip what runs install.sh under a shell, or false. */
export function noInstaller(shell: Shell): string | false {
  if (process.platform === 'win32') return 'only on Linux and macOS';
  return shell.file === undefined ? `no ${shell.name} on this machine` : lacks('curl', 'xz');
}

export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Standard input; closed without it. */
  readonly input?: string;
  readonly uid?: number;
  /** Called with the process once it runs. */
  readonly started?: (pid: number) => void;
}

const LIMIT_MS = 60_000;

export class Sandbox {
  readonly base = mkdtempSync(join(tmpdir(), 'lc-installer-'));
  readonly home = join(this.base, 'home');
  readonly bin = join(this.base, 'bin');
  readonly temporary = join(this.base, 'tmp');
  /** Where install.sh puts the program by itself. */
  readonly program = join(this.home, '.local/bin/local-coder');
  readonly #mirror: string;

  /** @param programs of this machine's that are on PATH */
  constructor(mirror: string, programs: readonly string[] = USUAL) {
    this.#mirror = mirror;
    for (const folder of [this.home, this.bin, this.temporary]) mkdirSync(folder);
    chmodSync(this.base, 0o755);
    for (const name of programs) {
      const file = found(name);
      if (file !== undefined) symlinkSync(file, join(this.bin, name));
    }
    this.system('Linux', 'x86_64');
    this.fake('sleep', 'exit 0'); // between two tries
    this.fake(
      'getconf',
      'case $1 in GNU_LIBC_VERSION) echo glibc 2.36 ;; LONG_BIT) echo 64 ;; *) exit 1 ;; esac',
    );
  }

  /** The programs of a usual system, without some and with others. */
  static programs(change: { without?: readonly string[]; and?: readonly string[] }): string[] {
    return [...USUAL.filter((name) => !change.without?.includes(name)), ...(change.and ?? [])];
  }

  /** Puts a program on PATH that is a script. */
  fake(name: string, script: string): void {
    const file = join(this.bin, name);
    rmSync(file, { force: true });
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }

  system(name: string, machine: string): void {
    this.fake('uname', `case $1 in -m) echo ${machine} ;; *) echo ${name} ;; esac`);
  }

  /** Puts a program where install.sh would. */
  installed(bytes: Buffer, file: string = this.program): void {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, bytes);
    chmodSync(file, 0o755);
  }

  /** The home and the folder of temporary files, byte for byte. */
  state(): string {
    return `${snapshot(this.home)}\n${snapshot(this.temporary)}`;
  }

  /** Runs install.sh (or what `input` holds) in a shell. */
  run(shell: Shell, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
    const script = options.input === undefined ? [INSTALLER] : ['-s', '--'];
    return this.spawn(shell.file ?? shell.name, [...shell.args, ...script, ...args], options);
  }

  spawn(file: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      const child = spawn(file, args, {
        cwd: options.cwd ?? this.base,
        env: {
          PATH: this.bin,
          HOME: this.home,
          TMPDIR: this.temporary,
          SHELL: '/bin/bash',
          LOCAL_CODER_BASE_URL: this.#mirror,
          ...options.env,
        },
        stdio: ['pipe', 'pipe', 'pipe'],
        ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
      });
      const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
      const output = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (chunk: string) => {
          output[name] += chunk;
        });
      }
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ code, ...output });
      });
      child.stdin.on('error', () => {}); // a shell that ends early does not read all of it
      child.stdin.end(options.input ?? '');
      if (child.pid !== undefined) options.started?.(child.pid);
    });
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true, maxRetries: 3 });
  }
}
