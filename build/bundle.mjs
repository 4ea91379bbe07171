import crypto from 'node:crypto';
import { join } from 'node:path';
import { build } from 'esbuild';
import { NODE_CHECK } from './node-check.mjs';

/** Keys of package.json that only concern whoever builds; what the program may want to know of itself stays. */
const BUILD_ONLY_KEYS = [
  'allowScripts',
  'bin',
  'dependencies',
  'devDependencies',
  'engines',
  'optionalDependencies',
  'private',
  'scripts',
  'type',
];

/**
 * Bundles src/main.ts and everything that it imports into one CommonJS file.
 *
 * @param {{ entry: string, outfile: string, target?: string }} options  target: the oldest Node whose syntax it may use
 * @returns {Promise<import('esbuild').Metafile>} what the bundle is made of
 */
export async function bundle({ entry, outfile, target = 'node24' }) {
  const standIns = startUpStandIns();
  const { metafile } = await build({
    // What a bundle says of its files must not depend on where it was called from.
    absWorkingDir: join(import.meta.dirname, '..'),
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    // A SEA's main script is CommonJS, and `import()` of a built-in module would need a loader there.
    format: 'cjs',
    supported: { 'dynamic-import': false },
    target,
    minify: true,
    charset: 'ascii',
    legalComments: 'external',
    metafile: true,
    logLevel: 'warning',
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: `${NODE_CHECK}\nconst moduleUrl=require('node:url').pathToFileURL(__filename).href;` },
    // What else import.meta offers is empty in CommonJS: better no bundle than one that misses a path.
    logOverride: { 'empty-import-meta': 'error' },
    plugins: [
      lateCrypto(),
      packageManifest(),
      treeSitterAsCommonJs(),
      jsoncParserAsModule(),
      standIns.plugin,
    ],
  });
  standIns.check();
  return metafile;
}

/**
 * Node's crypto is 19 modules, which take 4 ms to load and which no start needs: left until one of its functions is
 * called. Classes and constants it has none for: an import of one ends the build.
 */
function lateCrypto() {
  const names = Object.keys(crypto).filter(
    (name) => typeof crypto[name] === 'function' && /^[a-z]/.test(name),
  );
  return {
    name: 'late-crypto',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^node:crypto$/ }, ({ kind, importer }) =>
        kind === 'import-statement' && !/[\\/]node_modules[\\/]/.test(importer)
          ? { path: 'crypto', namespace: 'late' }
          : undefined,
      );
      esbuild.onLoad({ filter: /^crypto$/, namespace: 'late' }, () => ({
        contents: names
          .map((name) => `export const ${name} = (...args) => require('node:crypto').${name}(...args);`)
          .join('\n'),
      }));
    },
  };
}

/** Reduces package.json, the source of the version, to what the program may say about itself. */
function packageManifest() {
  return {
    name: 'package-manifest',
    setup(esbuild) {
      esbuild.onLoad({ filter: /[\\/]package\.json$/ }, async ({ path }) => {
        const { default: manifest } = await import(path, { with: { type: 'json' } });
        const kept = Object.entries(manifest).filter(([key]) => !BUILD_ONLY_KEYS.includes(key));
        return { contents: JSON.stringify(Object.fromEntries(kept)), loader: 'json' };
      });
    },
  };
}

/**
 * Takes web-tree-sitter's CommonJS file: its ES module declares a local `require` after an `import()`, which in
 * CommonJS becomes a call of that very variable before it is set.
 */
function treeSitterAsCommonJs() {
  return {
    name: 'tree-sitter-as-common-js',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^web-tree-sitter$/ }, ({ path, kind, resolveDir }) =>
        kind === 'require-call' ? undefined : esbuild.resolve(path, { kind: 'require-call', resolveDir }),
      );
    },
  };
}

/** Takes jsonc-parser's ES module: its CommonJS file asks for its parts in a way that no bundler can follow. */
function jsoncParserAsModule() {
  return {
    name: 'jsonc-parser-as-module',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^jsonc-parser$/ }, ({ kind, resolveDir }) =>
        esbuild.resolve('jsonc-parser/lib/esm/main.js', { kind, resolveDir }),
      );
    },
  };
}

/**
 * Two parts of the dependencies are never used and left out: zod's 50 translations of its messages (English comes
 * from its own import), and Ajv, the SDK's default schema validator (150 kB): mcp/server.ts gives every server its own.
 */
function startUpStandIns() {
  const used = new Set();
  const plugin = {
    name: 'start-up-stand-ins',
    setup(esbuild) {
      esbuild.onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer }) => {
        if (!/[\\/]zod[\\/]v4[\\/]/.test(importer)) return undefined;
        used.add('zod locales');
        return { path: 'zod-locales', namespace: 'stand-in' };
      });
      esbuild.onResolve({ filter: /^\.\/ajvProvider-/ }, ({ importer }) => {
        if (!/[\\/]shimsNode\.mjs$/.test(importer)) return undefined;
        used.add('Ajv');
        return { path: 'ajv-provider', namespace: 'stand-in' };
      });
      esbuild.onLoad({ filter: /^zod-locales$/, namespace: 'stand-in' }, () => ({ contents: 'export {};' }));
      esbuild.onLoad({ filter: /^ajv-provider$/, namespace: 'stand-in' }, () => ({
        contents: `export class n {
          constructor() {
            throw new Error('this build has no default schema validator: give the server one');
          }
        }`,
      }));
    },
  };
  const check = () => {
    for (const name of ['zod locales', 'Ajv']) {
      if (!used.has(name)) {
        throw new Error(`build/bundle.mjs: the stand-in for ${name} found nothing to stand in for.`);
      }
    }
  };
  return { plugin, check };
}
