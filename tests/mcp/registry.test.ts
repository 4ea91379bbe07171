import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { CallRecord, ToolCall } from '../../src/mcp/call.ts';
import { ToolRegistry } from '../../src/mcp/registry.ts';
import { CHANGES, defineTool, READS, type ToolDefinition } from '../../src/tools/define.ts';
import type { Services } from '../../src/tools/services.ts';

const never = new AbortController().signal;

function call(name: string, args: unknown = {}, more: Partial<ToolCall> = {}): ToolCall {
  return {
    name,
    arguments: args,
    cancelled: never,
    abandoned: never,
    conversation: 'c',
    progress: () => {},
    ...more,
  };
}

/** A tool that ends when it is told to, and counts how often it ran. */
function gate(name: string, readOnly = false) {
  const state = { runs: 0, finish: () => {}, signal: never };
  const tool = defineTool({
    name,
    description: 'Waits.',
    input: z.object({
      note: z.string().optional(),
      id: z.string().optional(),
      wait_ms: z.number().optional(),
    }),
    output: () => z.object({ run: z.number() }),
    annotations: readOnly ? READS : CHANGES,
    handler: (_input, context) => {
      const run = ++state.runs;
      state.signal = context.signal;
      return new Promise((resolve) => {
        state.finish = () => resolve({ summary: 'Done.', data: { run } });
      });
    },
  });
  return { tool: tool as unknown as ToolDefinition, state };
}

function registryOf(tools: ToolDefinition[], handOverMs = 30) {
  const calls: CallRecord[] = [];
  const registry = new ToolRegistry({
    tools,
    services: {} as Services,
    form: 'auto',
    handOverMs,
    onCall: (record) => calls.push(record),
  });
  return { registry, calls };
}

const dataOf = (result: { structuredContent?: Record<string, unknown> }) =>
  result.structuredContent?.['data'] as Record<string, unknown> & {
    error?: { code: string; hint: string; process_id: string };
  };

describe('calls that are not done when their answer is due', () => {
  test('go on, and are collected with process_output and their id', async () => {
    const { tool, state } = gate('slow');
    const output = gate('process_output', true);
    const { registry } = registryOf([tool, output.tool]);
    const first = await registry.call(call('slow'));
    assert.equal(first.isError, true);
    const error = dataOf(first).error!;
    assert.equal(error.code, 'TIMEOUT');
    assert.match(error.hint, new RegExp(`process_output \\{"id":"${error.process_id}"`));
    const waiting = registry.call(call('process_output', { id: error.process_id, wait_ms: 5_000 }));
    state.finish();
    assert.deepEqual(dataOf(await waiting), { run: 1 });
    assert.equal(output.state.runs, 0, 'the real process_output was not asked');
  });

  test('what a receipt promised was cancelled when the client closed the answered request', async () => {
    for (const readOnly of [true, false]) {
      const { tool, state } = gate('slow', readOnly);
      const { registry } = registryOf([tool, gate('process_output', true).tool]);
      const request = new AbortController();
      const signals = { cancelled: request.signal, abandoned: request.signal };
      const { process_id } = dataOf(await registry.call(call('slow', {}, signals))).error!;
      request.abort(new Error('Connection closed'));
      assert.equal(state.signal.aborted, false);
      state.finish();
      const collected = await registry.call(call('process_output', { id: process_id, wait_ms: 5_000 }));
      assert.deepEqual(dataOf(collected), { run: 1 });
    }
  });

  test('the same call again attaches to the running one; another conversation starts its own', async () => {
    const { tool, state } = gate('slow');
    const { registry } = registryOf([tool]);
    await registry.call(call('slow', { note: 'x' }));
    const again = registry.call(call('slow', { note: 'x' }));
    state.finish();
    assert.deepEqual(dataOf(await again), { run: 1 });
    assert.equal(state.runs, 1);
    const pending = registry.call(call('slow', { note: 'x' }));
    await pending;
    await registry.call(call('slow', { note: 'x' }, { conversation: 'other' }));
    assert.equal(state.runs, 3);
  });
});

