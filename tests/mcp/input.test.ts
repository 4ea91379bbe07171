import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments } from '../../src/mcp/input.ts';
import { closestIdentifiers } from '../../src/runtime/closest.ts';
import { CodedError } from '../../src/runtime/errors.ts';
import type { ToolDefinition } from '../../src/tools/define.ts';
import { selectTools } from '../../src/tools/index.ts';

const tools = selectTools('full');

function refused(name: string, args: unknown): string {
  const tool = tools.find((candidate) => candidate.name === name) as ToolDefinition;
  try {
    parseArguments(tool, args);
  } catch (error) {
    assert.ok(error instanceof CodedError && error.code === 'INVALID_PARAMS');
    return error.message;
  }
  throw new Error(`${name} took ${JSON.stringify(args)}`);
}

test('a made-up tool name leads to those with the same words', () => {
  const names = tools.map(({ name }) => name);
  assert.deepEqual(closestIdentifiers('readFile', names), ['read_text_file', 'read_file_base64']);
  assert.deepEqual(closestIdentifiers('read_file', names).at(0), 'read_text_file');
  assert.deepEqual(closestIdentifiers('multiEdit', names), ['multi_edit']);
  assert.deepEqual(closestIdentifiers('gti_status', names), ['git_status']);
  assert.deepEqual(closestIdentifiers('zzz', names), []);
  const reading = names.filter((name) => !['git_commit', 'edit_file'].includes(name));
  assert.deepEqual(closestIdentifiers('git_commit', reading), [], 'git_status is no git_commit');
  assert.deepEqual(closestIdentifiers('edit_file', reading), []);
});

test('a made-up parameter leads to the one that was meant', () => {
  for (const [tool, wrong, meant] of [
    ['read_text_file', 'filePath', 'path'],
    ['edit_file', 'old_string', 'old_text'],
    ['process_output', 'process_id', 'id'],
    ['git_log', 'max_count', 'count'],
    ['run_command', 'timeout_ms', 'timeout'],
    ['rewind', 'checkpointId', 'checkpoint_id'],
  ] as const) {
    assert.match(refused(tool, { [wrong]: 1 }), new RegExp(`did you mean "${meant}"\\?`), `${tool} ${wrong}`);
  }
  assert.match(refused('grep', { context: 2 }), /"context_before" or "context_after" or "context_around"\?/);
  assert.doesNotMatch(refused('git_commit', { amend: true }), /did you mean/);
});

test('each wrong argument is told once, also inside of a list, and nothing in it is dropped', () => {
  assert.equal(refused('batch', { calls: '[{"tool":"glob"}]' }), '"calls": expected array, received string.');
  assert.match(
    refused('batch', { calls: [{ name: 'glob' }] }),
    /The parameter "calls\.0\.tool" is missing\./,
  );
  assert.match(refused('batch', { calls: [{ tool: 'glob', args: { pattern: 'x' } }] }), /"args"/);
  assert.equal(refused('rewind', {}), 'The parameter "action" is missing.');
});
