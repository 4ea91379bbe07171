/**
 * Makes the document of the MCP Apps view from src/widgets/view: the script bundled and minified, with the style inside
 * of one HTML, as a module that runs from the sources as it is. `npm run widgets` writes it; a test holds what is
 * written against what is made.
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const WIDGETS = fileURLToPath(new URL('../src/widgets/', import.meta.url));
/** Browsers of the last three years; colours are mixed since Chrome 111, Firefox 113 and Safari 16.2. */
const TARGET = 'es2022';

/** The files below src/widgets that are made, and their texts. */
export async function generatedWidgets(): Promise<Readonly<Record<string, string>>> {
  const html = await viewDocument();
  // Hosts cache a view by its address: another content is another address.
  const hash = createHash('sha256').update(html).digest('hex').slice(0, 10);
  const head = '/** Made by `npm run widgets` from src/widgets/view. */\n';
  const ignored = ['lint', 'format'].map((what) => `// biome-ignore-all ${what}: generated\n`).join('');
  return {
    'view-address.ts': `${head}export const VIEW_URI = 'ui://local-coder/view-${hash}.html';\n`,
    'view-document.ts': `${ignored}${head}export const VIEW_HTML = ${JSON.stringify(html)};\n`,
  };
}

async function viewDocument(): Promise<string> {
  const bundled = await build({
    entryPoints: [join(WIDGETS, 'view/main.ts')],
    bundle: true,
    format: 'iife',
    target: TARGET,
    minify: true,
    charset: 'utf8',
    write: false,
  });
  const script = bundled.outputFiles[0]?.text.trim() ?? '';
  const source = await readFile(join(WIDGETS, 'view/view.css'), 'utf8');
  const style = (await transform(source, { loader: 'css', minify: true })).code.trim();
  if (/<\/(script|style)|<!--/i.test(script + style)) throw new Error('the view would end its own element');
  const template = await readFile(join(WIDGETS, 'view/view.html'), 'utf8');
  const parts: Record<string, string> = { style, script };
  return template.trim().replace(/\/\* (\w+) \*\//g, (_, name: string) => parts[name] ?? '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(await generatedWidgets())) {
    await writeFile(join(WIDGETS, name), text);
  }
}
