import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { VERSION } from '../../src/runtime/version.ts';
import { EXECUTABLE, ensureBuilt, ROOT } from '../support/built.ts';
import { buildModule } from './build-modules.ts';

const run = promisify(execFile);
/** Targets of one Node version, whose licence is installed here; the others would be downloaded for theirs. */
const TARGETS = ['linux-x64', 'linux-arm64', 'win-x64'];
const MAX_DOWNLOAD_BYTES = 35_000_000;
const isLinux = process.platform === 'linux';

interface Sbom {
  readonly serialNumber: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly name: string;
    readonly purl?: string;
    readonly licenses?: readonly unknown[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

describe('npm run release', { skip: !isLinux && 'only on Linux' }, () => {
  let folder: string;
  let executables: string;
  let first: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-coder-release-test-'));
    executables = join(folder, 'executables');
    await mkdir(executables);
    // What a release does with an executable does not depend on what is in it.
    for (const target of TARGETS) {
      const name = `local-coder-${VERSION}-${target}${target.startsWith('win-') ? '.exe' : ''}`;
      await writeFile(join(executables, name), `stands in for ${target}`);
    }
    first = join(folder, 'first');
    await release(first);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function release(outDir: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    const args = ['--target', TARGETS.join(','), '--executables', executables, '--out', outDir];
    const { stderr } = await run(process.execPath, [join(ROOT, 'build/release.mjs'), ...args], {
      env: { ...process.env, LOCAL_CODER_RELEASE_KEY: '', ...env },
    });
    return stderr;
  }

  test('everything is there, and in the sums', async () => {
    const archives = ['linux-arm64', 'linux-x64'].flatMap((target) =>
      ['mcpb', 'tar.gz', 'tar.xz'].map((type) => `local-coder-${VERSION}-${target}.${type}`),
    );
    const expected = [
      'install.ps1',
      'install.sh',
      ...archives,
      `local-coder-${VERSION}-licenses.txt`,
      `local-coder-${VERSION}-sbom.cdx.json`,
      `local-coder-${VERSION}-win-x64.mcpb`,
      `local-coder-${VERSION}-win-x64.zip`,
      `local-coder-${VERSION}.tgz`,
    ].sort();
    assert.deepEqual((await readdir(first)).sort(), ['SHA256SUMS', ...expected].sort());
    const sums = await readFile(join(first, 'SHA256SUMS'), 'utf8');
    assert.deepEqual(sums.match(/(?<=^[0-9a-f]{64} {2}).+$/gm), expected);
    const { status, stderr } = spawnSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], {
      cwd: first,
    });
    assert.equal(status, 0, stderr.toString());
  });

  test('a second one is the same, byte for byte, and says loudly that it is not signed', async () => {
    const second = join(folder, 'second');
    const stderr = await release(second, { TZ: 'Asia/Ho_Chi_Minh', LANG: 'C', SOURCE_DATE_EPOCH: '1' });
    assert.match(stderr, /NOT SIGNED: LOCAL_CODER_RELEASE_KEY is not set/);
    for (const name of await readdir(first)) {
      const [one, other] = await Promise.all([first, second].map((dir) => readFile(join(dir, name))));
      assert.ok(one !== undefined && other !== undefined && one.equals(other), `${name} is another one`);
    }
  });

  test('a folder with something else in it is left alone; files of an earlier release go', async () => {
    const own = join(folder, 'own');
    await mkdir(own);
    await writeFile(join(own, 'thesis.txt'), 'years of work');
    await assert.rejects(release(own), /thesis\.txt/);
    assert.deepEqual(await readdir(own), ['thesis.txt']);
    await rm(join(own, 'thesis.txt'));
    await writeFile(join(own, 'local-coder-0.0.1-linux-x64.tar.gz'), 'old');
    await release(own);
    assert.equal((await readdir(own)).includes('local-coder-0.0.1-linux-x64.tar.gz'), false);
  });

  test('the executables that it is made with stay, also in the folder that it empties', async () => {
    const own = await mkdtemp(join(folder, 'around-'));
    const inside = join(own, 'executables');
    await mkdir(inside);
    const name = `local-coder-${VERSION}-linux-x64`;
    await copyFile(join(executables, name), join(inside, name));
    const args = ['--target', 'linux-x64', '--executables', inside, '--out', own];
    await run(process.execPath, [join(ROOT, 'build/release.mjs'), ...args]);
    assert.deepEqual(await readdir(inside), [name]);
    assert.ok((await readdir(own)).includes(`${name}.tar.gz`));
    const same = ['--target', 'linux-x64', '--executables', own, '--out', own];
    await assert.rejects(
      run(process.execPath, [join(ROOT, 'build/release.mjs'), ...same]),
      /is the folder that is emptied/,
    );
    assert.deepEqual(await readdir(inside), [name]);
  });

  test('a key is not made in the repository', async () => {
    const keyFile = join(ROOT, 'dist', 'key.pem');
    await assert.rejects(
      run(process.execPath, [join(ROOT, 'build/release.mjs'), '--make-key', keyFile]),
      /key\.pem lies in the repository, where keys get committed/,
    );
  });

  test('a key that package.json does not have signs nothing, and the reason is said', async () => {
    const { release: about } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      release: { publicKey: string | null };
    };
    const { makeKey } = await buildModule('release-key');
    const [keyFile, manifestFile] = [join(folder, 'key.pem'), join(folder, 'package.json')];
    await writeFile(manifestFile, '{ "release": { "publicKey": null } }');
    await makeKey({ keyFile, manifestFile });
    const signing = run(process.execPath, [join(ROOT, 'build/sign.mjs'), first], {
      env: { ...process.env, LOCAL_CODER_RELEASE_KEY: keyFile },
    });
    const reason =
      about.publicKey === null
        ? /package\.json has no release\.publicKey, so nobody could verify/
        : /belongs to the public key/;
    await assert.rejects(signing, reason);
    assert.equal((await readdir(first)).includes('SHA256SUMS.sig'), false);
  });

