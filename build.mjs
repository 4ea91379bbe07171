/**
 * Makes dist/local-coder, the single executable for this platform. The steps stand in `main`: bundle the sources,
 * warm up a code cache, pack both and the assets into a blob, inject it into a stripped copy of the pinned Node.
 *
 * Left in dist/: local-coder (.exe on Windows); local-coder.cjs, the bundle, which `node` runs, beside it
 * local-coder.cjs.LEGAL.txt, the licence comments of what is in it; build/, intermediate files.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { bundle, composition } from './build/bundle.mjs';
import { TARGETS } from './build/targets.mjs';
import { LANGUAGE_NAMES } from './src/context/outline/grammars.ts';
import { inputSchema } from './src/mcp/tool-list.ts';
import { packageFile } from './src/runtime/assets.ts';
import { selectTools } from './src/tools/index.ts';

const run = promisify(execFile);
const root = import.meta.dirname;
const dist = join(root, 'dist');
const work = join(dist, 'build');
/** Marks the place in Node that says whether a blob was injected; fixed by Node. */
const SEA_FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** Seeded, V8 hashes and so orders a code cache the same way in every build; the cache serves any seed. */
const SEEDED = ['--random-seed=1'];
const WARM_UP_LIMIT_MS = 60_000;

async function main() {
  const target = hostTarget();
  const base = installed(target.base);
  const startedAt = new Date().toISOString();
  await mkdir(work, { recursive: true });

  const metafile = await bundle({ entry: join(root, 'src/main.ts'), outfile: join(work, 'local-coder.cjs') });
  await writeFile(join(work, 'metafile.json'), JSON.stringify(metafile));
  const code = await wrapForLauncher(join(work, 'local-coder.cjs'));
  for (const name of ['local-coder.cjs', 'local-coder.cjs.LEGAL.txt']) {
    await rename(join(work, name), join(dist, name));
  }
  report('bundle', `${kilobytes(await sizeOf(join(dist, 'local-coder.cjs')))}: ${largest(metafile)}`);

  const cache = await warmUp(base, code);
  report('code cache', kilobytes(await sizeOf(cache)));

  const files = { rg: target.ripgrep, ...target.pty, ...treeSitterFiles() };
  const assets = {
    'main.cjs': code,
    'main.cache': cache,
    'input-schemas.json': await makeSchemas(),
    ...(await packAssets(files)),
  };
  const blob = await makeBlob(base, assets);
  report('blob', kilobytes(await sizeOf(blob)));

  const executable = join(dist, target.fileName);
  await assemble({ target, base, blob, executable });
  // Sources that are newer than this make it stale (tests/support/built.ts).
  await writeFile(join(work, 'started-at'), startedAt);
  report(`dist/${target.fileName}`, `${((await sizeOf(executable)) / 1e6).toFixed(1)} MB for ${target.name}`);
}

function hostTarget() {
  const target = TARGETS[`${process.platform}-${process.arch}`];
  if (target) return target;
  const known = Object.values(TARGETS).map(({ name }) => name);
  throw new Error(
    `No executable can be built on ${process.platform}-${process.arch}, only on ${known.join(', ')}.`,
  );
}

/** Absolute path of a file of an installed package. */
function installed(path) {
  const file = join(root, 'node_modules', path);
  if (existsSync(file)) return file;
  throw new Error(`node_modules/${path} is missing: run "npm ci" without --omit=optional.`);
}

