import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { EXECUTABLE, ensureBuilt, ROOT } from '../support/built.ts';
import { crossBuilt } from './support/cross-built.ts';
import { buildModule } from './support/cross-modules.ts';

const run = promisify(execFile);
const LIMIT_MS = 300_000;
const TREE = [
  'src',
  'build',
  'docs',
  'build.mjs',
  'sea-config.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];
const { TARGETS } = await buildModule('targets');

describe('two builds of the same sources, in two folders', { timeout: 6 * LIMIT_MS }, () => {
  let tree: string;
  before(async () => {
    tree = await mkdtemp(join(tmpdir(), 'local-coder-reproducible-'));
    for (const name of TREE) await cp(join(ROOT, name), join(tree, name), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
  });
  after(() => rm(tree, { recursive: true, force: true }));

  for (const target of Object.keys(TARGETS)) {
    test(`give the same bytes for ${target}`, { timeout: LIMIT_MS }, async () => {
      const { file } = await crossBuilt(target);
      // The packages that were fetched, so that they are not fetched again; nothing that was made of them.
      await linkPackages(join(ROOT, '.cache/build'), join(tree, '.cache/build'));
      const out = join(tree, 'out', target);
      const { stdout } = await run(process.execPath, ['build.mjs', '--target', target, '--out', out], {
        cwd: tree,
        timeout: LIMIT_MS,
      });
      assert.ok(!stdout.includes('all of it'), stdout);
      const [name = ''] = await readdir(out);
      const again = await readFile(join(out, name));
      const first = await readFile(file);
      assert.equal(again.length, first.length);
      assert.equal(
        sha256(again),
        sha256(first),
        `they differ first at byte ${firstDifference(first, again)}`,
      );
      for (const path of [ROOT, tree]) assert.ok(!first.includes(path), `${path} is in it`);
    });
  }

  test('the executable for this machine is the one that a release has for it', async (context) => {
    const target = Object.keys(TARGETS).find((name) => name === `${process.platform}-${process.arch}`);
    if (target === undefined)
      return context.skip('only on Linux and macOS is the name of the platform that of the target');
    await ensureBuilt();
    assert.equal(sha256(await readFile(EXECUTABLE)), sha256(await readFile((await crossBuilt(target)).file)));
  });
});

describe('a second build in the same tree', { timeout: LIMIT_MS }, () => {
  test('makes nothing again when nothing has changed', async () => {
    await crossBuilt('linux-arm64');
    const before = await stat((await crossBuilt('linux-arm64')).file);
    const { file, output } = await crossBuilt('linux-arm64');
    assert.match(output, /as before: all of it/);
    assert.equal((await stat(file)).mtimeMs, before.mtimeMs);
  });
});

async function linkPackages(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    if (!/^[0-9a-f]{32}-.*_\d+\.\d+\.\d+$/.test(name)) continue;
    await linkTree(join(from, name), join(to, name));
  }
}

/** A copy without the bytes: the files of Node's packages have 800 MB. */
async function linkTree(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const target = join(to, entry.parentPath.slice(from.length));
    await mkdir(target, { recursive: true });
    await link(join(entry.parentPath, entry.name), join(target, entry.name)).catch(async (error) => {
      if (error.code === 'EXDEV') await cp(join(entry.parentPath, entry.name), join(target, entry.name));
      else if (error.code !== 'EEXIST') throw error;
    });
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function firstDifference(a: Buffer, b: Buffer): number {
  return a.findIndex((byte, index) => byte !== b[index]);
}
