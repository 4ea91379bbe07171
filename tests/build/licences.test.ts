import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { LANGUAGE_NAMES } from '../../src/context/outline/grammars.ts';
import { packageFile } from '../../src/runtime/assets.ts';
import { ROOT } from '../support/built.ts';
import { programCommand, runToEnd, type Shape, shapesUnderTest } from '../support/programs.ts';
import { buildModule, type Licence, type Metafile } from './build-modules.ts';

describe('licences', () => {
  let folder: string;
  let metafile: Metafile;
  let licences: Licence[];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-coder-licences-'));
    const { bundle } = await buildModule('bundle');
    const { collectLicences } = await buildModule('licences');
    metafile = await bundle({ entry: join(ROOT, 'src/main.ts'), outfile: join(folder, 'bundle.cjs') });
    licences = await collectLicences(metafile);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('docs/licenses.txt is what the bundle and the assets need (npm run docs mends it)', async () => {
    const { LICENCES_FILE, upToDateLicences } = await buildModule('licences-file');
    assert.equal(await readFile(LICENCES_FILE, 'utf8'), await upToDateLicences());
  });

  test('every package with bytes in the bundle has its text', () => {
    const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
    const packages = inputs
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .flatMap(([file]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
    assert.ok(packages.includes('zod') && packages.includes('@modelcontextprotocol/server'));
    for (const name of packages) {
      const found = licences.find((licence) => licence.name === name && licence.within === 'local-coder');
      assert.ok(found !== undefined && found.text.length > 400, `${name} has no licence text`);
    }
  });

  test('a package that is not there, or without a licence file, stops the build', async () => {
    const { collectLicences } = await buildModule('licences');
    const inputs = { 'node_modules/no-such-package/index.js': { bytesInOutput: 1 } };
    await assert.rejects(collectLicences({ outputs: { x: { inputs } } }), /no-such-package/);
  });

  test('a licence that nobody has looked at, or a text that is another one, stops the build', async () => {
    const { assertKnown } = await buildModule('licences');
    const part = { name: 'x', version: '1', text: 'GNU GENERAL PUBLIC LICENSE' };
    assert.throws(
      () => assertKnown({ ...part, spdx: 'GPL-3.0-only' }),
      /x 1 is under "GPL-3\.0-only", which is not among/,
    );
    assert.throws(() => assertKnown({ ...part, spdx: 'SEE LICENSE IN FILE' }), /not among/);
    assert.throws(
      () => assertKnown({ ...part, spdx: 'MIT' }),
      /says that it is under MIT, and its licence text is another/,
    );
    const { grammarParts, vendoredPart } = await buildModule('licences-embedded');
    assert.throws(() => grammarParts(['cobol']), /tree-sitter-cobol has no licence text/);
    assert.throws(() => vendoredPart('left-pad', '1.0.0', 'zod'), /left-pad 1\.0\.0, which zod has bundled/);
  });

  test('every crate that the ripgrep of this platform names is listed with its version', async (t) => {
    const rg = await readFile(join(ROOT, 'node_modules', packageFile('rg'))).catch(() => undefined);
    if (rg === undefined) return t.skip('no ripgrep for this platform');
    const crates = new Set(
      [
        ...rg
          .toString('latin1')
          .matchAll(/(?:index\.crates\.io-[0-9a-f]+|rust\/deps)[/\\]([\w-]+?)-(\d+\.\d+\.\d+)/g),
      ].map(([, name, version]) => `${name} ${version}`),
    );
    assert.ok(crates.size > 10, [...crates].join());
    const { nativeParts } = await buildModule('licences-embedded');
    const listed = new Set(nativeParts().map(({ name, version }) => `${name} ${version}`));
    assert.deepEqual(
      [...crates].filter((crate) => !listed.has(crate)),
      [],
    );
    const version = /ripgrep (\d+\.\d+\.\d+)/.exec(
      await printed(join(ROOT, 'node_modules', packageFile('rg'))),
    )?.[1];
    assert.ok(listed.has(`ripgrep ${version}`), `ripgrep is ${version} now`);
  });

  test('the scripts of the pages, which are bundles of their own, hold nothing of others', async () => {
    const entryPoints = ['src/widgets/view/main.ts', 'src/dashboard/client/browser/main.ts'];
    const options = { bundle: true, write: false, metafile: true, outdir: folder, tsconfigRaw: {} } as const;
    const { metafile: pages } = await build({ ...options, absWorkingDir: ROOT, entryPoints });
    const inputs = Object.keys(pages.inputs);
    assert.ok(inputs.includes('src/widgets/view/main.ts'));
    assert.deepEqual(
      inputs.filter((file) => file.includes('node_modules')),
      [],
    );
  });

  test('every grammar that is carried is listed', async () => {
    const names = new Set(licences.map(({ name }) => name));
    for (const grammar of Object.keys(LANGUAGE_NAMES))
      assert.ok(names.has(`tree-sitter-${grammar}`), grammar);
    const wasm = await readdir(join(ROOT, 'node_modules/@vscode/tree-sitter-wasm/wasm'));
    assert.ok(wasm.includes('tree-sitter-bash.wasm'));
  });

  for (const shape of shapesUnderTest()) {
    test(`local-coder licenses prints all of it: ${shape}`, async () => {
      const { exitCode, stdout, stderr } = await runToEnd({ shape, args: ['licenses'], cwd: folder });
      assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: '' });
      for (const { text: licence } of licences) assert.ok(stdout.includes(licence), shape);
      // Node itself is inside of the executable only.
      assert.equal(/^ {2}Node\.js \d+\.\d+\.\d+ /m.test(stdout), shape === 'executable');
      assert.equal(stdout.includes('- libuv, located at deps/uv'), shape === 'executable');
    });

    test(`it ends well when its reader has seen enough: ${shape}`, { timeout: 60_000 }, async () => {
      assert.deepEqual(await readALittle(shape, folder), { exitCode: 0, stderr: '' });
    });
  }
});

/** Reads the beginning of the text and closes the pipe, as `| head` does. */
async function readALittle(shape: Shape, cwd: string): Promise<{ exitCode: number | null; stderr: string }> {
  const { command, args } = await programCommand(shape, ['licenses']);
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const stderr = text(child.stderr);
  child.stdout.once('data', () => child.stdout.destroy());
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stderr: await stderr };
}

async function printed(program: string): Promise<string> {
  const child = spawn(program, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  return text(child.stdout);
}
