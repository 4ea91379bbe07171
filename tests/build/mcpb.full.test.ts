import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { EXECUTABLE, ensureBuilt, ROOT } from '../support/built.ts';
import { programEnvironment } from '../support/programs.ts';
import { buildModule, type McpbManifest } from './build-modules.ts';
import { type Npm, npmIn, UNREACHABLE } from './npm-registry.ts';

/** The official tool; its 55 packages are fetched for this test alone. */
const TOOL = '@anthropic-ai/mcpb@2.1.2';
const HOST = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

interface Tool {
  getMcpConfigForManifest(options: {
    manifest: McpbManifest;
    extensionPath: string;
    systemDirs: Readonly<Record<string, string>>;
    userConfig: Readonly<Record<string, string | readonly string[]>>;
    pathSeparator: string;
  }): Promise<{ command: string; args: string[] } | undefined>;
}

describe('the .mcpb of this machine', () => {
  let folder: string;
  let bundle: string;
  let npm: Npm | undefined;
  before(async () => {
    await ensureBuilt();
    folder = await mkdtemp(join(tmpdir(), 'local-coder-mcpb-'));
    const { writeMcpb } = await buildModule('mcpb');
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as object;
    const options = { executable: EXECUTABLE, target: HOST, manifest, outDir: folder };
    bundle = join(folder, await writeMcpb(options));
    npm = await npmIn(join(folder, 'tool'));
    if (npm) await npm.call('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', TOOL]);
  });
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

  test('the official tool finds it valid and unpacks it; the server starts as its manifest says', async (t) => {
    if (!npm) return t.skip(UNREACHABLE);
    const unpacked = join(folder, 'unpacked');
    await npm.call('npx', ['--no-install', 'mcpb', 'unpack', bundle, unpacked]);
    const manifestFile = join(unpacked, 'manifest.json');
    const verdict = await npm.call('npx', ['--no-install', 'mcpb', 'validate', manifestFile]);
    assert.match(verdict, /Manifest schema validation passes/);
    assert.doesNotMatch(verdict, /error|not found|missing/i);
    const manifest = JSON.parse(await readFile(manifestFile, 'utf8')) as McpbManifest;
    assert.deepEqual((await readdir(unpacked)).sort(), ['icon.png', 'manifest.json', 'server']);
    if (process.platform !== 'win32')
      assert.equal((await stat(join(unpacked, manifest.server.entry_point))).mode & 0o777, 0o755);

    const folders = [join(folder, 'first project'), join(folder, 'second')];
    for (const path of folders) await mkdir(path);
    const tool = (await import(join(npm.folder, 'node_modules/@anthropic-ai/mcpb/dist/index.js'))) as Tool;
    const config = await tool.getMcpConfigForManifest({
      manifest,
      extensionPath: unpacked,
      systemDirs: {},
      userConfig: { folders },
      pathSeparator: sep,
    });
    assert.ok(config !== undefined);
    const listed = await toolsOf(config, folder);
    assert.deepEqual(
      listed.tools,
      manifest.tools.map(({ name }) => name),
    );
    for (const path of folders)
      assert.ok(listed.directories.includes(JSON.stringify(path)), listed.directories);
  });
});

async function toolsOf(
  { command, args }: { command: string; args: string[] },
  cwd: string,
): Promise<{ tools: string[]; directories: string }> {
  const client = new Client({ name: 'test', version: '1' });
  const env = Object.fromEntries(
    Object.entries(programEnvironment()).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
  await client.connect(new StdioClientTransport({ command, args, cwd, env }));
  try {
    const { tools } = await client.listTools();
    const { content } = await client.callTool({ name: 'list_allowed_directories', arguments: {} });
    const directories = (content as { text?: string }[]).map(({ text }) => text ?? '').join('\n');
    return { tools: tools.map(({ name }) => name), directories };
  } finally {
    await client.close();
  }
}
