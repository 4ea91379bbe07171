/**
 * Makes src/dashboard/client/generated.ts, the script and the style sheet of the local page as texts, of the sources in
 * src/dashboard/client/browser. It lies in the repository, so that the program runs from its sources without a build
 * step; tests/dashboard/client.test.ts says when it is stale.
 *
 *     npm run page
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folder = new URL('../src/dashboard/client/', import.meta.url);
const generated = new URL('generated.ts', folder);

/** The text of generated.ts as it should be. */
export async function generatedPage(): Promise<string> {
  const [script, style] = await Promise.all([minified('main.ts'), minified('style.css')]);
  return [
    '// biome-ignore-all lint: generated',
    '// biome-ignore-all format: generated',
    '/** Made by `npm run page` from src/dashboard/client/browser. */',
    `export const SCRIPT = ${JSON.stringify(script)};`,
    `export const STYLE = ${JSON.stringify(style)};`,
    '',
  ].join('\n');
}

async function minified(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`browser/${entry}`, folder))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    // What understands light-dark() and Intl.RelativeTimeFormat anyway.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    charset: 'ascii',
    legalComments: 'none',
    // Its own settings concern types alone.
    tsconfigRaw: {},
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(generated, await generatedPage());
}
