/**
 * The package for the npm registry, `npx local-coder`: the bundle, and as dependencies only the packages whose files it
 * needs beside it (src/runtime/assets.ts). Neither Node nor anything that only builds or tests.
 */
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENGINES, NODE_CHECK } from './node-check.mjs';
import { npm } from './npm.mjs';

/** Where `npx local-coder` begins: in a file of its own, because the syntax of the bundle stops an old Node at once. */
const START = `#!/usr/bin/env node\n${NODE_CHECK}\nrequire('./local-coder.cjs');\n`;

const WASM_PACKAGES = ['web-tree-sitter', '@vscode/tree-sitter-wasm'];
const MODES = { 'start.cjs': 0o755, 'local-coder.cjs': 0o755 };
/** Files for one platform each, which npm picks by itself; named directly, because only those are found from here. */
const PLATFORM_PACKAGES = ['@vscode/ripgrep', '@lydell/node-pty'];

/**
 * @param {object} options
 * @param {string} options.root     of the repository
 * @param {string} options.bundle   local-coder.cjs
 * @param {string} options.licences the text of licenses.txt
 * @param {string} options.staging  folder to make the package in; must not exist
 * @param {string} options.outDir
 * @returns {Promise<string>} name of the tarball
 */
export async function packNpmPackage({ root, bundle, licences, staging, outDir }) {
  await mkdir(staging, { recursive: true });
  const manifest = await publishedManifest(root);
  await writeFile(join(staging, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await copyFile(bundle, join(staging, 'local-coder.cjs'));
  await writeFile(join(staging, 'start.cjs'), START);
  await writeFile(join(staging, 'licenses.txt'), licences);
  for (const name of ['README.md', 'LICENSE']) await copyFile(join(root, name), join(staging, name));
  // npm packs the modes that it finds, which are those of whoever builds (umask).
  for (const name of await readdir(staging)) await chmod(join(staging, name), MODES[name] ?? 0o644);
  await npm(['pack', '--ignore-scripts', '--loglevel=error', `--pack-destination=${outDir}`], {
    cwd: staging,
  });
  return `${manifest.name}-${manifest.version}.tgz`;
}

/** @param {string} root of the repository */
export async function publishedManifest(root) {
  const own = await readManifest(root);
  const { name, version, description, license, repository, dependencies } = own;
  return {
    name,
    version,
    description,
    keywords: ['mcp', 'mcp-server', 'model-context-protocol', 'chatgpt', 'claude', 'codex', 'coding-agent'],
    license,
    repository,
    type: 'commonjs',
    bin: { [name]: 'start.cjs' },
    engines: { node: ENGINES },
    dependencies: Object.fromEntries(WASM_PACKAGES.map((needed) => [needed, dependencies[needed]])),
    optionalDependencies: await platformPackages(root),
  };
}

async function platformPackages(root) {
  const lists = await Promise.all(
    PLATFORM_PACKAGES.map((name) => readManifest(join(root, 'node_modules', name))),
  );
  const all = lists.flatMap(({ optionalDependencies }) => Object.entries(optionalDependencies));
  // Pseudo-terminals are not used on Windows (src/runtime/pty.ts).
  return Object.fromEntries(all.filter(([name]) => !name.startsWith('@lydell/node-pty-win32')).sort());
}

async function readManifest(folder) {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}
