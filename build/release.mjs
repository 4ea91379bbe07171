/**
 * `npm run release`: everything that is published, in one folder. The executables are built into its subfolder
 * `executables`; what lies beside that is for download: archives, .mcpb bundles, the npm package, the installers, the
 * SBOM, the licences, and SHA256SUMS over all of them with its signature.
 *
 * The same sources give the same bytes, on machines whose Node, npm and xz are the same.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative, sep } from 'node:path';
import { writeArchives } from './archives.mjs';
import { bundle } from './bundle.mjs';
import { collectLicences } from './licences.mjs';
import { licencesDocument } from './licences-document.mjs';
import { nodeLicence } from './licences-node.mjs';
import { writeMcpb } from './mcpb.mjs';
import { OLDEST_TARGET } from './node-check.mjs';
import { packNpmPackage } from './npm-package.mjs';
import { WrongOption } from './options.mjs';
import { Packages } from './packages.mjs';
import { makeKey } from './release-key.mjs';
import { readReleaseOptions } from './release-options.mjs';
import { makeSbom } from './sbom.mjs';
import { signRelease } from './sign.mjs';
import { Store } from './store.mjs';
import { SIGNATURE, SUMS, writeSums } from './sums.mjs';
import { NODE_PACKAGES, releaseName } from './targets.mjs';

const root = join(import.meta.dirname, '..');
const manifestFile = join(root, 'package.json');
const INSTALLERS = ['install.sh', 'install.ps1'];
/** What a release consists of; anything else in the folder is not ours to remove. */
const OURS = /^(local-coder-.*|install\.(sh|ps1)|SHA256SUMS(\.sig)?|executables)$/;

async function main() {
  const options = readReleaseOptions(process.argv.slice(2), join(root, 'dist/release'));
  if ('makeKey' in options) return newKey(options.makeKey);
  const { targets, outDir } = options;
  const manifest = JSON.parse(await readFile(manifestFile, 'utf8'));
  // The builders, npm among them, run without the key.
  const key = process.env['LOCAL_CODER_RELEASE_KEY'];
  delete process.env['LOCAL_CODER_RELEASE_KEY'];
  await emptyFolder(outDir, options.executables);
  const folder = options.executables ?? (await buildExecutables(targets, join(outDir, 'executables')));

  const work = await mkdtemp(join(tmpdir(), 'local-coder-release-'));
  try {
    await writeShared({ manifest, targets, outDir, work });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  for (const target of targets) {
    const executable = join(folder, releaseName(target, manifest.version));
    await access(executable);
    const common = { executable, target: target.name, outDir };
    const [archives, mcpb] = await Promise.all([
      writeArchives({ ...common, version: manifest.version }),
      writeMcpb({ ...common, manifest }),
    ]);
    for (const name of [...archives, mcpb]) await report(outDir, name);
  }
  await writeSums(outDir);
  await report(outDir, SUMS);
  await sign(outDir, key);
}

/** What is the same for every target: the npm package, the licences, the SBOM, the installers. */
async function writeShared({ manifest, targets, outDir, work }) {
  const bundleFile = join(work, 'local-coder.cjs');
  const metafile = await bundle({
    entry: join(root, 'src/main.ts'),
    outfile: bundleFile,
    target: OLDEST_TARGET,
  });
  const licences = await collectLicences(metafile);
  const packed = await packNpmPackage({
    root,
    bundle: bundleFile,
    licences: licencesDocument(licences),
    staging: join(work, 'npm'),
    outDir,
  });
  await report(outDir, packed);

  const packages = new Packages(root, new Store(join(root, '.cache/build')));
  const versions = [...new Set(targets.map(({ base }) => base.version))].sort();
  const nodes = [];
  for (const version of versions) nodes.push(await nodeLicence(packages, version));
  const texts = `local-coder-${manifest.version}-licenses.txt`;
  await writeFile(join(outDir, texts), licencesDocument(licences, nodes));
  await report(outDir, texts);

  const bases = targets.map(({ name: target, base }) => {
    const { package: name, version } = base;
    return { target, name, version, integrity: NODE_PACKAGES[`${name}@${version}`] };
  });
  const sbom = `local-coder-${manifest.version}-sbom.cdx.json`;
  await writeFile(join(outDir, sbom), await makeSbom({ root, manifest, licences, bases }));
  await report(outDir, sbom);

  for (const name of INSTALLERS) {
    await copyFile(join(root, name), join(outDir, name));
    await report(outDir, name);
  }
}

/** Files of an earlier release would end up in the sums of this one; the executables to make it with stay. */
async function emptyFolder(dir, executables = '') {
  await mkdir(dir, { recursive: true });
  const names = await readdir(dir);
  const foreign = names.find((name) => !OURS.test(name));
  if (foreign !== undefined) {
    throw new WrongOption(`${dir} has something else in it (${foreign}): choose an empty folder with --out.`);
  }
  if (executables === dir) {
    throw new WrongOption(
      `--executables is the folder that is emptied for the release (${dir}): choose another with --out.`,
    );
  }
  for (const name of names) {
    const path = join(dir, name);
    if (!`${executables}${sep}`.startsWith(`${path}${sep}`)) await rm(path, { recursive: true, force: true });
  }
}

async function buildExecutables(targets, folder) {
  const names = targets.map(({ name }) => name).join(',');
  const build = spawn(process.execPath, [join(root, 'build.mjs'), '--target', names, '--out', folder], {
    cwd: root,
    stdio: 'inherit',
  });
  const [code] = await once(build, 'close');
  if (code !== 0) throw new WrongOption('The build failed, see above.');
  return folder;
}

async function sign(outDir, key) {
  if (await signRelease(outDir, { LOCAL_CODER_RELEASE_KEY: key })) return report(outDir, SIGNATURE);
  process.stderr.write(
    `\nNOT SIGNED: LOCAL_CODER_RELEASE_KEY is not set, so there is no ${SIGNATURE}. \`local-coder upgrade\` of a ` +
      'program that has the public key refuses such a release.\n',
  );
}

async function newKey(keyFile) {
  if (!relative(root, keyFile).startsWith('..') && !isAbsolute(relative(root, keyFile))) {
    throw new WrongOption(
      `${keyFile} lies in the repository, where keys get committed: choose a place outside.`,
    );
  }
  const publicKey = await makeKey({ keyFile, manifestFile });
  process.stdout.write(
    `${keyFile} is the private key: keep it away from the repository, and keep a copy. package.json has the public ` +
      `half now (${publicKey}): commit it before the next release.\n`,
  );
}

async function report(outDir, name) {
  const { size } = await stat(join(outDir, name));
  process.stdout.write(
    `${name}: ${size < 1e6 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`}\n`,
  );
}

try {
  await main();
} catch (error) {
  process.stderr.write(`release: ${error instanceof WrongOption ? error.message : error.stack}\n`);
  process.exitCode = 1;
}
