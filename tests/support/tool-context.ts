import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { z } from 'zod';
import { CodedError, type ErrorCode } from '../../src/runtime/errors.ts';
import type { ToolAnswer, ToolContext, ToolDefinition } from '../../src/tools/define.ts';
import type { Services } from '../../src/tools/services.ts';
import { Workspace } from '../../src/workspace/index.ts';

export interface ToolBench {
  /** The workspace root, a new temporary folder that is removed after the test. */
  readonly root: string;
  readonly context: ToolContext;
  /** Runs a tool's handler with its arguments parsed as the registry parses them; the answer fits its schema. */
  call<I extends z.ZodObject, O extends z.ZodObject>(
    tool: ToolDefinition<I, O>,
    args: z.input<I>,
    overrides?: Partial<ToolContext>,
  ): Promise<ToolAnswer<z.infer<O>>>;
}

/**
 * A workspace in a temporary folder and what tool handlers need, without registry and server.
 * @param services further services that the tools under test use; the others are absent
 */
export async function toolBench(t: TestContext, services: Partial<Services> = {}): Promise<ToolBench> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-test-')));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const root = join(folder, 'root');
  const stateDir = join(folder, 'state');
  await mkdir(root);
  await mkdir(stateDir, { mode: 0o700 });
  const workspace = new Workspace({ roots: [root], accessMode: 'full', protectedPaths: [stateDir] });
  const context: ToolContext = {
    // A test gives what its tools use; touching another service fails loudly.
    services: { workspace, stateDir, ...services } as Services,
    signal: new AbortController().signal,
    abandoned: new AbortController().signal,
    conversation: undefined,
    answerByMs: performance.now() + 40_000,
    progress: () => {},
  };
  return {
    root,
    context,
    async call(tool, args, overrides) {
      const answer = await tool.handler(tool.input.parse(args), { ...context, ...overrides });
      tool.output().strict().parse(withoutUndefined(answer.data));
      return answer;
    },
  };
}

/** The CodedError that a call ends in; anything else fails the test. */
export async function failure(promise: Promise<unknown>, code: ErrorCode): Promise<CodedError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CodedError)) throw new Error(`expected ${code}, got ${error ?? 'success'}`);
  if (error.code !== code) throw new Error(`expected ${code}, got ${error.code}: ${error.message}`);
  if (error.hint === '') throw new Error(`${code} has no hint`);
  return error;
}

function withoutUndefined(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
