import { z } from 'zod';
import { findSymbol, outline } from '../context/index.ts';
import { defineTool, READS } from './define.ts';
import { count, inSentence } from './files-call.ts';

/** Outlining many files ends after this time with what there is. */
const BUDGET_MS = 15_000;

const outlineTool = defineTool({
  name: 'outline',
  description:
    'Outline of a source file: its symbols (classes, functions, methods, constants) as lines "first-last kind name", nested; of a folder: the top-level symbols of each file. To find one by name use find_symbol.',
  input: z.object({
    path: z.string().describe('File or folder'),
    offset: z.int().min(0).default(0).describe('Entries to skip, from data.next'),
  }),
  output: () =>
    z.object({
      path: z.string(),
      language: z.string().optional(),
      symbols: z.number(),
      files: z.number(),
      total: z.number().describe('Lines of a file, files of a folder'),
      files_with_errors: z.array(z.string()).describe('Not parsed completely'),
      skipped: z.array(z.string()),
      truncated: z.boolean(),
      next: z.string().optional(),
      outline: z.string(),
    }),
  annotations: READS,
  bulk: ['outline'],
  async handler({ path, offset }, { services, signal }) {
    const { workspace, search } = services;
    const deadlineMs = performance.now() + BUDGET_MS;
    const found = await outline({ path, offset }, { workspace, search, signal, deadlineMs });
    const next =
      found.nextOffset === undefined
        ? undefined
        : `outline ${JSON.stringify({ path: found.path, offset: found.nextOffset })}`;
    const errors = found.filesWithErrors.length > 0 ? '; something did not parse and may be missing' : '';
    const what = found.isFolder
      ? `${found.files} of ${found.total} source files in ${inSentence(found.path)}`
      : found.path;
    return {
      summary: `${count(found.symbols, 'symbol')} in ${what}${errors}${next === undefined ? '' : `; go on with ${next}`}.`,
      data: {
        path: found.path,
        ...(found.language !== undefined && { language: found.language }),
        symbols: found.symbols,
        files: found.files,
        total: found.total,
        files_with_errors: [...found.filesWithErrors],
        skipped: [...found.skipped],
        truncated: next !== undefined,
        ...(next !== undefined && { next }),
        outline: found.text,
      },
    };
  },
});

const findSymbolTool = defineTool({
  name: 'find_symbol',
  description:
    'Find where a function, class, method, type or constant is defined (go to definition), by name or Type.member. For uses and other text use grep.',
  input: z.object({
    name: z.string(),
    path: z.string().optional().describe('File or folder, default: all roots'),
  }),
  output: () =>
    z.object({
      definitions: z.array(
        z.object({
          path: z.string(),
          kind: z.string(),
          name: z.string(),
          start_line: z.number(),
          end_line: z.number(),
          text: z.string(),
        }),
      ),
      files_with_name: z.number(),
      files_checked: z.number(),
      skipped: z.array(z.string()),
      truncated: z.boolean(),
    }),
  annotations: READS,
  bulk: [],
  async handler({ name, path }, { services, signal }) {
    const { workspace, search } = services;
    const deadlineMs = performance.now() + BUDGET_MS;
    const found = await findSymbol({ name, path }, { workspace, search, signal, deadlineMs });
    const unchecked = found.candidates - found.checked;
    const rest = found.moreSymbols || unchecked > 0 ? '; give a path to narrow it down, there is more' : '';
    return {
      summary: `${summaryOf(name, found.symbols.length, found.candidates)}${rest}.`,
      data: {
        definitions: found.symbols.map(({ startLine, endLine, ...symbol }) => ({
          ...symbol,
          start_line: startLine,
          end_line: endLine,
        })),
        files_with_name: found.candidates,
        files_checked: found.checked,
        skipped: [...found.skipped],
        truncated: rest !== '',
      },
    };
  },
});

function summaryOf(name: string, definitions: number, files: number): string {
  if (definitions > 0) return `${definitions} definition${definitions === 1 ? '' : 's'} of ${name}`;
  return files === 0
    ? `No source file contains the word ${name}; check the spelling, or use grep with case_insensitive`
    : `No definition of ${name}, although ${files} source files contain the word; use grep to see them`;
}

export const outlineTools = [outlineTool, findSymbolTool];
