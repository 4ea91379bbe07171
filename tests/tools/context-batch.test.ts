import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchTool } from '../../src/tools/batch.ts';
import {
  CHANGES,
  type OtherToolResult,
  type OtherTools,
  READS,
  type ToolContext,
} from '../../src/tools/define.ts';

type Handler = (args: Readonly<Record<string, unknown>>) => Promise<OtherToolResult>;

/** Other tools that only read, one that changes, one that reaches the network. */
function othersWith(handlers: Record<string, Handler>): OtherTools & { called: string[] } {
  const called: string[] = [];
  return {
    called,
    annotationsOf: (name) => {
      if (name === 'write_file') return CHANGES;
      if (name === 'send_file') return { ...READS, openWorldHint: true };
      return Object.hasOwn(handlers, name) ? READS : undefined;
    },
    call: (name, args) => {
      called.push(name);
      return (
        handlers[name]?.(args) ?? Promise.resolve({ text: `{"ok":false,"tool":"${name}"}`, isError: true })
      );
    },
  };
}

function run(calls: { tool: string; arguments?: Record<string, unknown> }[], otherTools: OtherTools) {
  const input = batchTool.input.parse({ calls });
  // The handler uses nothing else of the context.
  return batchTool.handler(input, { otherTools } as unknown as ToolContext);
}

test('calls run at the same time, and their texts come back in order', async () => {
  const waiting: (() => void)[] = [];
  const others = othersWith({
    // Answers only when all four have been started.
    read: (args) =>
      new Promise((resolve) => {
        waiting.push(() => resolve({ text: `{"ok":true}\n\nline "${args['n']}"`, isError: false }));
        if (waiting.length === 4) for (const answer of waiting.reverse()) answer();
      }),
  });
  const { summary, data } = await run(
    [1, 2, 3, 4].map((n) => ({ tool: 'read', arguments: { n } })),
    others,
  );
  assert.equal(summary, '4 of 4 calls succeeded.');
  assert.equal(
    data.results,
    [1, 2, 3, 4].map((n) => `=== ${n} read ===\n{"ok":true}\n\nline "${n}"\n`).join('\n'),
  );
});

test('what could change something, reach the network or nest is refused, the rest is done', async () => {
  const others = othersWith({ read: async () => ({ text: 'fine', isError: false }) });
  const { summary, data } = await run(
    [
      { tool: 'write_file', arguments: { path: 'x' } },
      { tool: 'batch', arguments: { calls: [] } },
      { tool: 'send_file' },
      { tool: 'no_such_tool' },
      { tool: 'read' },
    ],
    others,
  );
  assert.deepEqual(others.called, ['no_such_tool', 'read']);
  assert.equal(summary, '1 of 5 calls succeeded; the others say why not.');
  assert.deepEqual(
    data.calls.map(({ ok }) => ok),
    [false, false, false, false, true],
  );
  assert.match(
    data.results,
    /write_file is not a tool that only reads.*"hint":"Call write_file by itself\."/,
  );
  assert.match(data.results, /A batch cannot hold a batch/);
});

test('large results share the room, small ones stay whole', async () => {
  const others = othersWith({
    large: async () => ({ text: 'ä'.repeat(300_000), isError: false }),
    small: async () => ({ text: 'small', isError: false }),
  });
  const { data } = await run([{ tool: 'large' }, { tool: 'small' }, { tool: 'large' }], others);
  assert.ok(Buffer.byteLength(data.results) < 250 * 1024);
  assert.ok(data.results.isWellFormed() && !data.results.includes('\uFFFD'));
  assert.match(data.results, /=== 2 small ===\nsmall\n/);
  assert.equal(
    data.results.match(/\[cut: \d+ of 600000 bytes; call large alone for all of it\]/g)?.length,
    2,
  );
  assert.deepEqual(
    data.calls.map(({ truncated }) => truncated),
    [true, false, true],
  );
});

test('images of the calls are handed on', async () => {
  const image = { data: 'AAAA', mimeType: 'image/png' };
  const others = othersWith({ view: async () => ({ text: 'image', isError: false, images: [image] }) });
  assert.deepEqual((await run([{ tool: 'view' }, { tool: 'view' }], others)).images, [image, image]);
});

test('more than eight calls are refused', () => {
  assert.equal(batchTool.input.safeParse({ calls: Array(9).fill({ tool: 'read' }) }).success, false);
  assert.equal(batchTool.input.safeParse({ calls: [] }).success, false);
});
