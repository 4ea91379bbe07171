import { CodedError } from '../runtime/errors.ts';
import { applyHunks, textOfNewFile } from './apply-hunks.ts';
import type { PatchFile } from './model.ts';
import { type NotPlaced, type Placed, placeHunks } from './place-hunks.ts';
import { fileProblem, hunkProblem, type Problem, readerProblem } from './problems.ts';
import { countLines, type FileReport, hunkReports, reportOf } from './report.ts';
import { shortDiff, wholeFileDiff } from './short-diff.ts';
import { TextLines, withoutBom } from './text-lines.ts';
import type { FileContent, VirtualFile, VirtualFiles } from './virtual-files.ts';

export interface SectionResult {
  readonly report?: FileReport;
  readonly problems: readonly Problem[];
  /** The files are already as this section would leave them. */
  readonly alreadyApplied: boolean;
}

/** Why a section cannot be carried out. */
class Refused extends Error {
  readonly problems: readonly Problem[];
  readonly alreadyApplied: boolean;

  constructor(problems: readonly Problem[], alreadyApplied: boolean) {
    super('section refused');
    this.problems = problems;
    this.alreadyApplied = alreadyApplied;
  }
}

function refuse(...problem: Parameters<typeof fileProblem>): Refused {
  return new Refused([fileProblem(...problem)], problem[0] === 'ALREADY_APPLIED');
}

interface Snapshot {
  readonly content: FileContent | undefined;
  readonly origin: string | undefined;
}

/**
 * Carries out the sections of a patch on the virtual files, in order. A Codex patch is a sequence of steps; in a git
 * diff every name means the state before (of its commit), so that two files can swap names and a copy is taken from
 * the unchanged original.
 */
export class SectionRunner {
  readonly #files: VirtualFiles;
  readonly #sections: readonly PatchFile[];
  readonly #maxDiffLines: number;
  /** Files that a later section renames or deletes, taken away early because their name was needed. */
  readonly #detached = new Map<number, Snapshot>();
  /** Content of all files when the present stage began; kept only where a copy may need it. */
  readonly #keepsStages: boolean;
  #stage = -1;
  #stageStart = new Map<VirtualFile, Snapshot>();

  constructor(files: VirtualFiles, sections: readonly PatchFile[], maxDiffLines: number) {
    this.#files = files;
    this.#sections = sections;
    this.#maxDiffLines = maxDiffLines;
    this.#keepsStages = sections.some((section) => section.operation === 'copy');
  }

  run(index: number): SectionResult {
    const section = this.#sections[index]!;
    this.#enterStage(section.stage);
    try {
      const report = this.#carryOut(section, index);
      return { report, problems: [], alreadyApplied: report.status === 'unchanged' };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { problems: error.problems, alreadyApplied: error.alreadyApplied };
    }
  }

