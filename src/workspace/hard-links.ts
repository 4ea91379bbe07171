import { CodedError } from '../runtime/errors.ts';
import type { FileSnapshot } from './file-snapshot.ts';
import type { FileCommit, NewFile } from './transaction-types.ts';

/**
 * Several names of one file in one change. The file is overwritten once for all names that are to have the same new
 * content; a name that goes away goes first, while the file is still what was read.
 * @returns the commits to carry out, in this order
 * @throws {CodedError} CONFLICT when the names are to become different files
 */
export function oncePerFile(commits: readonly FileCommit[]): readonly FileCommit[] {
  const names = new Map<string, FileCommit[]>();
  for (const commit of commits) {
    const file = linkedFile(commit);
    if (file === undefined) continue;
    const others = names.get(file);
    if (others) others.push(commit);
    else names.set(file, [commit]);
  }
  const first = new Set<FileCommit>();
  const spared = new Set<FileCommit>();
  for (const group of names.values()) {
    if (group.length === 1) continue;
    let written: { readonly commit: FileCommit; readonly after: NewFile } | undefined;
    for (const commit of group) {
      const { after } = commit;
      if (after?.type !== 'file') first.add(commit);
      else if (!written) written = { commit, after };
      else if (isSameFile(written.after, after)) spared.add(commit);
      else throw twoFilesOfOne(written.commit, commit);
    }
  }
  if (first.size === 0 && spared.size === 0) return commits;
  return [...first, ...commits.filter((commit) => !first.has(commit) && !spared.has(commit))];
}

/** Tells the file behind a name; undefined where it has no other name. */
function linkedFile({ before }: FileCommit): string | undefined {
  if (before === undefined || !('stats' in before)) return undefined;
  const { nlink, dev, ino }: FileSnapshot['stats'] = before.stats;
  return nlink > 1n ? `${dev} ${ino}` : undefined;
}

function isSameFile(a: NewFile, b: NewFile): boolean {
  if (a.mode !== b.mode) return false;
  if (a.content instanceof Uint8Array && b.content instanceof Uint8Array) {
    return Buffer.compare(a.content, b.content) === 0;
  }
  if (a.content instanceof Uint8Array || b.content instanceof Uint8Array) return false;
  return a.content.sha256 === b.content.sha256;
}

function twoFilesOfOne(one: FileCommit, other: FileCommit): CodedError {
  return new CodedError(
    'CONFLICT',
    `Nothing was changed. "${one.file.shown}" and "${other.file.shown}" are names of one file (hard links), which cannot become two different files.`,
    'Make all changes under one of the names: the file changes under the other one, too.',
    { files: [one.file.shown, other.file.shown] },
  );
}
