import { basename } from 'node:path';
import { CodedError } from '../../runtime/errors.ts';
import { binaryFile, decodeText, type FileRef, openForReading, readFully } from '../../workspace/index.ts';
import { type GrammarName, grammarOf, LANGUAGE_NAMES } from './grammars.ts';
import { markdownHeadings } from './markdown.ts';
import { parseOutline } from './parse.ts';
import type { OutlineSymbol } from './symbols.ts';

export interface FileOutline {
  readonly language: string;
  readonly symbols: readonly OutlineSymbol[];
  /** The text did not parse: what could be recognised is there, something may be missing. */
  readonly hasErrors: boolean;
  /** The text that the lines are of. */
  readonly text: string;
}

/** Larger sources are generated ones; the tree of one takes some twenty times its size in memory. */
export const MAX_SOURCE_BYTES = 2 * 1024 * 1024;

/** Whether a file with this name can be outlined. */
export function hasOutline(path: string): boolean {
  const name = basename(path);
  return grammarOf(name) !== undefined || isMarkdown(name);
}

/**
 * The symbols of one file.
 *
 * @throws {CodedError} UNSUPPORTED_FILE, TOO_LARGE, BINARY_FILE, TIMEOUT, FILE_NOT_FOUND, …
 */
export async function outlineFile(file: FileRef, signal: AbortSignal): Promise<FileOutline> {
  const name = basename(file.path);
  const grammar = grammarOf(name) ?? (isMarkdown(name) ? undefined : await grammarOfScript(file));
  const text = await readSource(file);
  if (grammar === undefined) {
    return { language: 'Markdown', symbols: markdownHeadings(text), hasErrors: false, text };
  }
  const { symbols, hasErrors } = await parseOutline(text, grammar, signal);
  return { language: LANGUAGE_NAMES[grammar], symbols, hasErrors, text };
}

function isMarkdown(name: string): boolean {
  return /\.(md|mdx|mdc|markdown)$/i.test(name);
}

/** Programs without an extension say in their first line what runs them. */
const INTERPRETERS: readonly (readonly [RegExp, GrammarName])[] = [
  [/\b(ba|z|k|da)?sh\b/, 'bash'],
  [/\bpython[\d.]*\b/, 'python'],
  [/\bruby\b/, 'ruby'],
  [/\bphp\b/, 'php'],
  [/\b(deno|bun|tsx|ts-node)\b/, 'typescript'],
  [/\bnode\b/, 'javascript'],
];

async function grammarOfScript(file: FileRef): Promise<GrammarName> {
  const { handle } = await openForReading(file);
  try {
    const start = (await readFully(handle, 0, 200)).toString('latin1');
    const line = start.startsWith('#!') ? start.split('\n', 1)[0]! : '';
    const found = INTERPRETERS.find(([pattern]) => pattern.test(line))?.[1];
    if (found !== undefined) return found;
  } finally {
    await handle.close();
  }
  throw new CodedError(
    'UNSUPPORTED_FILE',
    `"${file.shown}" is in a language that has no outline here.`,
    `Use grep or read_text_file. Outlined are ${[...new Set(Object.values(LANGUAGE_NAMES))].join(', ')} and Markdown.`,
  );
}

async function readSource(file: FileRef): Promise<string> {
  const { handle, sizeBytes } = await openForReading(file);
  try {
    // One byte more than allowed: the file may have grown since.
    const bytes = sizeBytes > MAX_SOURCE_BYTES ? undefined : await readFully(handle, 0, MAX_SOURCE_BYTES + 1);
    if (bytes === undefined || bytes.length > MAX_SOURCE_BYTES) throw tooLarge(file, sizeBytes);
    const decoded = decodeText(bytes);
    if (!decoded) throw binaryFile(file);
    return decoded.text;
  } finally {
    await handle.close();
  }
}

function tooLarge(file: FileRef, sizeBytes: number): CodedError {
  return new CodedError(
    'TOO_LARGE',
    `"${file.shown}" has ${sizeBytes} bytes; files above ${MAX_SOURCE_BYTES / 1024 / 1024} MiB are not outlined.`,
    'Use grep for the definitions in it, and read_text_file with offset for their text.',
  );
}
