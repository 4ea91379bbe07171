import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listedTool } from '../../src/mcp/tool-list.ts';
import { selectTools } from '../../src/tools/index.ts';

const KIB = 1024;
/** Room for the JSON-RPC message around the list. */
const MESSAGE_BYTES = 300;

describe('the list of tools', () => {
  const tools = selectTools('full');

  test('stays within its bounds', () => {
    for (const [set, maxBytes] of [
      ['full', 36 * KIB],
      ['slim', 14 * KIB],
    ] as const) {
      const list = selectTools(set).map((tool) => listedTool(tool, 'auto'));
      const bytes = Buffer.byteLength(JSON.stringify(list)) + MESSAGE_BYTES;
      assert.ok(bytes <= maxBytes, `${set}: ${bytes} bytes, at most ${maxBytes}`);
    }
  });

  test('names are unique and every tool has all four annotations', () => {
    assert.equal(new Set(tools.map(({ name }) => name)).size, tools.length);
    for (const { name, annotations } of tools) {
      for (const hint of ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const) {
        assert.equal(typeof annotations[hint], 'boolean', `${name} ${hint}`);
      }
      assert.ok(
        !(annotations.readOnlyHint && annotations.destructiveHint),
        `${name} cannot both only read and destroy`,
      );
    }
  });

  test('quiet annotations change the destructive hint alone, and of what rewind takes back alone', () => {
    const quieted = tools.filter(
      (tool) =>
        tool.annotations.destructiveHint && !listedTool(tool, 'auto', true).annotations['destructiveHint'],
    );
    const names = quieted.map(({ name }) => name).sort();
    const expected =
      'apply_patch copy_file delete_directory delete_file edit_file move_file multi_edit replace_regex rewind write_file write_file_base64';
    assert.deepEqual(names, expected.split(' '));
    assert.equal(
      listedTool(tools.find(({ name }) => name === 'run_command')!, 'auto', true).annotations[
        'destructiveHint'
      ],
      true,
    );
  });

  test('descriptions are plain: no exhortation, nothing that makes a model refuse legitimate work', () => {
    for (const { name, description } of tools) {
      assert.doesNotMatch(description, /\b(only for|ALWAYS|NEVER|MUST|IMPORTANT|WARNING)\b/, name);
      assert.match(description, /^[A-Z].*[.]/s, name);
    }
  });

  test('the slim set is the documented one', () => {
    const expected =
      'read_text_file view_image write_file edit_file apply_patch list_directory glob grep run_script run_command process_output write_process_input stop_process git_status git_diff git_log git_commit project_context rewind batch';
    assert.deepEqual(
      selectTools('slim')
        .map(({ name }) => name)
        .sort(),
      expected.split(' ').sort(),
    );
  });
});
