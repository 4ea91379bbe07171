import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AccessMode } from '../../../src/access/modes.ts';
import { startProgram } from '../../../src/cli/program.ts';
import type { SettingName } from '../../../src/config/definitions.ts';
import { loadSettings } from '../../../src/config/load.ts';
import { openStateDir } from '../../../src/config/state-dir.ts';
import { createLog } from '../../../src/runtime/log.ts';

/** Stands in every file outside of the roots; must never appear in an answer. */
export const CANARY = 'CANARY-7d1f-outside';
/** Part of the names of some files outside. */
export const NAME_CANARY = 'canary-name-51ab';
/** Stands in the state folder and in the environment of the server. */
export const STATE_CANARY = 'CANARY-90c2-state';
/** Stands in files that git ignores; must never appear in read-only mode. */
export const IGNORED_CANARY = 'CANARY-3e44-ignored';

export interface Reply {
  readonly ok: boolean;
  readonly code: string | undefined;
  /** Everything that the client got. */
  readonly text: string;
}

/**
 * A workspace with everything around it that it must not reach: a folder beside it, a home folder, the state folder in
 * its middle, links that lead to all of these, and the program's real services.
 */
export class World {
  readonly folder: string;
  readonly root: string;
  readonly outside: string;
  readonly home: string;
  readonly stateDir: string;
  readonly mode: AccessMode;
  #program: ReturnType<typeof startProgram> | undefined;

  constructor(t: TestContext, mode: AccessMode) {
    this.mode = mode;
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'lc-access-')));
    this.root = join(this.folder, 'work');
    this.outside = join(this.folder, 'outside');
    this.home = join(this.folder, 'home');
    this.stateDir = join(this.root, '.state');
    t.after(async () => {
      await this.#program?.close();
      // It writes its files while it is being tried.
      await this.#program?.services.sandbox;
      rmSync(this.folder, { recursive: true, force: true });
    });
    this.#layOut();
  }

  /** @param flags further settings */
  async start(flags: Partial<Record<SettingName, unknown>> = {}): Promise<this> {
    // The program reads its environment as a process does.
    process.env['HOME'] = this.home;
    process.env['LC_TEST_SECRET'] = STATE_CANARY;
    const given = new Map(
      Object.entries({
        access: this.mode,
        workspace: [this.root],
        'state-dir': this.stateDir,
        shell: 'bash',
        ...flags,
      }),
    );
    const settings = await loadSettings(given as Map<SettingName, unknown>, process.env, this.folder);
    const { stateDir } = await openStateDir(settings['state-dir']);
    writeFileSync(join(stateDir, 'marker.txt'), `${STATE_CANARY}\n`);
    this.#program = startProgram(settings, stateDir, createLog('error'));
    return this;
  }

  get program() {
    if (!this.#program) throw new Error('the world was not started');
    return this.#program;
  }

  async call(tool: string, args: Record<string, unknown>): Promise<Reply> {
    const signal = new AbortController().signal;
    const result = await this.program.registry.call({
      name: tool,
      arguments: args,
      cancelled: signal,
      abandoned: signal,
      conversation: undefined,
      client: undefined,
      progress: () => {},
    } as Parameters<typeof this.program.registry.call>[0]);
    const text = JSON.stringify(result.content);
    const first = result.content[0];
    const line = first?.type === 'text' ? first.text.split('\n')[0] : undefined;
    const envelope = JSON.parse(line ?? '{}') as { ok?: boolean; data?: { error?: { code?: string } } };
    return { ok: envelope.ok === true, code: envelope.data?.error?.code, text };
  }

  /** Names, contents, modes and times of everything outside: equal strings mean that nothing was touched. */
  outsideState(): string {
    return [this.outside, this.home, join(this.folder, 'work-sibling')].map(fingerprint).join('\n');
  }

  #layOut(): void {
    for (const folder of [
      'work/sub/deep',
      'work/src',
      'work/project',
      'work/guided',
      'work/secrets',
      'outside/inner',
      'outside/project',
      'home/.ssh',
      'work-sibling',
    ]) {
      mkdirSync(join(this.folder, folder), { recursive: true });
    }
    const secret = `${CANARY}\nexport function ${NAME_CANARY.replaceAll('-', '_')}() {}\n`;
    for (const path of [
      'outside/secret.txt',
      'outside/secret.ts',
      'outside/file.txt',
      `outside/${NAME_CANARY}.txt`,
      'outside/inner/secret.txt',
      'outside/AGENTS.md',
      'home/secret.txt',
      'home/.ssh/id_rsa',
      'work-sibling/secret.txt',
    ]) {
      this.write(join(this.folder, path), secret);
    }
    this.write(
      join(this.outside, 'project/package.json'),
      JSON.stringify({ scripts: { [NAME_CANARY]: CANARY } }),
    );
    this.write(join(this.outside, 'picture.svg'), `<svg xmlns="x"><!-- ${CANARY} --></svg>`);
    this.write(join(this.root, 'inside.txt'), 'one\ntwo\n');
    this.write(join(this.root, '..foo'), 'fine\n');
    this.write(join(this.root, 'sub/deep/file.txt'), 'deep\n');
    this.write(join(this.root, 'src/code.ts'), 'export function insideFunction() {}\n');
    this.write(join(this.root, '.gitignore'), '.env\n/secrets/\n.state/\n');
    this.write(join(this.root, '.env'), `TOKEN=${IGNORED_CANARY}\n`);
    this.write(join(this.root, 'secrets/key.txt'), `${IGNORED_CANARY}\n`);
    this.git('init', '-q', '-b', 'main');
    this.git('add', '.');
    this.git('commit', '-q', '-m', 'one');
    const { folder, outside, root } = this;
    for (const [name, target] of [
      ['link-file', '../outside/secret.txt'],
      ['link-absolute', join(outside, 'secret.txt')],
      ['link-dir', '../outside'],
      ['link-chain', 'link-dir'],
      ['link-up', '..'],
      ['link-home', this.home],
      ['link-in', 'sub'],
      ['link-dangling', '../outside/not-there.txt'],
      ['link-proc', '/proc/self/environ'],
      ['link-cwd', '/proc/self/cwd'],
      ['link-slash', '/'],
      ['link-state', '.state'],
      ['link-env', '.env'],
      ['link-secrets', 'secrets'],
      ['sub/link-out', '../../outside'],
      ['project/package.json', '../../outside/project/package.json'],
      ['guided/AGENTS.md', '../../outside/AGENTS.md'],
      ['guided/.git', '../../outside'],
    ] as const) {
      symlinkSync(target, join(root, name));
    }
    // A way into the workspace from elsewhere.
    symlinkSync(root, join(folder, 'alias'));
    if (process.platform === 'linux') execFileSync('mkfifo', [join(root, 'pipe')]);
  }

  write(path: string, text: string): void {
    writeFileSync(path, text);
  }

  git(...args: string[]): string {
    return execFileSync('git', args, {
      cwd: this.root,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: this.home,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'a',
        GIT_AUTHOR_EMAIL: 'a@example.org',
        GIT_COMMITTER_NAME: 'a',
        GIT_COMMITTER_EMAIL: 'a@example.org',
      },
    });
  }

  executable(path: string, text: string): void {
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  }
}

function fingerprint(folder: string): string {
  const lines: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const stats = lstatSync(path);
    const content = stats.isSymbolicLink()
      ? readlinkSync(path)
      : stats.isFile()
        ? readFileSync(path, 'utf8')
        : '';
    lines.push(`${path} ${stats.mode} ${stats.ino} ${stats.mtimeMs} ${content}`);
  }
  return lines.sort().join('\n');
}