/** The bundle as the function expression that src/runtime/sea-launcher.cjs calls, in ASCII. */
async function wrapForLauncher(bundleFile) {
  const source = (await readFile(bundleFile, 'utf8')).replace(/^#!.*\n/, '');
  // esbuild escapes all but regular expressions, where an escape means the same; in a raw template it would not.
  if (/String\.raw`[^`]*[^\x00-\x7f]/.test(source)) {
    throw new Error('A String.raw template with a character that is not ASCII: write it as a plain string.');
  }
  const ascii = source.replace(
    /[^\x00-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const file = join(work, 'main.cjs');
  await writeFile(file, `(function(exports,require,module,__filename,__dirname){${ascii}\n})`, 'latin1');
  return file;
}

/** Runs the bundle once, in a folder and a home of its own, for the code cache that build/warm-up.mjs describes. */
async function warmUp(base, code) {
  const cache = join(work, 'main.cache');
  const home = await mkdtemp(join(tmpdir(), 'local-coder-build-'));
  try {
    const workspace = join(home, 'workspace');
    await mkdir(workspace);
    const own = Object.fromEntries(
      ['HOME', 'USERPROFILE', 'LOCALAPPDATA', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME'].map(
        (name) => [name, home],
      ),
    );
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(LOCAL_CODER_|NODE_OPTIONS$)/.test(name),
    );
    await run(base, [...SEEDED, join(root, 'build/warm-up.mjs'), code, cache, workspace], {
      cwd: workspace,
      env: { ...Object.fromEntries(inherited), ...own },
      timeout: WARM_UP_LIMIT_MS,
    });
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
  return cache;
}

/** The input schemas of the tools, for src/mcp/tool-list.ts. */
async function makeSchemas() {
  const file = join(work, 'input-schemas.json');
  const schemas = selectTools('full').map((tool) => [tool.name, inputSchema(tool)]);
  await writeFile(file, JSON.stringify(Object.fromEntries(schemas)));
  return file;
}

/** The parser of outlines and its grammars: asset name → file of an installed package. */
function treeSitterFiles() {
  const names = ['tree-sitter', ...Object.keys(LANGUAGE_NAMES).map((grammar) => `tree-sitter-${grammar}`)];
  return Object.fromEntries(names.map((name) => [name, packageFile(name)]));
}

/**
 * Compresses the files (level 19 takes two thirds off ripgrep and is undone in 8 ms, once per machine) and lists
 * them in assets.json, which src/runtime/assets.ts reads.
 *
 * @param {Record<string, string>} files asset name → file of an installed package
 */
async function packAssets(files) {
  const manifest = {};
  const packed = {};
  for (const [name, path] of Object.entries(files)) {
    const content = await readFile(installed(path));
    const sha256 = createHash('sha256').update(content).digest('hex');
    manifest[name] = { sha256, sizeBytes: content.length };
    const file = join(work, `${name}-${sha256}.zst`);
    if (!existsSync(file)) {
      const params = { [constants.ZSTD_c_compressionLevel]: 19 };
      await writeFile(`${file}.tmp`, await promisify(zstdCompress)(content, { params }));
      await rename(`${file}.tmp`, file);
    }
    packed[`${name}.zst`] = file;
  }
  const manifestFile = join(work, 'assets.json');
  await writeFile(manifestFile, JSON.stringify(manifest));
  return { ...packed, 'assets.json': manifestFile };
}

/** Lets the base itself make the blob: one of another version of Node makes the executable crash. */
async function makeBlob(base, assets) {
  const template = JSON.parse(await readFile(join(root, 'sea-config.json'), 'utf8'));
  const config = join(work, 'sea-config.json');
  await writeFile(config, JSON.stringify({ ...template, assets }, null, 2));
  await run(base, [...SEEDED, '--experimental-sea-config', config], { cwd: root });
  return join(root, template.output);
}

async function assemble({ target, base, blob, executable }) {
  const isMac = target.name.startsWith('darwin-');
  const draft = join(work, target.fileName);
  await rm(draft, { force: true });
  await copyFile(base, draft);
  await chmod(draft, 0o755);
  // Before the injection: afterwards strip would take the blob for dead weight or refuse the file.
  await strip(draft, isMac);
  // As a program of its own, because it prints a dozen harmless warnings that are of interest on failure only.
  const segment = isMac ? ['--macho-segment-name', 'NODE_SEA'] : [];
  const injection = [draft, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', SEA_FUSE, ...segment];
  await run(process.execPath, [installed('postject/dist/cli.js'), ...injection]);
  // The injection made the signature invalid, and Apple Silicon runs no unsigned code.
  if (isMac) await run('codesign', ['--force', '--sign', '-', draft]);
  // A copy, because the injection writes the file in one piece: Linux then keeps it in pages so large that a
  // process maps 20 MB more of it than it uses. The rename replaces an executable that is running.
  const copy = `${executable}.new`;
  await copyFile(draft, copy);
  await chmod(copy, 0o755);
  await rename(copy, executable);
  await rm(draft);
}

async function strip(file, isMac) {
  if (process.platform === 'win32') return;
  try {
    await run('strip', isMac ? ['-x', file] : [file]);
  } catch (error) {
    const why = error.code === 'ENOENT' ? 'there is no "strip" here' : error.message;
    report('strip', `left out (${why}); the executable is larger and works the same`);
  }
}

function largest(metafile) {
  const parts = composition(metafile).slice(0, 6);
  return parts.map(([name, bytes]) => `${name} ${kilobytes(bytes)}`).join(', ');
}

async function sizeOf(file) {
  return (await stat(file)).size;
}

function kilobytes(bytes) {
  return `${Math.round(bytes / 1e3)} kB`;
}

function report(what, text) {
  process.stdout.write(`${what}: ${text}\n`);
}

try {
  await main();
} catch (error) {
  // What a failed program printed says more than our stack; esbuild has said what is wrong already.
  process.stderr.write(`build: ${error.stderr?.trim() || (error.errors ? 'stopped' : error.stack)}\n`);
  process.exitCode = 1;
}