  test('the SBOM names what is in the files and nothing that only builds them', async () => {
    const text = await readFile(join(first, `local-coder-${VERSION}-sbom.cdx.json`), 'utf8');
    const { components, dependencies, metadata, serialNumber } = JSON.parse(text) as Sbom;
    assert.match(serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal('timestamp' in metadata, false);
    const references = components.map((component) => component['bom-ref']);
    assert.equal(new Set(references).size, references.length);
    const unlicensed = components.filter(({ licenses = [] }) => licenses.length === 0);
    assert.deepEqual(
      unlicensed.map(({ name }) => name),
      [],
    );
    for (const reference of ['zod', 'hono', '@modelcontextprotocol/server', 'web-tree-sitter'])
      assert.ok(
        references.some((known) => known.startsWith(`${reference}@`)),
        reference,
      );
    const names = new Set(components.map(({ name }) => name));
    for (const name of ['ripgrep', 'PCRE2', 'regex-automata', 'tree-sitter-python', 'content-type'])
      assert.ok(names.has(name), name);
    for (const name of ['typescript', 'esbuild', 'playwright-core', 'deno'])
      assert.ok(!names.has(name), name);
    const nodes = references.filter((reference) => reference.startsWith('node@'));
    assert.deepEqual(nodes.map((reference) => reference.split('/')[1]).sort(), [...TARGETS].sort());
    const known = new Set([...references, `local-coder@${VERSION}`]);
    for (const { ref, dependsOn } of dependencies)
      for (const reference of [ref, ...dependsOn]) assert.ok(known.has(reference), reference);
  });

  test('of the real executable, what is downloaded stays small and is that executable', {
    timeout: 300_000,
  }, async () => {
    await ensureBuilt();
    const outDir = join(folder, 'real');
    await mkdir(outDir);
    const { writeArchives } = await buildModule('archives');
    const options = { executable: EXECUTABLE, target: 'linux-x64', version: VERSION, outDir };
    const names = await writeArchives(options);
    const smallest = join(outDir, names.find((name) => name.endsWith('.tar.xz')) ?? '');
    const { size } = await stat(smallest);
    assert.ok(size <= MAX_DOWNLOAD_BYTES, `${size} bytes`);
    for (const name of names) {
      const place = await mkdtemp(join(folder, 'unpacked-'));
      await run('tar', ['-xf', join(outDir, name), '-C', place]);
      const program = join(place, 'local-coder');
      assert.ok((await readFile(program)).equals(await readFile(EXECUTABLE)), name);
      await chmod(place, 0o555);
      assert.equal((await run(program, ['--version'], { env: {} })).stdout, `${VERSION}\n`);
      await chmod(place, 0o755);
    }
  });
});
