import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { createGit } from '../../src/git/index.ts';
import { ToolRegistry } from '../../src/mcp/registry.ts';
import { createShell } from '../../src/shell/index.ts';
import type { ToolDefinition } from '../../src/tools/define.ts';
import { gitTools } from '../../src/tools/git.ts';
import type { Services } from '../../src/tools/services.ts';
import { type AccessMode, Workspace } from '../../src/workspace/index.ts';

/** What a call answered, taken apart again. */
export interface Reply {
  readonly ok: boolean;
  readonly summary: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly data: any;
  /** The plain text after the JSON line. */
  readonly bulk: string;
  /** Bytes of the whole answer. */
  readonly bytes: number;
}

export interface WorldOptions {
  /** Another folder to serve than its own repository. */
  readonly serves?: string;
  readonly accessMode?: AccessMode;
  readonly env?: Record<string, string>;
  readonly yieldMs?: number;
}

/** A folder with repositories made by plain git, and the git tools on it as a client has them. */
export class World {
  readonly folder: string;
  readonly home: string;
  /** The first root, an empty repository on `main`. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly services: Services;
  readonly registry: ToolRegistry;

  constructor(t: TestContext, options: WorldOptions = {}) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'git-test-')));
    this.home = join(this.folder, 'home');
    this.root = join(this.folder, 'work');
    mkdirSync(this.home);
    mkdirSync(this.root);
    writeFileSync(
      join(this.home, 'gitconfig'),
      '[user]\n\tname = Ada Tester\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n[protocol "file"]\n\tallow = always\n',
    );
    this.env = {
      PATH: process.env['PATH'],
      HOME: this.home,
      GIT_CONFIG_GLOBAL: join(this.home, 'gitconfig'),
      GIT_CONFIG_NOSYSTEM: '1',
      ...options.env,
    };
    const stateDir = join(this.folder, 'state');
    mkdirSync(stateDir);
    const accessMode = options.accessMode ?? 'full';
    const shell = createShell({ stateDir, yieldMs: options.yieldMs ?? 20_000, env: this.env });
    this.services = {
      workspace: new Workspace({
        roots: [options.serves ?? this.root],
        accessMode,
        protectedPaths: [stateDir],
      }),
      git: createGit({ env: this.env, accessMode }),
      shell,
      stateDir,
      // The git tools use nothing else.
    } as Services;
    this.registry = new ToolRegistry({
      tools: gitTools as unknown as ToolDefinition[],
      services: this.services,
      form: 'auto',
      onDefect: (tool, error) => {
        throw new Error(`${tool} threw something unexpected`, { cause: error });
      },
    });
    this.git(this.root, 'init', '-q');
    t.after(async () => {
      await shell.close();
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    });
  }

  /** Runs plain git; throws when it fails. @returns stdout without the last line break */
  git(cwd: string, ...args: string[]): string {
    return execFileSync('git', args, {
      cwd,
      env: this.env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    }).trimEnd();
  }

  /** The same, for commands that are meant to fail. */
  gitFails(cwd: string, ...args: string[]): void {
    assert.throws(() => this.git(cwd, ...args));
  }

  write(path: string, content: string | Buffer, folder = this.root): void {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  /** Writes files and commits everything. @returns the hash */
  commit(message: string, files: Record<string, string | Buffer>, folder = this.root): string {
    for (const [path, content] of Object.entries(files)) this.write(path, content, folder);
    this.git(folder, 'add', '-A');
    this.git(folder, 'commit', '-q', '--allow-empty', '-m', message);
    return this.git(folder, 'rev-parse', 'HEAD');
  }

  /** A hook, made of shell. */
  hook(name: string, script: string, folder = this.root): void {
    this.write(`.git/hooks/${name}`, `#!/bin/sh\n${script}\n`, folder);
    execFileSync('chmod', ['+x', join(folder, '.git/hooks', name)]);
  }

  /** Calls a tool and checks that a good answer has the shape that it declares. */
  async call(tool: string, args: Record<string, unknown> = {}, signal?: AbortSignal): Promise<Reply> {
    const never = new AbortController().signal;
    const result = await this.registry.call({
      name: tool,
      arguments: args,
      cancelled: signal ?? never,
      abandoned: never,
      conversation: 'test',
      progress: () => {},
    });
    const first = result.content[0];
    assert.ok(first?.type === 'text');
    const text = first.text;
    const lineEnd = text.indexOf('\n\n');
    const envelope = JSON.parse(lineEnd === -1 ? text : text.slice(0, lineEnd));
    const bulk = lineEnd === -1 ? '' : text.slice(lineEnd + 2);
    if (envelope.ok) {
      const definition = gitTools.find(({ name }) => name === tool);
      const field = definition?.bulk?.[0];
      definition
        ?.output()
        .strict()
        .parse(field === undefined ? envelope.data : { ...envelope.data, [field]: bulk });
    }
    return {
      ok: envelope.ok,
      summary: envelope.summary,
      data: envelope.data,
      bulk,
      bytes: Buffer.byteLength(text),
    };
  }

  /** A call that must work. */
  async ok(tool: string, args: Record<string, unknown> = {}): Promise<Reply> {
    const reply = await this.call(tool, args);
    assert.equal(reply.ok, true, `${tool} ${JSON.stringify(args)}: ${JSON.stringify(reply.data)}`);
    return reply;
  }

  /** A call that must fail with this code. */
  async fails(code: string, tool: string, args: Record<string, unknown> = {}): Promise<Reply> {
    const reply = await this.call(tool, args);
    assert.equal(reply.ok, false, `${tool} ${JSON.stringify(args)} worked: ${reply.summary}`);
    assert.equal(reply.data.error.code, code, JSON.stringify(reply.data.error));
    assert.ok(reply.data.error.hint.length > 10);
    return reply;
  }

  exists(path: string, folder = this.root): boolean {
    return existsSync(join(folder, path));
  }
}

/** The paths of entries or files of an answer. */
export function paths(items: readonly { path: string }[]): string[] {
  return items.map(({ path }) => path);
}
