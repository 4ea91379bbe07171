import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { VERSION } from '../../src/runtime/version.ts';
import { ROOT } from '../support/built.ts';
import { startServer } from '../support/programs.ts';
import { buildModule } from './build-modules.ts';
import { type Npm, npmIn, UNREACHABLE } from './npm-registry.ts';

describe('npx local-coder', () => {
  let folder: string;
  let tarball: string;
  let npm: Npm | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-coder-npm-'));
    const { bundle } = await buildModule('bundle');
    const { packNpmPackage } = await buildModule('npm-package');
    const { OLDEST_TARGET } = await buildModule('node-check');
    const file = join(folder, 'local-coder.cjs');
    await bundle({ entry: join(ROOT, 'src/main.ts'), outfile: file, target: OLDEST_TARGET });
    const pack = (staging: string, outDir: string) =>
      packNpmPackage({ root: ROOT, bundle: file, licences: 'the licences', staging, outDir });
    tarball = join(folder, await pack(join(folder, 'staging'), folder));
    const umask = process.umask(0o077);
    try {
      await mkdir(join(folder, 'private'));
      await pack(join(folder, 'private/staging'), join(folder, 'private'));
    } finally {
      process.umask(umask);
    }
    npm = await npmIn(join(folder, 'installed'));
    if (npm) await npm.call('npm', ['install', '--no-audit', '--no-fund', tarball]);
  });
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

  test('the package has what the bundle needs and nothing else', async () => {
    assert.deepEqual((await readdir(join(folder, 'staging'))).sort(), [
      'LICENSE',
      'README.md',
      'licenses.txt',
      'local-coder.cjs',
      'package.json',
      'start.cjs',
    ]);
    const { publishedManifest } = await buildModule('npm-package');
    const { dependencies, optionalDependencies } = await publishedManifest(ROOT);
    assert.deepEqual(Object.keys(dependencies), ['web-tree-sitter', '@vscode/tree-sitter-wasm']);
    for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies })) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
      assert.match(name, /tree-sitter|^@vscode\/ripgrep-|^@lydell\/node-pty-(linux|darwin)-/);
    }
  });

  test('its bytes do not depend on the umask of whoever builds', async () => {
    const name = basename(tarball);
    // Not deepEqual: what it says of large buffers that differ takes minutes and gigabytes to make.
    assert.ok((await readFile(join(folder, 'private', name))).equals(await readFile(tarball)));
  });

  test('npx starts it, offline, by its name', async (t) => {
    if (!npm) return t.skip(UNREACHABLE);
    assert.equal(await npm.call('npx', ['--no-install', 'local-coder', '--version']), `${VERSION}\n`);
    assert.equal(await npm.call('npx', ['--no-install', 'local-coder', 'licenses']), 'the licences');
  });

  test('it serves, and finds ripgrep and the grammars among its dependencies', async (t) => {
    if (!npm) return t.skip(UNREACHABLE);
    const project = join(folder, 'project');
    await mkdir(project);
    await writeFile(join(project, 'sample.ts'), 'export function needle(): void {}\n');
    const main = join(npm.folder, 'node_modules/local-coder/start.cjs');
    const server = await startServer({ program: { command: process.execPath, args: [main] }, cwd: project });
    try {
      const clientInfo = { name: 'test', version: '1' };
      const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
      assert.match(await post(server.url, 'initialize', initialize), /"name":"local-coder"/);
      assert.match(await callTool(server.url, 'grep', { pattern: 'needle' }), /1:export function needle/);
      assert.match(await callTool(server.url, 'outline', { path: 'sample.ts' }), /"symbols\\?":1/);
    } finally {
      assert.equal(await server.stop(), 0, server.stderr);
    }
  });

  test('an older Node is told so in one sentence, by the bundle itself, too', async () => {
    const start = await readFile(join(folder, 'staging/start.cjs'), 'utf8');
    const bundle = await readFile(join(folder, 'staging/local-coder.cjs'), 'utf8');
    const check = bundle.slice(bundle.indexOf('(function'), bundle.indexOf('const moduleUrl'));
    for (const [version, expected] of [
      ['16.20.2', 'old'],
      ['22.14.0', 'old'],
      ['23.11.0', 'old'],
      ['22.15.0', 'started'],
      ['24.0.0', 'started'],
      ['26.1.0', 'started'],
    ] as const) {
      for (const text of [start.replace(/^#!.*/, ''), `${check}require('./local-coder.cjs');`]) {
        let said = '';
        const process = {
          versions: { node: version },
          stderr: { write: (words: string) => (said += words) },
          exit: (code: number) => {
            throw code;
          },
        };
        const require = (name: string) => (said += `started ${name}`);
        const run = () => new Function('process', 'require', text)(process, require);
        if (expected === 'old') assert.throws(run, (thrown) => thrown === 1);
        else run();
        if (expected === 'started') assert.equal(said, 'started ./local-coder.cjs');
        else assert.match(said, new RegExp(`^local-coder: Node ${version} is too old: .*\\n$`));
      }
    }
  });
});

async function callTool(url: string, name: string, args: object): Promise<string> {
  return post(url, 'tools/call', { name, arguments: args });
}

async function post(url: string, method: string, params: object): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return response.text();
}
