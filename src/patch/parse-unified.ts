import { invalidPatch } from './invalid-patch.ts';
import { hunkHeader, isExtendedHeader, isNamePair } from './markers.ts';
import type { Hunk, PatchFile } from './model.ts';
import { readUnifiedBody } from './unified-body.ts';
import { finishSection, UnifiedSection } from './unified-section.ts';
import type { UnwrappedPatch } from './unwrap.ts';

/**
 * Reads unified diffs: git's, plain ones, mails and logs with several of them.
 * @throws {CodedError} INVALID_PATCH with the line that cannot be read and what to send instead
 */
export function parseUnified(patch: UnwrappedPatch): PatchFile[] {
  return new UnifiedParser(patch).parse();
}

class UnifiedParser {
  readonly #patch: UnwrappedPatch;
  readonly #lines: readonly string[];
  readonly #files: PatchFile[] = [];
  #section: UnifiedSection | undefined;
  #stage = 0;
  #at = 0;

  constructor(patch: UnwrappedPatch) {
    this.#patch = patch;
    this.#lines = patch.lines;
  }

  parse(): PatchFile[] {
    while (this.#at < this.#lines.length) this.#step(this.#lines[this.#at] ?? '');
    this.#finish();
    return this.#files;
  }

  #lineNumber(): number {
    return this.#patch.lineNumbers[this.#at] ?? 0;
  }

  #step(line: string): void {
    if (line.startsWith('diff --git ')) {
      this.#open().readGitHeader(line, this.#lineNumber());
      this.#at++;
    } else if (isExtendedHeader(line)) {
      // Without "diff --git" the first extended header after a hunk belongs to the next file.
      const open = this.#section;
      const section = open === undefined || open.hasNames || open.hunks.length > 0 ? this.#open() : open;
      section.readExtendedHeader(line, this.#lineNumber());
      this.#at++;
    } else if (isNamePair(this.#lines, this.#at)) {
      const open = this.#section;
      const section = open === undefined || open.hasNames || open.hunks.length > 0 ? this.#open() : open;
      section.readNames(line, this.#lines[this.#at + 1] ?? '', this.#lineNumber());
      this.#at += 2;
    } else if (hunkHeader(line) !== undefined) {
      this.#hunk();
    } else {
      this.#between(line);
      this.#at++;
    }
  }

  #open(): UnifiedSection {
    this.#finish();
    this.#section = new UnifiedSection(this.#lineNumber(), this.#stage);
    return this.#section;
  }

  #finish(): void {
    const section = this.#section;
    this.#section = undefined;
    if (section === undefined) return;
    const file = finishSection(section, this.#patch.baseFolder);
    if (file !== undefined) this.#files.push(file);
  }

  #hunk(): void {
    const section = this.#section ?? this.#open();
    const patchLine = this.#lineNumber();
    const headers: string[] = [];
    let stated: Hunk['stated'];
    for (;;) {
      const line = this.#lines[this.#at] ?? '';
      const header = hunkHeader(line);
      if (header === undefined) break;
      if (line.startsWith('@@@')) {
        throw invalidPatch(
          this.#lineNumber(),
          'this is a combined diff of a merge, which cannot be applied.',
          'Make the diff against one parent (git diff parent commit).',
        );
      }
      if (stated !== undefined) break;
      if (header.context !== '') headers.push(header.context);
      stated = header.stated;
      this.#at++;
    }
    const body = readUnifiedBody(this.#lines, this.#at, stated, this.#patch.lineNumbers);
    this.#at = body.end;
    if (body.lines.length === 0) {
      if (stated === undefined) return;
      throw invalidPatch(patchLine, 'the hunk has no lines.', 'Send the whole hunk, or leave it out.');
    }
    section.hunks.push({ patchLine, headers, stated, lines: body.lines, endOfFile: false });
  }

  /** Text between hunks: what git and mail programs write there is skipped, half a file name is not. */
  #between(line: string): void {
    if (/^(From [0-9a-f]{7,64} |commit [0-9a-f]{7,64}\b)/.test(line)) {
      this.#finish();
      this.#stage++;
    } else if (/^Binary files .* differ\s*$/s.test(line) || line.startsWith('GIT binary patch')) {
      if (this.#section !== undefined) this.#section.binary = true;
    } else if (/^(---|\+\+\+) \S/.test(line) && /^(@@|\+\+\+ )/.test(this.#lines[this.#at + 1] ?? '')) {
      throw invalidPatch(
        this.#lineNumber(),
        'a file needs both of its lines, "--- a/file" and "+++ b/file"; one of them is missing.',
        'Send both lines, the first directly before the second.',
      );
    } else if (/^diff --(cc|combined) /.test(line)) {
      throw invalidPatch(
        this.#lineNumber(),
        'this is a combined diff of a merge, which cannot be applied.',
        'Make the diff against one parent (git diff parent commit).',
      );
    } else if (/^(diff |Index: )/.test(line)) {
      this.#finish();
    }
  }
}
