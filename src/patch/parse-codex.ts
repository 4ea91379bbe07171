import { HunkLines, isBareEmpty, isBodyLine, isNoNewlineMark } from './hunk-lines.ts';
import { invalidPatch, quoteLine } from './invalid-patch.ts';
import { type CodexMarker, codexMarker, hunkHeader, isNamePair } from './markers.ts';
import { changesSomething, type Hunk, type PatchFile, type StatedPlace } from './model.ts';
import { normaliseName, readName } from './names.ts';
import type { UnwrappedPatch } from './unwrap.ts';

/**
 * Reads the Codex grammar (patch.md, "What it accepts").
 * @throws {CodedError} INVALID_PATCH with the line that cannot be read and what to send instead
 */
export function parseCodex(patch: UnwrappedPatch): PatchFile[] {
  return new CodexParser(patch).parse();
}

class CodexParser {
  readonly #lines: readonly string[];
  readonly #patch: UnwrappedPatch;
  #at = 0;

  constructor(patch: UnwrappedPatch) {
    this.#patch = patch;
    this.#lines = patch.lines;
  }

  parse(): PatchFile[] {
    const files: PatchFile[] = [];
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] ?? '';
      const marker = codexMarker(line);
      const patchLine = this.#lineNumber();
      if (marker?.kind === 'add') files.push(this.#add(marker, patchLine));
      else if (marker?.kind === 'delete') files.push(this.#delete(marker, patchLine));
      else if (marker?.kind === 'update') files.push(this.#update(marker, patchLine));
      else if (marker?.kind === 'begin' || marker?.kind === 'end' || line.trim() === '') this.#at++;
      else if (hunkHeader(line) !== undefined && files.length === 0)
        files.push(this.#update(undefined, patchLine));
      else throw this.#unexpected(line, files.at(-1));
    }
    return files;
  }

  #lineNumber(): number {
    return this.#patch.lineNumbers[this.#at] ?? 0;
  }

  #name(marker: CodexMarker, patchLine: number): string {
    return normaliseName(marker.name, this.#patch.baseFolder, patchLine);
  }

  #file(fields: Pick<PatchFile, 'operation' | 'path' | 'newPath' | 'hunks' | 'patchLine'>): PatchFile {
    return {
      format: 'codex',
      unstrippedPath: undefined,
      newMode: undefined,
      fileMode: undefined,
      binary: false,
      stage: 0,
      ...fields,
    };
  }

  #add(marker: CodexMarker, patchLine: number): PatchFile {
    this.#at++;
    const content = new HunkLines();
    let bareEmpty = 0;
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at] ?? '';
      if (isBareEmpty(line)) {
        bareEmpty++;
      } else if (line.startsWith('+')) {
        // An empty line between two added ones can only be an added one that lost its "+".
        for (; bareEmpty > 0; bareEmpty--) content.add('+');
        content.add(line);
      } else if (isNoNewlineMark(line)) {
        content.markNoNewline();
      } else {
        break;
      }
    }
    const lines = content.take();
    const hunk: Hunk = { patchLine: patchLine + 1, headers: [], stated: undefined, lines, endOfFile: false };
    const hunks = lines.length === 0 ? [] : [hunk];
    return this.#file({
      operation: 'add',
      path: this.#name(marker, patchLine),
      newPath: undefined,
      hunks,
      patchLine,
    });
  }

  #delete(marker: CodexMarker, patchLine: number): PatchFile {
    this.#at++;
    const path = this.#name(marker, patchLine);
    return this.#file({ operation: 'delete', path, newPath: undefined, hunks: [], patchLine });
  }

  /** @param marker undefined for hunks without a file name, which the caller's default file takes */
  #update(marker: CodexMarker | undefined, patchLine: number): PatchFile {
    if (marker !== undefined) this.#at++;
    const path = marker === undefined ? '' : this.#name(marker, patchLine);
    let newPath: string | undefined;
    const move = codexMarker(this.#lines[this.#at] ?? '');
    if (move?.kind === 'move') {
      const target = this.#name(move, this.#lineNumber());
      if (target !== path) newPath = target;
      this.#at++;
    }
    this.#skipUnifiedNames(path);
    const hunks = this.#hunks();
    if (newPath === undefined && !hunks.some(changesSomething)) {
      throw invalidPatch(
        patchLine,
        `the section for ${quoteLine(path)} adds and removes nothing.`,
        'Begin lines to remove with "-" and lines to add with "+", or leave the section out.',
      );
    }
    return this.#file({
      operation: newPath === undefined ? 'update' : 'rename',
      path,
      newPath,
      hunks,
      patchLine,
    });
  }

  /** Some models repeat the name as `---`/`+++` before the first `@@`; read as removed and added it would be absurd. */
  #skipUnifiedNames(path: string): void {
    if (!isNamePair(this.#lines, this.#at)) return;
    if (hunkHeader(this.#lines[this.#at + 2] ?? '') === undefined) return;
    const named = readName((this.#lines[this.#at + 1] ?? '').slice(4), this.#lineNumber());
    if (named === path || named === `b/${path}`) this.#at += 2;
  }

  #hunks(): Hunk[] {
    const hunks: Hunk[] = [];
    const body = new HunkLines();
    let headers: string[] = [];
    let stated: StatedPlace | undefined;
    let patchLine: number | undefined;
    let bareEmpty = 0;
    const finish = (endOfFile: boolean): void => {
      bareEmpty = 0;
      if (!body.isEmpty) {
        hunks.push({ patchLine: patchLine ?? 0, headers, stated, lines: body.take(), endOfFile });
      }
      patchLine = undefined;
      headers = [];
      stated = undefined;
    };
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at] ?? '';
      const header = hunkHeader(line);
      if (header !== undefined) {
        if (!body.isEmpty) finish(false);
        bareEmpty = 0;
        patchLine ??= this.#lineNumber();
        if (header.context !== '') headers.push(header.context);
        stated = header.stated ?? stated;
      } else if (line.startsWith('***')) {
        if (codexMarker(line)?.kind !== 'end-of-file') break;
        finish(true);
      } else if (isBodyLine(line)) {
        patchLine ??= this.#lineNumber();
        for (; bareEmpty > 0; bareEmpty--) body.add(' ');
        body.add(line);
      } else if (isBareEmpty(line)) {
        // Context only if the hunk goes on after it; otherwise it separates sections.
        bareEmpty++;
      } else if (isNoNewlineMark(line)) {
        body.markNoNewline();
      } else {
        throw this.#unexpected(line, undefined);
      }
    }
    finish(false);
    return hunks;
  }

  #unexpected(line: string, after: PatchFile | undefined): Error {
    const shown = quoteLine(line);
    if (after?.operation === 'add') {
      return invalidPatch(
        this.#lineNumber(),
        `${shown} is no line of the new file ${quoteLine(after.path)}.`,
        'Begin every line of a new file with "+", empty lines too.',
      );
    }
    if (line.startsWith('***') || isBodyLine(line) || hunkHeader(line) !== undefined) {
      return invalidPatch(
        this.#lineNumber(),
        `${shown} does not belong to any file.`,
        'Begin each file with "*** Add File: name", "*** Update File: name" or "*** Delete File: name".',
      );
    }
    return invalidPatch(
      this.#lineNumber(),
      `${shown} begins neither with "+", "-", a space nor "@@".`,
      'Begin each line of context with one space before the text of the file.',
    );
  }
}
