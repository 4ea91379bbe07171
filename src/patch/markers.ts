import type { StatedPlace } from './model.ts';

/** A line of the Codex grammar that begins with `***`. */
export interface CodexMarker {
  readonly kind: 'begin' | 'end' | 'add' | 'delete' | 'update' | 'move' | 'end-of-file';
  /** The file name of add, delete, update and move; empty otherwise. */
  readonly name: string;
}

const CODEX_MARKER =
  /^\*{3,}\s*(?:(begin patch|end patch|end of file)\b[\s*:.!-]*|(add file|delete file|update file|move to)\s*:(.*))$/is;
const KINDS: Readonly<Record<string, CodexMarker['kind']>> = {
  'begin patch': 'begin',
  'end patch': 'end',
  'end of file': 'end-of-file',
  'add file': 'add',
  'delete file': 'delete',
  'update file': 'update',
  'move to': 'move',
};

/** Reads a marker, padded (`  *** End Patch `) or decorated (`*** Begin Patch ***`); undefined for any other line. */
export function codexMarker(line: string): CodexMarker | undefined {
  if (!line.includes('***')) return undefined;
  const match = CODEX_MARKER.exec(line.trim());
  if (match === null) return undefined;
  const kind = KINDS[(match[1] ?? match[2] ?? '').toLowerCase()];
  if (kind === undefined) return undefined;
  const name = (match[3] ?? '').trim().replace(/\s+\*{3,}$/, '');
  return { kind, name };
}

/** What a line that begins with `@@` says. */
export interface HunkHeader {
  readonly stated: StatedPlace | undefined;
  /** Text of a Codex context header; empty for a bare `@@`, and for what git writes after the numbers. */
  readonly context: string;
}

const NUMBERS = /^@@+\s*-(\d{1,15})(?:,(\d{1,15}))?\s+\+(\d{1,15})(?:,(\d{1,15}))?(?:\s*@@+.*)?$/s;

/** Reads `@@`, `@@ context`, `@@ -1,3 +1,4 @@ section`, `@@ … @@`; undefined for any other line. */
export function hunkHeader(line: string): HunkHeader | undefined {
  if (!line.startsWith('@@')) return undefined;
  const trimmed = line.trimEnd();
  const numbers = NUMBERS.exec(trimmed);
  if (numbers !== null) {
    const [, oldStart, oldCount = '1', newStart, newCount = '1'] = numbers;
    return {
      stated: {
        oldStart: Number(oldStart),
        oldCount: Number(oldCount),
        newStart: Number(newStart),
        newCount: Number(newCount),
      },
      context: '',
    };
  }
  // `@@class A` is no header of either grammar, but nothing else either.
  const context = trimmed.replace(/^@@+ ?/, '').replace(/\s*@@+$/, '');
  return { stated: undefined, context: /^\s*(\.{3}|…)?\s*$/.test(context) ? '' : context };
}

const EXTENDED_HEADER =
  /^(?:(old|new|new file|deleted file) mode [0-7]{6}|(?:dis)?similarity index \d+%|(rename|copy) (from|to) .+|index [0-9a-f]{4,64}\.\.[0-9a-f]{4,64}(?: [0-7]{6})?)\s*$/s;

/** A line of git's extended header (modes, renames, copies, index). */
export function isExtendedHeader(line: string): boolean {
  return EXTENDED_HEADER.test(line);
}

/** `--- name` directly followed by `+++ name`. */
export function isNamePair(lines: readonly string[], at: number): boolean {
  return /^--- \S/.test(lines[at] ?? '') && /^\+\+\+ \S/.test(lines[at + 1] ?? '');
}

/** Whether a unified diff begins at this line, as seen from prose. */
export function startsUnified(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? '';
  if (line.startsWith('diff --git ') || isNamePair(lines, at)) return true;
  if (line.startsWith('@@ -') && hunkHeader(line)?.stated !== undefined) return true;
  return isExtendedHeader(line) && !line.startsWith('index ');
}
