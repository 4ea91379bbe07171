import { join } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import {
  binaryFile,
  type ChangeOptions,
  changeFile,
  decodeText,
  dominantEol,
  encodeText,
  tooLargeToEdit,
  type Workspace,
} from '../workspace/index.ts';
import { linesOutsideOfFences } from './markdown-lines.ts';
import { MEMORY_HEADING, memoryEnd, memoryStart } from './memory-section.ts';

export interface Remembered {
  /** As results show it. */
  readonly path: string;
  /** False when the same note was there already; nothing was written then. */
  readonly added: boolean;
  /** 1-based line of the note. */
  readonly line: number;
  readonly created: boolean;
  readonly checkpointId: string | undefined;
}

const MAX_NOTE_BYTES = 16 * 1024;

/**
 * Appends a note to the `## Memory` section of AGENTS.md in the first root; file and section are made where they are
 * missing, everything else in the file stays as it is byte for byte.
 *
 * @throws {CodedError} INVALID_PARAMS for an empty or very long note or one that the file's encoding cannot hold,
 *   BINARY_FILE, and everything of the workspace's changeFile
 */
export async function remember(
  note: string,
  workspace: Workspace,
  options: Pick<ChangeOptions, 'signal' | 'recorder'>,
): Promise<Remembered> {
  const entry = entryOf(note);
  const path = await workspace.forWriting(join(workspace.defaultRoot, 'AGENTS.md'));
  const file = { path, shown: workspace.display(path) };
  const changed = await changeFile(file, options, async (before) => {
    if (before && !before.bytes) throw tooLargeToEdit(file, Number(before.stats.size));
    const old = before?.bytes ? decodeText(before.bytes) : { text: '', encoding: 'utf-8' as const };
    if (!old) throw binaryFile(file);
    const { text, at } = withEntry(old.text, entry);
    const line = text.slice(0, at).split('\n').length;
    return { bytes: encodeText(text, old.encoding), outcome: { line } };
  });
  return {
    path: file.shown,
    added: changed.changed,
    line: changed.outcome.line,
    created: changed.created,
    checkpointId: changed.checkpointId,
  };
}

/** The note as an item of a list; further lines are indented, so that they belong to it whatever they are. */
function entryOf(note: string): string {
  const text = note.replace(/\r\n?/g, '\n').trim();
  if (text === '') {
    throw new CodedError('INVALID_PARAMS', 'The note is empty.', 'Give the text that is to be remembered.');
  }
  if (Buffer.byteLength(text) > MAX_NOTE_BYTES) {
    throw new CodedError(
      'INVALID_PARAMS',
      `The note has ${Buffer.byteLength(text)} bytes; at most ${MAX_NOTE_BYTES} are kept.`,
      'Say it shorter, or write a document with write_file and remember where it is.',
    );
  }
  const lines = text.replace(/^[-*][ \t]+/, '').split('\n');
  const open = openFence(text);
  // A code block that the note leaves open would swallow everything behind it.
  if (open !== undefined) lines.push(open);
  return lines
    .map((line, index) => (index === 0 ? `- ${line}` : line.trim() === '' ? '' : `  ${line}`))
    .join('\n');
}

/** The fence of a code block that has no end. */
function openFence(text: string): string | undefined {
  const probe = '\n\nend of the note';
  const closed = [...linesOutsideOfFences(text + probe)].some((line) => line.start >= text.length + 2);
  if (closed) return undefined;
  // What closes it is its own mark; the last one in the text that is long enough.
  for (const mark of [...text.matchAll(/`{3,}|~{3,}/g)].map((match) => match[0]).reverse()) {
    if ([...linesOutsideOfFences(`${text}\n${mark}${probe}`)].some((line) => line.text === 'end of the note'))
      return mark;
  }
  return undefined;
}

/** The text with the entry in it, and where the entry begins. */
function withEntry(text: string, entry: string): { text: string; at: number } {
  const eol = dominantEol(text);
  const written = entry.replaceAll('\n', eol);
  const start = memoryStart(text);
  if (start === undefined) {
    const gap = text === '' ? '' : text.endsWith('\n') ? eol : eol + eol;
    const head = `${text}${gap}${MEMORY_HEADING}${eol}${eol}`;
    return { text: `${head}${written}${eol}`, at: head.length };
  }
  const section = text.slice(start, memoryEnd(text, start));
  const known = indexOfEntry(section, entry);
  if (known !== undefined) return { text, at: start + known };
  const end = start + section.trimEnd().length;
  const isEmpty = !section.trimEnd().includes('\n');
  const before = `${text.slice(0, end)}${eol}${isEmpty ? eol : ''}`;
  // What stands between the last note and the next heading stays; at the end of the file a line end is added.
  const after = text.slice(end);
  return { text: `${before}${written}${after === '' ? eol : after}`, at: before.length };
}

/** Where exactly this entry stands in the section, ended by another entry, an empty line or the end. */
function indexOfEntry(section: string, entry: string): number | undefined {
  const lines = section.split('\n').map((line) => line.replace(/\r$/, ''));
  const wanted = entry.split('\n');
  for (let at = 0; at + wanted.length <= lines.length; at++) {
    const next = lines.slice(at + wanted.length).find((line) => line.trim() !== '');
    const ends = next === undefined || !/^\s/.test(next);
    if (ends && wanted.every((line, index) => lines[at + index] === line)) {
      return section.split('\n').slice(0, at).join('\n').length + (at === 0 ? 0 : 1);
    }
  }
  return undefined;
}