  #enterStage(stage: number): void {
    if (!this.#keepsStages || stage === this.#stage) return;
    this.#stage = stage;
    this.#stageStart = new Map(
      this.#files.all().map((file) => [file, { content: file.content, origin: file.origin }]),
    );
  }

  #carryOut(section: PatchFile, index: number): FileReport {
    switch (section.operation) {
      case 'add':
        return this.#add(section, index);
      case 'delete':
        return this.#delete(section, index);
      case 'update':
        return this.#update(section, index);
      case 'rename':
      case 'copy':
        return this.#move(section, index);
    }
  }

  #file(path: string): VirtualFile {
    const file = this.#files.get(path);
    if (file instanceof CodedError) throw new Refused([readerProblem(path, file)], false);
    return file;
  }

  #add(section: PatchFile, index: number): FileReport {
    const { path } = section;
    const file = this.#file(path);
    const lines = section.hunks.flatMap((hunk) => hunk.lines);
    const text = textOfNewFile(lines);
    this.#makeRoom(file, path, index, () => file.content?.kind === 'text' && file.content.text === text);
    file.content = { kind: 'text', text };
    file.origin = undefined;
    file.mode = section.newMode;
    const created = new TextLines(text);
    return {
      ...reportOf(section, 'created'),
      addedLines: created.count,
      diff: wholeFileDiff(created, '+', this.#maxDiffLines),
    };
  }

  /** Sees to it that nothing stands where a file is to come. */
  #makeRoom(file: VirtualFile, path: string, index: number, isThere: () => boolean): void {
    if (file.content === undefined) return;
    if (this.#detach(file, index)) return;
    if (isThere()) {
      throw refuse(
        'ALREADY_APPLIED',
        path,
        `${path} already exists with exactly this content.`,
        'Leave it out of the patch; if nothing else is in it, there is nothing left to do.',
      );
    }
    throw refuse(
      'ALREADY_EXISTS',
      path,
      `${path} already exists.`,
      'Change it with an update section, delete it in the same patch before, or use another name.',
    );
  }

  /** In a git diff a name that a later section frees is free. */
  #detach(file: VirtualFile, index: number): boolean {
    const present = this.#sections[index]!;
    if (present.format !== 'unified') return false;
    for (let later = index + 1; later < this.#sections.length; later++) {
      const section = this.#sections[later]!;
      if (section.stage !== present.stage) return false;
      const frees = section.operation === 'rename' || section.operation === 'delete';
      if (!frees || this.#detached.has(later) || this.#files.get(section.path) !== file) continue;
      this.#detached.set(later, { content: file.content, origin: file.origin });
      file.content = undefined;
      file.origin = undefined;
      file.mode = undefined;
      return true;
    }
    return false;
  }

  #delete(section: PatchFile, index: number): FileReport {
    let { path } = section;
    let file = this.#file(path);
    const detached = this.#detached.get(index);
    if (detached === undefined && file.content === undefined && section.unstrippedPath !== undefined) {
      const other = this.#files.get(section.unstrippedPath);
      if (!(other instanceof CodedError) && other.content !== undefined) {
        file = other;
        path = section.unstrippedPath;
      }
    }
    const content = detached === undefined ? file.content : detached.content;
    if (content === undefined)
      throw missing(path, 'It may have been deleted already; leave it out of the patch.');
    let removed: TextLines | undefined;
    if (content.kind === 'text') removed = new TextLines(content.text);
    if (section.format === 'unified') {
      if (removed === undefined) throw new Refused([readerProblem(path, errorOf(content))], false);
      checkSameContent(section, path, removed);
    }
    if (detached === undefined) {
      file.content = undefined;
      file.origin = undefined;
      file.mode = undefined;
    }
    return {
      ...reportOf(section, 'deleted'),
      path,
      removedLines: removed?.count ?? 0,
      diff: removed === undefined ? '' : wholeFileDiff(removed, '-', this.#maxDiffLines),
    };
  }

  #update(section: PatchFile, index: number): FileReport {
    const { path } = section;
    const file = this.#file(path);
    if (file.content === undefined) {
      // Before git, a new file was a change of an empty one: `@@ -0,0 +1,3 @@`.
      const [only, second] = section.hunks;
      const creates = only?.stated?.oldStart === 0 && second === undefined && section.format === 'unified';
      if (creates && only.lines.every((line) => line.kind === 'add')) return this.#add(section, index);
      throw missing(
        path,
        'Check the name (glob finds it), give path, the folder that the names are relative to, or create the file: "*** Add File: name", "--- /dev/null".',
      );
    }
    const { content, report } = this.#edit(section, path, file.content);
    file.content = content;
    file.mode = section.newMode ?? file.mode;
    return report;
  }

  #move(section: PatchFile, index: number): FileReport {
    const { path, newPath = path, operation } = section;
    const file = this.#file(path);
    const target = this.#file(newPath);
    const { content, origin } = this.#sourceOf(file, operation, index);
    if (content === undefined) throw this.#sourceMissing(section, target);
    const respelled = target === file && operation === 'rename';
    const edited = this.#edit(section, path, content);
    if (!respelled) {
      const there = (): boolean => target.content !== undefined && sameText(target.content, edited.content);
      this.#makeRoom(target, newPath, index, operation === 'copy' ? there : () => false);
    }
    const mode = section.newMode ?? (operation === 'rename' ? file.mode : undefined);
    if (respelled) {
      file.spelling = newPath === file.path ? undefined : newPath;
    } else if (operation === 'rename' && !this.#detached.has(index)) {
      file.content = undefined;
      file.origin = undefined;
      file.mode = undefined;
    }
    target.content = edited.content;
    target.origin = origin;
    target.mode = mode;
    return { ...edited.report, status: operation === 'rename' ? 'renamed' : 'copied' };
  }

  #sourceOf(file: VirtualFile, operation: PatchFile['operation'], index: number): Snapshot {
    const detached = this.#detached.get(index);
    if (detached !== undefined) return detached;
    const before = operation === 'copy' ? this.#stageStart.get(file) : undefined;
    return before?.content === undefined ? { content: file.content, origin: file.origin } : before;
  }

  #sourceMissing(section: PatchFile, target: VirtualFile): Refused {
    const { path, newPath = path } = section;
    if (target.content !== undefined) {
      const file = target.content.kind === 'text' ? new TextLines(target.content.text) : undefined;
      const results = file === undefined ? [] : placeHunks(file, section.hunks, section.format);
      if (
        results.length === section.hunks.length &&
        results.every((result) => result.kind === 'already-applied')
      ) {
        return refuse(
          'ALREADY_APPLIED',
          newPath,
          `${path} is gone and ${newPath} is already there, with the changes of the patch.`,
          'Leave it out of the patch; if nothing else is in it, there is nothing left to do.',
        );
      }
    }
    return missing(path, 'Check the name (glob finds it); it may have been moved already.');
  }

  /** The content after the hunks of a section, and what happened. */
  #edit(
    section: PatchFile,
    path: string,
    content: FileContent,
  ): { content: FileContent; report: FileReport } {
    if (section.hunks.length === 0) {
      return {
        content,
        report: reportOf(section, section.newMode === undefined ? 'unchanged' : 'mode-changed'),
      };
    }
    if (content.kind === 'opaque') throw new Refused([readerProblem(path, content.error)], false);
    const file = new TextLines(content.text);
    const results = placeHunks(file, section.hunks, section.format);
    const failed = results.filter((result): result is NotPlaced => result.kind !== 'placed');
    if (failed.length > 0) {
      const problems = results.flatMap((result, i) =>
        result.kind === 'placed' ? [] : [hunkProblem(file, path, i + 1, result)],
      );
      const all = failed.length === results.length;
      throw new Refused(problems, all && failed.every((result) => result.kind === 'already-applied'));
    }
    const placed = results.filter((result): result is Placed => result.kind === 'placed');
    const text = applyHunks(file, placed, section.format);
    const changed = text !== content.text;
    const status = changed ? 'updated' : section.newMode === undefined ? 'unchanged' : 'mode-changed';
    const report: FileReport = {
      ...reportOf(section, status),
      hunks: hunkReports(placed),
      addedLines: countLines(placed, 'add'),
      removedLines: countLines(placed, 'remove'),
      diff: changed ? shortDiff(file, placed, this.#maxDiffLines) : '',
    };
    return { content: changed ? { kind: 'text', text } : content, report };
  }
}

function missing(path: string, hint: string): Refused {
  return refuse('FILE_NOT_FOUND', path, `${path} does not exist.`, hint);
}

function errorOf(content: FileContent): CodedError {
  if (content.kind === 'opaque') return content.error;
  throw new Error('text has no error');
}

function sameText(a: FileContent, b: FileContent): boolean {
  return a.kind === 'text' && b.kind === 'text' && a.text === b.text;
}

/** A diff that deletes a file quotes all of it: what it does not quote would be lost unseen. */
function checkSameContent(section: PatchFile, path: string, file: TextLines): void {
  const quoted = section.hunks.flatMap((hunk) => hunk.lines.map((line) => line.text));
  const line = quoted.findIndex((text, i) => (i === 0 ? withoutBom(text) : text) !== file.lines[i]);
  if (line < 0 && quoted.length === file.count) return;
  const at = line < 0 ? Math.min(quoted.length, file.count) + 1 : line + 1;
  throw refuse(
    'CONFLICT',
    path,
    `${path} is not what the patch deletes: it differs from line ${at} on.`,
    'Read the file; if it is to go nevertheless, use "*** Delete File: name" or delete_file.',
    { line: at },
  );
}
