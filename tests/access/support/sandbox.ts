import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import { isSandbox } from '../../../src/access/sandbox/index.ts';
import { World } from './world.ts';

/**
 * A world in workspace mode with a sandbox that works, its commands able to run the Node of these tests.
 * @returns undefined where this machine has none; the test is skipped then, with the reason
 */
export async function confinedWorld(
  t: TestContext,
  options: { readonly network?: 'on' | 'off'; readonly prepare?: (world: World) => void } = {},
): Promise<World | undefined> {
  const world = new World(t, 'workspace');
  options.prepare?.(world);
  await world.start({
    'sandbox-network': options.network ?? 'on',
    'sandbox-read': [dirname(dirname(process.execPath))],
  });
  const sandbox = await world.program.services.sandbox;
  if (sandbox !== undefined && isSandbox(sandbox)) return world;
  t.skip(`no sandbox here: ${sandbox?.unavailable ?? 'not looked for'}`);
  return undefined;
}

/** What a command printed, both streams, with its exit code. */
export async function run(world: World, command: string): Promise<string> {
  const reply = await world.call('run_command', { command, yield_ms: 38_000, again: true });
  if (!reply.ok) throw new Error(reply.text);
  const blocks = JSON.parse(reply.text) as { text: string }[];
  return blocks.map(({ text }) => text).join('\n');
}