describe('the registry', () => {
  test('tells every call exactly once, whatever its outcome', async () => {
    const { tool } = gate('slow');
    const { registry, calls } = registryOf([tool]);
    await registry.call(call('missing'));
    await registry.call(call('slow', { wrong: 1 }));
    await registry.call(call('slow', 'not an object'));
    await registry.call(call('slow', {}, { cancelled: AbortSignal.abort() }));
    await registry.call(call('slow'));
    assert.deepEqual(
      calls.map(({ outcome, code }) => [outcome, code]),
      [
        ['failed', 'UNKNOWN_TOOL'],
        ['failed', 'INVALID_PARAMS'],
        ['failed', 'INVALID_PARAMS'],
        ['cancelled', 'CANCELLED'],
        ['running', undefined],
      ],
    );
  });

  test('a record that cannot be kept is told as a defect and ends no call', async () => {
    const defects: unknown[] = [];
    const broken = () => {
      throw new Error('broken');
    };
    const registry = new ToolRegistry({
      tools: [gate('slow').tool],
      services: {} as Services,
      form: 'auto',
      onCall: broken,
      onDefect: (_tool, error) => defects.push(error),
    });
    const result = await registry.call(call('missing', {}, { onRecord: broken }));
    assert.match(JSON.stringify(result), /UNKNOWN_TOOL/);
    assert.equal(defects.length, 2);
  });

  test('an unknown tool is led to run_command only where there is one', async () => {
    for (const has of [true, false]) {
      const { registry } = registryOf([gate(has ? 'run_command' : 'glob').tool]);
      const text = JSON.stringify(await registry.call(call('rewind')));
      assert.equal(text.includes('run_command'), has, text);
      assert.match(text, /List the tools again/);
    }
  });

  test('a reading tool stops when its client is gone, a changing one does not', async () => {
    for (const readOnly of [true, false]) {
      const { tool, state } = gate('tool', readOnly);
      const { registry } = registryOf([tool], 1_000);
      const gone = new AbortController();
      const pending = registry.call(call('tool', {}, { abandoned: gone.signal }));
      gone.abort();
      assert.equal(state.signal.aborted, readOnly);
      state.finish();
      await pending;
    }
  });

  test('no more than the allowed number of calls run at once; the running ones do not suffer', async () => {
    const { tool } = gate('slow');
    const finishers: (() => void)[] = [];
    const many = {
      ...tool,
      handler: () =>
        new Promise((resolve) => finishers.push(() => resolve({ summary: 'Done.', data: { run: 1 } }))),
    } as ToolDefinition;
    const { registry } = registryOf([many], 10_000);
    const running = Array.from({ length: 512 }, (_, n) => registry.call(call('slow', { note: String(n) })));
    const refused = await registry.call(call('slow', { note: 'one more' }));
    assert.equal(dataOf(refused).error?.code, 'BUSY');
    for (const finish of finishers) finish();
    assert.ok((await Promise.all(running)).every((result) => result.isError === undefined));
    assert.equal(await Promise.race([registry.drain(5_000).then(() => 'drained')]), 'drained');
  });

  test('at the end of the server, calls that are not done after the grace period are cancelled', async () => {
    const { tool, state } = gate('slow');
    const { registry } = registryOf([tool], 20);
    await registry.call(call('slow'));
    assert.equal(state.signal.aborted, false);
    state.signal.addEventListener('abort', state.finish);
    await registry.drain(20);
    assert.equal(state.signal.aborted, true, 'also when it was handed over');
  });

  test('nothing is kept for calls that have ended', async () => {
    const { tool, state } = gate('slow');
    const { registry } = registryOf([tool], 1_000);
    for (let n = 0; n < 50; n++) {
      const pending = registry.call(call('slow', { note: String(n) }));
      state.finish();
      await pending;
    }
    const started = performance.now();
    await registry.drain(5_000);
    assert.ok(performance.now() - started < 1_000);
  });
});
