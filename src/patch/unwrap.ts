import { FORMATS, invalidPatch } from './invalid-patch.ts';
import { codexMarker, startsUnified } from './markers.ts';
import type { PatchFormat } from './model.ts';

/** The lines of a patch, freed from what a chat or a shell puts around them. */
export interface UnwrappedPatch {
  readonly format: PatchFormat;
  /** Split at LF; the CR of a patch that was sent as CR LF is gone, a CR that belongs to the content is kept. */
  readonly lines: readonly string[];
  /** For each line its number (1-based) in the text as it was sent. */
  readonly lineNumbers: readonly number[];
  /** The folder of `cd folder && apply_patch <<'EOF'`, which names in the patch are relative to. */
  readonly baseFolder: string | undefined;
}

interface Segment {
  readonly format: PatchFormat;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

const FENCE = /^( {0,3})(`{3,}|~{3,})/;

/** An open code fence. */
interface Fence {
  readonly mark: string;
  /** Columns before the mark. */
  readonly indent: number;
}
const HEREDOC = /<<-?\s*(["']?)([A-Za-z_][A-Za-z0-9_]*)\1/;
const CHANGE_DIRECTORY =
  /(?:^|[;&|"'(])[ \t]*cd[ \t]+(?:"([^"]+)"|'([^']+)'|([^\s;&|"']+))[ \t]*(?:&&|;|$)/gm;

/**
 * Finds the patch in a text: prose, code fences and heredocs around it are dropped, several fenced or marked
 * patches are joined in order, a BOM and the line endings of the transport disappear.
 * @throws {CodedError} INVALID_PATCH when there is no patch, when it is cut off, or when two formats are mixed
 */
export function unwrapPatch(text: string): UnwrappedPatch {
  const lines = (text.startsWith('\uFEFF') ? text.slice(1) : text).split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.every((line) => line.trim() === ''))
    throw invalidPatch(undefined, 'The patch is empty.', FORMATS);

  const segments: Segment[] = [];
  let baseFolder: string | undefined;
  let at = 0;
  for (;;) {
    const start = findStart(lines, at);
    if (start === undefined) break;
    const wrapper = findWrapper(lines, at, start.index);
    baseFolder ??= wrapper.folder;
    const end =
      start.format === 'codex' ? endOfCodex(lines, start.index) : endOfUnified(lines, start.index, wrapper);
    refuseSectionsOutside(lines, at, start.index);
    segments.push({ format: start.format, start: start.index, end });
    at = end;
  }
  const first = segments[0];
  if (first === undefined) throw notAPatch(lines);
  refuseSectionsOutside(lines, at, lines.length);
  const other = segments.find((segment) => segment.format !== first.format);
  if (other !== undefined) {
    throw invalidPatch(
      other.start + 1,
      'a unified diff and a Codex patch are mixed in one text.',
      'Send one format per call.',
    );
  }

  const kept: string[] = [];
  const lineNumbers: number[] = [];
  for (const segment of segments) {
    const carriageReturns = lines[segment.start]?.endsWith('\r') === true;
    const indent = commonIndent(lines, segment);
    for (let i = segment.start; i < segment.end; i++) {
      const line = lines[i] ?? '';
      const text = (carriageReturns && line.endsWith('\r') ? line.slice(0, -1) : line).slice(indent);
      // In one spelling: a padded end marker could pass for a line of context.
      kept.push(segment.format === 'codex' && i === segment.end - 1 ? '*** End Patch' : text);
      lineNumbers.push(i + 1);
    }
  }
  return { format: first.format, lines: kept, lineNumbers, baseFolder };
}

function findStart(
  lines: readonly string[],
  from: number,
): { format: PatchFormat; index: number } | undefined {
  for (let i = from; i < lines.length; i++) {
    if (codexMarker(lines[i] ?? '')?.kind === 'begin') return { format: 'codex', index: i };
    if (startsUnified(lines, i)) return { format: 'unified', index: i };
  }
  return undefined;
}

/** What opens before the patch: a code fence that is still open, the heredoc of the last command line. */
function findWrapper(
  lines: readonly string[],
  from: number,
  start: number,
): { fence?: Fence; delimiter?: string; folder?: string } {
  let fence: Fence | undefined;
  let delimiter: string | undefined;
  let folder: string | undefined;
  for (let i = from; i < start; i++) {
    const line = lines[i] ?? '';
    const [, indent = '', mark] = FENCE.exec(line) ?? [];
    if (mark !== undefined) fence = fence === undefined ? { mark, indent: indent.length } : undefined;
    const heredoc = HEREDOC.exec(line);
    if (heredoc === null) continue;
    delimiter = heredoc[2];
    folder = folderOfCommand(lines, i, heredoc.index);
  }
  return { fence, delimiter, folder };
}

/** The folder that `cd` leads to in a heredoc's command line, and in the lines directly above it. */
function folderOfCommand(lines: readonly string[], at: number, end: number): string | undefined {
  let first = at;
  while (first > 0 && /^\s*cd\s/.test(lines[first - 1] ?? '')) first--;
  const above = lines.slice(first, at).map((line) => line.trimEnd());
  const command = [...above, (lines[at] ?? '').slice(0, end)].join('\n');
  let folder: string | undefined;
  for (const [, double, single, bare] of command.matchAll(CHANGE_DIRECTORY)) {
    const next = double ?? single ?? bare ?? '';
    folder = folder === undefined || /^[/~]|^[A-Za-z]:/.test(next) ? next : `${folder}/${next}`;
  }
  return folder;
}

/**
 * The line after `*** End Patch`. A marker at the left margin wins over one with spaces before it: the latter can
 * be a context line of a file that is itself about patches, so of those only the last counts.
 */
function endOfCodex(lines: readonly string[], start: number): number {
  let padded: number | undefined;
  for (let i = start + 1; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const kind = codexMarker(line)?.kind;
    const atMargin = line.startsWith('*');
    if (kind === 'end' && atMargin) return i + 1;
    if (kind === 'end') padded = i + 1;
    if (kind === 'begin' && atMargin) {
      if (padded !== undefined) return padded;
      throw invalidPatch(
        i + 1,
        '"*** Begin Patch" stands here before the "*** End Patch" of the patch above.',
        'Put all files between one "*** Begin Patch" and one "*** End Patch".',
      );
    }
  }
  if (padded !== undefined) return padded;
  throw invalidPatch(
    lines.length,
    'the patch ends without "*** End Patch", so it may be cut off.',
    'Send the whole patch again, with "*** End Patch" as its last line.',
  );
}

function endOfUnified(
  lines: readonly string[],
  start: number,
  wrapper: { fence?: Fence; delimiter?: string },
): number {
  for (let i = start; i < lines.length; i++) {
    const line = (lines[i] ?? '').trimEnd();
    // Inside a diff every line of a file has a prefix: a bare fence or delimiter is not content.
    if (wrapper.fence !== undefined && closes(line, wrapper.fence)) return i;
    if (wrapper.delimiter !== undefined && line === wrapper.delimiter) return i;
  }
  return lines.length;
}

/** A fence further to the right than the one that opened is a context line: the file itself has a fence there. */
function closes(line: string, fence: Fence): boolean {
  const [, indent = '', mark] = FENCE.exec(line) ?? [];
  return mark === line.trimStart() && mark.includes(fence.mark) && indent.length <= fence.indent;
}

/** A section outside of the markers would be dropped silently; that is never what was meant. */
function refuseSectionsOutside(lines: readonly string[], from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const line = lines[i] ?? '';
    const marker = line.startsWith('***') ? codexMarker(line) : undefined;
    if (marker === undefined || marker.kind === 'end-of-file') continue;
    throw invalidPatch(
      i + 1,
      'this stands outside of "*** Begin Patch" and "*** End Patch".',
      'Put everything between one "*** Begin Patch" and one "*** End Patch".',
    );
  }
}

/** How many columns of white space the first line has, when every other line that is not blank has them too. */
function commonIndent(lines: readonly string[], segment: Segment): number {
  const indent = /^[ \t]*/.exec(lines[segment.start] ?? '')?.[0] ?? '';
  if (indent === '') return 0;
  for (let i = segment.start; i < segment.end; i++) {
    const line = lines[i] ?? '';
    if (line.trim() !== '' && !line.startsWith(indent)) return 0;
  }
  return indent.length;
}

function notAPatch(lines: readonly string[]): Error {
  const stray = lines.findIndex((line) => codexMarker(line) !== undefined);
  if (stray >= 0) {
    return invalidPatch(
      stray + 1,
      '"*** Begin Patch" is missing before this line.',
      'Send the whole patch again, from "*** Begin Patch" to "*** End Patch".',
    );
  }
  const contextDiff = lines.findIndex((line) => /^\*{15}/.test(line));
  if (contextDiff >= 0) {
    return invalidPatch(
      contextDiff + 1,
      'this is a context diff (diff -c), which is not supported.',
      FORMATS,
    );
  }
  const combined = lines.findIndex((line) => /^@@@+ -|^diff --(cc|combined) /.test(line));
  if (combined >= 0) {
    return invalidPatch(
      combined + 1,
      'this is a combined diff of a merge, which cannot be applied.',
      FORMATS,
    );
  }
  return invalidPatch(undefined, 'There is no patch in this text.', FORMATS);
}
