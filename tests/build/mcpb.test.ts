import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';
import { selectTools } from '../../src/tools/index.ts';
import { ROOT } from '../support/built.ts';
import { buildModule } from './build-modules.ts';

describe('the bundle for Claude Desktop', () => {
  async function manifestFor(target: string) {
    const { mcpbManifest } = await buildModule('mcpb');
    return mcpbManifest(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as object, target);
  }

  test('each platform has its own, with its own executable', async () => {
    const facts = await Promise.all(
      ['linux-arm64', 'win-x64', 'darwin-arm64'].map(async (target) => {
        const { server, compatibility } = await manifestFor(target);
        return [server.type, server.entry_point, server.mcp_config.command, ...compatibility.platforms];
      }),
    );
    assert.deepEqual(facts, [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the application fills it in
      ['binary', 'server/local-coder', '${__dirname}/server/local-coder', 'linux'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the application fills it in
      ['binary', 'server/local-coder.exe', '${__dirname}/server/local-coder.exe', 'win32'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the application fills it in
      ['binary', 'server/local-coder', '${__dirname}/server/local-coder', 'darwin'],
    ]);
  });

  test('it lists the tools that there are', async () => {
    const { tools } = await manifestFor('linux-x64');
    assert.deepEqual(
      tools.map(({ name }) => name),
      selectTools('full').map(({ name }) => name),
    );
    for (const { name, description } of tools) assert.match(description, /^\S.{10,}/, name);
  });

  test('chosen folders, which become one argument each, are the folders that are served', async () => {
    const { server } = await manifestFor('linux-x64');
    const args = server.mcp_config.args.flatMap((argument) => {
      if (argument === '$' + '{user_config.folders}') return ['/home/me/one', '/home/me/two words'];
      return [argument.replace('$' + '{user_config.access}', 'read-only')];
    });
    const { command, flags } = readArguments(args);
    assert.equal(command, 'serve');
    assert.deepEqual(Object.fromEntries(flags), {
      stdio: true,
      access: 'read-only',
      workspace: ['/home/me/one', '/home/me/two words'],
    });
  });

  test('the icon is a square PNG, the same each time', async () => {
    const { iconPng } = await buildModule('icon');
    const [first, second] = await Promise.all([iconPng(64), iconPng(64)]);
    assert.ok(first.equals(second));
    assert.equal(first.subarray(1, 4).toString('latin1'), 'PNG');
    assert.deepEqual([first.readUInt32BE(16), first.readUInt32BE(20)], [64, 64]);
  });
});
