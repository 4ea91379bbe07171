/** The program's code in its two forms: a bundle that `node` runs, and the same wrapped for the single executable. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';

/**
 * @param {{ root: string, folder: string }} options  `folder` gets the files
 * @returns {Promise<{ bundle: string, licences: string, wrapped: string, metafile: import('esbuild').Metafile }>} paths
 */
export async function makeProgram({ root, folder }) {
  const file = join(folder, 'local-coder.cjs');
  const metafile = await bundle({ entry: join(root, 'src/main.ts'), outfile: file });
  const wrapped = join(folder, 'main.cjs');
  await writeFile(wrapped, wrapForLauncher(await readFile(file, 'utf8')), 'latin1');
  return { bundle: file, licences: `${file}.LEGAL.txt`, wrapped, metafile };
}

/** The bundle as the function expression that src/runtime/sea-launcher.cjs calls, in ASCII. */
function wrapForLauncher(bundled) {
  const source = bundled.replace(/^#!.*\n/, '');
  // esbuild escapes all but regular expressions, where an escape means the same; in a raw template it would not.
  if (/String\.raw`[^`]*[^\x00-\x7f]/.test(source)) {
    throw new Error('A String.raw template with a character that is not ASCII: write it as a plain string.');
  }
  const ascii = source.replace(
    /[^\x00-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `(function(exports,require,module,__filename,__dirname){${ascii}\n})`;
}
