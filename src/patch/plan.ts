import { invalidPatch } from './invalid-patch.ts';
import type { PatchFile, PatchFormat } from './model.ts';
import { nestedFiles } from './nested-files.ts';
import { parsePatch } from './parse-patch.ts';
import { fileProblem, type Problem, refusal } from './problems.ts';
import type { FileReport } from './report.ts';
import { SectionRunner } from './run-section.ts';
import { type FileContent, type ReadForPatch, VirtualFiles } from './virtual-files.ts';

/** What one path has before and after the patch. `undefined` content: no file. */
export interface FileChange {
  /** As in the patch, with `./` removed. */
  readonly path: string;
  readonly before: FileContent | undefined;
  readonly after: FileContent | undefined;
  /**
   * Another path of this patch whose file, as it is on disk before the patch, this content came from (rename, copy):
   * its encoding, mode and ownership go with it, and its bytes where `after` is opaque.
   */
  readonly source: string | undefined;
  /** `100644` or `100755` where the patch sets it. */
  readonly mode: string | undefined;
  /** The same file gets this name: a rename that only changes the spelling of one directory entry. */
  readonly spelling: string | undefined;
}

/** A patch that fits, carried out in memory. */
export interface PatchPlan {
  readonly format: PatchFormat;
  /** What to do on disk: one entry for each path that does not stay as it is. */
  readonly changes: readonly FileChange[];
  /** What to tell: one entry for each section of the patch, in its order. */
  readonly reports: readonly FileReport[];
}

export interface PlanOptions {
  /** The file that hunks without a file name belong to. */
  readonly defaultPath?: string;
  readonly signal?: AbortSignal;
  /** Longest diff in one report; beyond it the cut is marked. */
  readonly maxDiffLines?: number;
}

/**
 * Reads a patch, matches all of its hunks in memory and says what every file becomes. Touches nothing.
 * @param read the only way to the files; see ReadForPatch
 * @throws {CodedError} INVALID_PATCH, NO_MATCH, NOT_UNIQUE, ALREADY_APPLIED, ALREADY_EXISTS, FILE_NOT_FOUND,
 * CONFLICT, UNSUPPORTED_FILE and whatever the reader refuses with; all problems of the patch are in its details
 */
export async function planPatch(
  patchText: string,
  read: ReadForPatch,
  options: PlanOptions = {},
): Promise<PatchPlan> {
  const { format, files: parsed } = parsePatch(patchText);
  const sections = parsed.map((file) => withDefaultPath(file, options.defaultPath));
  const files = new VirtualFiles();
  await files.readAll(sections.flatMap(namesOf), read, options.signal);

  const runner = new SectionRunner(files, sections, options.maxDiffLines ?? 120);
  const reports: FileReport[] = [];
  const problems: Problem[] = [];
  let done = 0;
  let lastPauseMs = performance.now();
  for (let i = 0; i < sections.length; i++) {
    if (performance.now() - lastPauseMs > 25) {
      // Large patches must not keep other calls waiting.
      await new Promise<void>((resume) => setImmediate(resume));
      lastPauseMs = performance.now();
    }
    options.signal?.throwIfAborted();
    const result = runner.run(i);
    problems.push(...result.problems);
    if (result.report !== undefined) reports.push(result.report);
    if (!result.alreadyApplied) done++;
  }
  if (problems.length === 0) problems.push(...nestedFiles(files.all()));
  if (problems.length > 0) throw refusal(problems, done === 0);
  const changes = changesOf(files);
  if (changes.length === 0) throw refusal([nothingLeft(sections)], true);
  return { format, changes, reports };
}

function withDefaultPath(file: PatchFile, defaultPath: string | undefined): PatchFile {
  if (file.path !== '') return file;
  if (defaultPath !== undefined) return { ...file, path: defaultPath };
  throw invalidPatch(
    file.patchLine,
    'the patch does not say which file these hunks belong to.',
    'Add "--- a/file" and "+++ b/file" before them, or "*** Update File: file", or give the file as path.',
  );
}

function namesOf(file: PatchFile): string[] {
  const names = [file.path];
  if (file.newPath !== undefined) names.push(file.newPath);
  if (file.operation === 'delete' && file.unstrippedPath !== undefined) names.push(file.unstrippedPath);
  return names;
}

function changesOf(files: VirtualFiles): FileChange[] {
  const changes: FileChange[] = [];
  for (const { path, before, content, origin, mode, spelling } of files.all()) {
    const source = content === undefined || origin === path ? undefined : origin;
    const same = sameContent(before, content) && source === undefined;
    if (same && (mode === undefined || content === undefined) && spelling === undefined) continue;
    changes.push({
      path,
      before,
      after: content,
      source,
      mode: content === undefined ? undefined : mode,
      spelling,
    });
  }
  return changes;
}

function sameContent(a: FileContent | undefined, b: FileContent | undefined): boolean {
  if (a === b) return true;
  return a?.kind === 'text' && b?.kind === 'text' && a.text === b.text;
}

function nothingLeft(sections: readonly PatchFile[]): Problem {
  const path = sections[0]?.path ?? '';
  return fileProblem(
    'ALREADY_APPLIED',
    path,
    `Every file is already as the patch would leave it (${sections.length === 1 ? path : `${sections.length} files`}).`,
    'There is nothing left to do.',
  );
}
