/**
 * docs/licenses.txt: what `local-coder licenses` prints from the sources. `npm run docs` writes it; a test holds it
 * against the bundle.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';
import { collectLicences } from './licences.mjs';
import { licencesDocument } from './licences-document.mjs';

const ROOT = join(import.meta.dirname, '..');
export const LICENCES_FILE = join(ROOT, 'docs/licenses.txt');

/** The file's text as it should be, from a bundle made for the purpose. */
export async function upToDateLicences() {
  const folder = await mkdtemp(join(tmpdir(), 'local-coder-licences-'));
  try {
    const metafile = await bundle({ entry: join(ROOT, 'src/main.ts'), outfile: join(folder, 'bundle.cjs') });
    return licencesDocument(await collectLicences(metafile));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await writeFile(LICENCES_FILE, await upToDateLicences());
