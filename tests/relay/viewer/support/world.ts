import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { createViewer, type ViewedWorkspace, type Viewer } from '../../../../src/relay/viewer/index.ts';
import { CodedError } from '../../../../src/runtime/errors.ts';

const run = promisify(execFile);

/** Stands in every file that must never be shown. */
export const CANARY = 'canary-7f3a91c2';

export interface ViewerWorld {
  /** Real path of the workspace `ws`. */
  readonly root: string;
  /** Real path of a folder beside it. */
  readonly outside: string;
  readonly stateDir: string;
  readonly viewer: Viewer;
  readonly workspaces: ViewedWorkspace[];
  write(path: string, content: string | Buffer): Promise<void>;
  link(target: string, path: string): Promise<void>;
  git(...args: string[]): Promise<string>;
  /** What a call ends in: its data, or its error. */
  call(tool: string, input: Record<string, unknown>): Promise<Outcome>;
}

export interface Outcome {
  readonly ok: boolean;
  readonly code: string;
  readonly data: Record<string, unknown>;
  /** All that a caller would see of it. */
  readonly text: string;
}

/** A temporary workspace `ws` and a viewer on it; removed after the test. */
export async function viewerWorld(
  t: Pick<TestContext, 'after'>,
  options: { ignore?: string[] } = {},
): Promise<ViewerWorld> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-viewer-')));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const [root, outside, stateDir] = ['root', 'outside', 'state'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [root, outside, stateDir]) await mkdir(path);
  const workspaces: ViewedWorkspace[] = [
    {
      workspaceId: 'ws',
      displayName: 'The workspace',
      root,
      ...(options.ignore && { ignore: options.ignore }),
    },
  ];
  const viewer = createViewer({
    workspaces: () => workspaces,
    agent: { agentId: 'local' },
    stateDir,
    env: process.env,
  });
  return {
    root,
    outside,
    stateDir,
    viewer,
    workspaces,
    async write(path, content) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    },
    async link(target, path) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await symlink(target, join(root, path));
    },
    async git(...args) {
      const identity = ['-c', 'user.name=T', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false'];
      return (await run('git', [...identity, ...args], { cwd: root })).stdout;
    },
    call: (tool, input) => outcomeOf(viewer, tool, { workspaceId: 'ws', ...input }),
  };
}

export async function outcomeOf(
  viewer: Viewer,
  tool: string,
  input: Record<string, unknown>,
  signal = new AbortController().signal,
): Promise<Outcome> {
  try {
    const { summary, data } = await viewer.call(tool as 'listTree', input, signal);
    return { ok: true, code: 'ok', data, text: JSON.stringify({ summary, data }) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const { code, message, hint, details } = error;
    if (hint === '') throw new Error(`${code} has no hint`);
    return { ok: false, code, data: {}, text: JSON.stringify({ message, hint, details }) };
  }
}
