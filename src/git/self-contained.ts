import { readdir, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import { isWithin, readTextInside } from '../workspace/index.ts';

/** What git reads of a repository; each may be a link. */
const PARTS = [
  'HEAD',
  'config',
  'index',
  'info',
  'logs',
  'objects',
  'objects/info',
  'packed-refs',
  'refs',
  'shallow',
];

/**
 * Checks that everything git would read of a repository lies in the roots. Needed where git runs without a sandbox in
 * a confined mode: links and alternates inside of `.git` would show the contents of other repositories, of which a
 * name of four digits is enough.
 * @throws {CodedError} PATH_OUTSIDE_WORKSPACE
 */
export async function assertSelfContained(
  { top, gitDir, commonDir }: { readonly top: string; readonly gitDir: string; readonly commonDir: string },
  roots: readonly string[],
): Promise<void> {
  const common = await realpath(commonDir).catch(() => commonDir);
  const isInside = (path: string) => roots.some((root) => isWithin(path, root));
  for (const path of [top, gitDir, common]) if (!isInside(path)) throw leadsOut();
  const folders = [...new Set([gitDir, common])];
  const parts = folders.flatMap((folder) => PARTS.map((part) => join(folder, part)));
  const reals = await Promise.all(parts.map((part) => realpath(part).catch(() => undefined)));
  if (reals.some((real) => real !== undefined && !isInside(real))) throw leadsOut();
  const objects = join(common, 'objects');
  for (const folder of [objects, join(objects, 'pack')]) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    if (entries.some((entry) => entry.isSymbolicLink())) throw leadsOut();
  }
  const alternates = await readTextInside(join(objects, 'info', 'alternates'), 'utf8').catch(() => '');
  for (const line of alternates.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const other = resolve(objects, line.replace(/^"|"$/g, ''));
    if (!isInside(await realpath(other).catch(() => other))) throw leadsOut();
  }
}

export function leadsOut(): CodedError {
  return new CodedError(
    'PATH_OUTSIDE_WORKSPACE',
    'The repository of this folder does not lie inside of the workspace as a whole, so the git tools leave it alone.',
    'Ask the user to start local-coder with the top folder of the repository (and the main one of a worktree) as --workspace.',
  );
}
