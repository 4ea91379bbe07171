import { CodedError } from '../runtime/errors.ts';
import { invalidPatch, quoteLine } from './invalid-patch.ts';
import { changesSomething, type Hunk, type PatchFile, type PatchOperation } from './model.ts';
import { gitHeaderNames, normaliseName, readName, withoutPrefixes } from './names.ts';

/** How diff writes "there was no file" where it does not write /dev/null. */
const EPOCH = /\t(1970-01-01 0|1969-12-31 )/;

interface Names {
  readonly oldName: string | undefined;
  readonly newName: string | undefined;
}

/** The header lines and hunks of one file of a unified diff, as they are read. */
export class UnifiedSection {
  readonly patchLine: number;
  readonly stage: number;
  readonly hunks: Hunk[] = [];
  binary = false;
  hasNames = false;
  gitNames: [string, string] | undefined;
  hasGitHeader = false;
  /** Names as they stand in `---` and `+++`; undefined for "no file". */
  names: Names | undefined;
  newFile = false;
  deletedFile = false;
  newMode: string | undefined;
  fileMode: string | undefined;
  /** `rename from`, `copy to` and so on. */
  moveKind: 'rename' | 'copy' | undefined;
  moveFrom: string | undefined;
  moveTo: string | undefined;

  constructor(patchLine: number, stage: number) {
    this.patchLine = patchLine;
    this.stage = stage;
  }

  readGitHeader(line: string, patchLine: number): void {
    this.hasGitHeader = true;
    this.gitNames = gitHeaderNames(line, patchLine);
  }

  readExtendedHeader(line: string, patchLine: number): void {
    const mode = /^(old|new|new file|deleted file) mode (\d{6})/.exec(line);
    const move = /^(rename|copy) (from|to) (.+)$/s.exec(line.trimEnd());
    const index = /^index \S+ (\d{6})/.exec(line);
    if (mode !== null) {
      const [, which, value] = mode;
      this.fileMode = value;
      if (which === 'new file') this.newFile = true;
      if (which === 'deleted file') this.deletedFile = true;
      if (which === 'new' || which === 'new file') this.newMode = value;
    } else if (move !== null) {
      const [, kind, side, name] = move;
      this.moveKind = kind === 'copy' ? 'copy' : 'rename';
      if (side === 'from') this.moveFrom = readName(name ?? '', patchLine);
      else this.moveTo = readName(name ?? '', patchLine);
    } else if (index !== null) {
      this.fileMode ??= index[1];
    }
  }

  readNames(oldLine: string, newLine: string, patchLine: number): void {
    this.hasNames = true;
    const oldName = readName(oldLine.slice(4), patchLine);
    const newName = readName(newLine.slice(4), patchLine + 1);
    this.names = {
      oldName: oldName === '/dev/null' || (EPOCH.test(oldLine) && !EPOCH.test(newLine)) ? undefined : oldName,
      newName: newName === '/dev/null' || (EPOCH.test(newLine) && !EPOCH.test(oldLine)) ? undefined : newName,
    };
    if (this.names.oldName === undefined && this.names.newName === undefined) {
      throw invalidPatch(patchLine, 'both names are /dev/null.', 'Name the file on one side.');
    }
  }
}

interface Resolved {
  readonly operation: PatchOperation;
  readonly path: string;
  readonly newPath?: string;
  readonly unstripped?: string;
}

/**
 * What a section does, to which file.
 * @returns undefined for a section that says nothing (`diff --git` without anything after it)
 */
export function finishSection(
  section: UnifiedSection,
  baseFolder: string | undefined,
): PatchFile | undefined {
  const resolved = resolve(section);
  const { operation, path } = resolved;
  if (
    operation === 'update' &&
    section.newMode === undefined &&
    section.hunks.length === 0 &&
    !section.binary
  ) {
    return undefined;
  }
  const shown = quoteLine(resolved.newPath ?? path);
  if (section.binary) {
    throw invalidPatch(
      section.patchLine,
      `${shown} is a binary file, and a diff of text cannot carry it.`,
      'Leave the file out of the patch and write it with write_file_base64, or run git apply with run_command.',
    );
  }
  if (section.fileMode !== undefined && !section.fileMode.startsWith('100')) {
    throw new CodedError(
      'UNSUPPORTED_FILE',
      `Nothing was changed. ${shown} has mode ${section.fileMode} in the patch: it is no regular file.`,
      'Leave it out of the patch; make symbolic links and submodules with run_command.',
      { patch_line: section.patchLine, file: path },
    );
  }
  checkWholeFile(section, operation);
  if (operation === 'update' && section.newMode === undefined && !section.hunks.some(changesSomething)) {
    throw invalidPatch(
      section.patchLine,
      `the section for ${shown} adds and removes nothing.`,
      'Begin lines to remove with "-" and lines to add with "+", or leave the section out.',
    );
  }
  const normalise = (name: string): string => normaliseName(name, baseFolder, section.patchLine);
  const unstripped = resolved.unstripped === undefined ? undefined : normalise(resolved.unstripped);
  const normalised = path === '' ? '' : normalise(path);
  return {
    format: 'unified',
    operation,
    path: normalised,
    newPath: resolved.newPath === undefined ? undefined : normalise(resolved.newPath),
    unstrippedPath: unstripped === normalised ? undefined : unstripped,
    newMode: section.newMode,
    fileMode: section.fileMode,
    binary: section.binary,
    hunks: section.hunks,
    patchLine: section.patchLine,
    stage: section.stage,
  };
}

/** A file that comes into being has only added lines, one that goes only removed ones. */
function checkWholeFile(section: UnifiedSection, operation: PatchOperation): void {
  if (operation !== 'add' && operation !== 'delete') return;
  const expected = operation === 'add' ? 'add' : 'remove';
  for (const hunk of section.hunks) {
    if (hunk.lines.every((line) => line.kind === expected)) continue;
    throw invalidPatch(
      hunk.patchLine,
      operation === 'add'
        ? 'the patch creates this file, but the hunk has lines of an existing one.'
        : 'the patch deletes this file, but the hunk keeps or adds lines.',
      operation === 'add'
        ? 'Begin every line of a new file with "+", or name the existing file in the "---" line.'
        : 'Begin every line of a deleted file with "-", or name the file in the "+++" line to change it.',
    );
  }
}

function resolve(section: UnifiedSection): Resolved {
  const { moveKind, moveFrom: from, moveTo: to } = section;
  if (moveKind !== undefined) {
    if (from === undefined || to === undefined) {
      throw invalidPatch(
        section.patchLine,
        `a ${moveKind} needs both names; one is missing.`,
        `Give both lines, "${moveKind} from" and "${moveKind} to".`,
      );
    }
    const { oldName = from, newName = to } = section.names ?? {};
    const [oldStripped, newStripped] = withoutPrefixes(oldName, newName) ?? [oldName, newName];
    if ((oldName !== from && oldStripped !== from) || (newName !== to && newStripped !== to)) {
      throw invalidPatch(
        section.patchLine,
        'the names after "---" and "+++" are not those of the rename.',
        'Give the same two names in both places.',
      );
    }
    return { operation: moveKind, path: from, newPath: to };
  }
  const { oldName, newName } = namesOf(section);
  if (oldName !== undefined && newName !== undefined) {
    const stripped = withoutPrefixes(oldName, newName);
    // Two names without "rename from": what diff was run on does not matter, the second one is the file.
    const path = stripped?.[1] ?? newName;
    if (section.newFile) return { operation: 'add', path };
    if (section.deletedFile) return { operation: 'delete', path: stripped?.[0] ?? oldName };
    return { operation: 'update', path };
  }
  const present = oldName ?? newName;
  if (present === undefined) {
    if (section.hasGitHeader) {
      throw invalidPatch(
        section.patchLine,
        'the names in this line cannot be told apart.',
        'Add the lines "--- a/file" and "+++ b/file".',
      );
    }
    if (!section.hunks.some(changesSomething)) {
      throw invalidPatch(section.patchLine, 'no file is named.', 'Add "--- a/file" and "+++ b/file".');
    }
    return { operation: 'update', path: '' };
  }
  const operation = oldName === undefined ? 'add' : 'delete';
  const prefix = operation === 'add' ? /^[bwi]\// : /^[aic]\//;
  // The side without a file has no prefix to compare with: `diff --git` tells, else git's usual letters do.
  const gitPrefixed =
    section.gitNames === undefined ? undefined : withoutPrefixes(...section.gitNames) !== undefined;
  const strip = gitPrefixed ?? new RegExp(operation === 'add' ? '^b/.' : '^a/.').test(present);
  if (!strip || !prefix.test(present)) return { operation, path: present };
  return { operation, path: present.slice(2), unstripped: gitPrefixed ? undefined : present };
}

/** `---` and `+++`, else `diff --git`. */
function namesOf(section: UnifiedSection): Names {
  if (section.names !== undefined) return section.names;
  const [oldName, newName] = section.gitNames ?? [undefined, undefined];
  return { oldName, newName };
}
