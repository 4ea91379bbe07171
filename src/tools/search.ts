import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { CodedError } from '../runtime/errors.ts';
import { anchorGlob, type FoundFile, type TextRequest, type TextResult } from '../search/index.ts';
import { fileError, notADirectory, type Workspace } from '../workspace/index.ts';
import { defineTool, READS, type ToolContext } from './define.ts';

/** Room for the envelope is left below the bound of one result, 256 KiB. */
const MAX_BULK_BYTES = 240 * 1024;
const MAX_SEARCH_MS = 30_000;
/** Between the end of a search and the answer. */
const ANSWER_MS = 1500;

const glob = defineTool({
  name: 'glob',
  description:
    'Lists files that match a glob such as src/**/*.{ts,tsx}, newest first; without a / it matches at any depth. Leaves out what .gitignore excludes, and hidden files unless the pattern names them. For file contents use grep.',
  input: z.object({
    pattern: z.string(),
    path: z.string().optional(),
    max_results: z.int().min(1).max(5000).default(100),
    offset: z.int().min(0).optional(),
    include_ignored: z.boolean().optional(),
  }),
  output: () =>
    z.object({
      count: z.number(),
      total: z.number().describe('All that match'),
      truncated: z.boolean(),
      next: z.string().optional().describe('The call that continues'),
      notes: z.array(z.string()).optional(),
      paths: z.string().describe('One per line'),
    }),
  annotations: READS,
  bulk: ['paths'],
  slim: true,
  async handler(input, context) {
    const { workspace, search } = context.services;
    const start = await workspace.forReading(input.path ?? '.');
    const { folder, pattern } = anchorGlob(start, input.pattern, (path) => workspace.resolve(path));
    if (folder !== start) await workspace.forReading(folder);
    await folderAt(workspace, folder);
    const found = await search.glob({
      folder,
      pattern,
      includeIgnored: input.include_ignored,
      offset: input.offset,
      maxResults: input.max_results,
      timeoutMs: timeLeft(context),
      signal: context.signal,
    });
    const shown = cutToBytes(found.paths.map(namesUnder(workspace, folder)));
    const end = (input.offset ?? 0) + shown.length;
    const isCut = end < found.total && shown.length > 0;
    return {
      summary: globSummary(input.pattern, shown.length, found, input.offset),
      data: {
        count: shown.length,
        total: found.total,
        truncated: isCut || found.timedOut,
        ...(isCut && { next: call('glob', { ...input, offset: end }) }),
        ...notes(found),
        paths: shown.join('\n'),
      },
    };
  },
});

function globSummary(
  pattern: string,
  count: number,
  found: { total: number; ignoredMatch: boolean; timedOut: boolean },
  offset = 0,
): string {
  if (found.ignoredMatch) {
    return `No file matches "${clip(pattern)}", but ignored ones do: set include_ignored: true to list them.`;
  }
  if (found.timedOut)
    return `${plural(found.total, 'matching file')} found before the time was up; ${UNFINISHED}.`;
  if (found.total === 0) {
    // Folders such as app/[id] are common, and a pattern that names one finds another thing.
    const escaped = pattern.replace(/(?<!\\)[[\]]/g, '\\$&');
    const asItIs =
      escaped === pattern
        ? ''
        : ` [ ] stand for one of the characters in them; as they are: "${clip(escaped)}".`;
    return `No file matches "${clip(pattern)}".${asItIs}`;
  }
  if (count === found.total) return `${plural(count, 'file')}, newest first.`;
  const range = offset > 0 ? `Files ${offset + 1} to ${offset + count}` : `The newest ${count}`;
  return count === 0
    ? `There are only ${found.total} matching files.`
    : `${range} of ${found.total} matching files.`;
}

const grep = defineTool({
  name: 'grep',
  description:
    'Searches file contents with a ripgrep regular expression; skips ignored, hidden and binary files unless path is such a file (or glob names hidden ones). Results are grouped by file, "12:match", "13-context". For file names use glob.',
  input: z.object({
    pattern: z.string(),
    path: z.string().optional().describe('File or folder'),
    glob: z.string().optional().describe('Only these files, or !*.test.ts'),
    output_mode: z.enum(['content', 'files_with_matches', 'count']).default('content'),
    case_insensitive: z.boolean().optional(),
    multiline: z.boolean().optional(),
    fixed_strings: z.boolean().optional(),
    head_limit: z.int().min(1).max(10_000).default(200),
    context_before: z.int().min(0).optional(),
    context_after: z.int().min(0).optional(),
    context_around: z.int().min(0).optional(),
    cursor: z.string().optional().describe('From data.next'),
  }),
  output: () =>
    z.object({
      count: z.number().describe('Matching lines (files) returned'),
      files: z.number(),
      total: z.number().nullable().describe('null: not known, the search stopped'),
      truncated: z.boolean(),
      next: z.string().optional().describe('The call that continues'),
      notes: z.array(z.string()).optional(),
      matches: z.string(),
    }),
  annotations: READS,
  bulk: ['matches'],
  slim: true,
  async handler(input, context) {
    const { workspace } = context.services;
    const place = await placeAt(workspace, input.path ?? '.');
    const found = await context.services.search.grep({
      ...place,
      pattern: input.pattern,
      fixedStrings: input.fixed_strings,
      caseInsensitive: input.case_insensitive,
      multiline: input.multiline,
      glob: input.glob,
      mode: MODES[input.output_mode],
      before: input.context_before ?? input.context_around,
      after: input.context_after ?? input.context_around,
      maxResults: input.head_limit,
      ...bounds(context, input.cursor),
    });
    return textAnswer('grep', input, found, {
      workspace,
      folder: place.folder,
      mode: input.output_mode,
      where: scope(input, place),
    });
  },
});
const MODES = { content: 'lines', files_with_matches: 'files', count: 'counts' } as const;

const searchFiles = defineTool({
  name: 'search_files',
  description:
    'Finds a plain text in files, grouped by file with line numbers. Skips ignored, hidden and binary files. For regular expressions and context lines use grep.',
  input: z.object({
    path: z.string().describe('File or folder'),
    pattern: z.string().describe('Text as it is'),
    glob: z.string().optional().describe('Only these files'),
    max_results: z.int().min(1).max(10_000).default(50),
    cursor: z.string().optional().describe('From data.next'),
  }),
  output: () =>
    z.object({
      count: z.number(),
      files: z.number(),
      total: z.number().nullable(),
      truncated: z.boolean(),
      next: z.string().optional(),
      notes: z.array(z.string()).optional(),
      matches: z.string(),
    }),
  annotations: READS,
  bulk: ['matches'],
  async handler(input, context) {
    const { workspace } = context.services;
    const place = await placeAt(workspace, input.path);
    const found = await context.services.search.grep({
      ...place,
      pattern: input.pattern,
      fixedStrings: true,
      glob: input.glob,
      mode: 'lines',
      maxResults: input.max_results,
      ...bounds(context, input.cursor),
    });
    return textAnswer('search_files', input, found, {
      workspace,
      folder: place.folder,
      mode: 'content',
      where: scope(input, place),
    });
  },
});

interface Presentation {
  readonly workspace: Workspace;
  readonly folder: string;
  readonly mode: keyof typeof MODES;
  readonly where: string;
}

function textAnswer(
  tool: string,
  input: { readonly pattern: string } & Record<string, unknown>,
  found: TextResult,
  { workspace, folder, mode, where }: Presentation,
) {
  const name = namesUnder(workspace, folder);
  const ofLines = mode === 'content';
  return {
    summary: textSummary(input.pattern, found, mode, where),
    data: {
      count: ofLines || mode === 'count' ? found.matches : found.files.length,
      files: found.files.length,
      total: (mode === 'files_with_matches' ? found.totalFiles : found.totalMatches) ?? null,
      truncated: found.truncated,
      ...(found.nextCursor !== undefined && { next: call(tool, { ...input, cursor: found.nextCursor }) }),
      ...notes(found),
      matches: found.files.map((file) => present(file, name(file.path), mode)).join(ofLines ? '\n\n' : '\n'),
    },
  };
}

function textSummary(pattern: string, found: TextResult, mode: Presentation['mode'], where: string): string {
  const { files, matches, nextCursor } = found;
  if (files.length === 0 && nextCursor === undefined && !found.timedOut) {
    return `No matches for "${clip(pattern)}" in ${where}.`;
  }
  if (found.timedOut) {
    const what =
      mode === 'content' ? plural(matches, 'matching line') : plural(files.length, 'matching file');
    return `${what} found before the time was up; ${UNFINISHED}.`;
  }
  if (mode !== 'content') {
    const total =
      found.totalMatches === undefined ? '' : ` with ${plural(found.totalMatches, 'matching line')}`;
    const all = `${plural(found.totalFiles ?? files.length, 'file')}${total}`;
    return files.length === found.totalFiles ? `${all}.` : `${files.length} of ${all}, in path order.`;
  }
  const shown = `${plural(matches, 'matching line')} in ${plural(files.length, 'file')}`;
  return nextCursor === undefined ? `${shown}.` : `${shown}; there are more, the search stopped here.`;
}

function present(file: FoundFile, name: string, mode: Presentation['mode']): string {
  if (mode === 'files_with_matches') return name;
  if (mode === 'count') return `${name}:${file.count}`;
  const lines = [name];
  let last = 0;
  for (const { number, text, isMatch } of file.lines) {
    if (last > 0 && number > last + 1 && file.lines.some((line) => !line.isMatch)) lines.push('--');
    lines.push(`${number}${isMatch ? ':' : '-'}${text}`);
    last = number;
  }
  if (file.isBinary) lines.push('[binary file matches: its text is not shown]');
  return lines.join('\n');
}

/** A place to search: a folder, or one file of it. */
async function placeAt(
  workspace: Workspace,
  path: string,
): Promise<Pick<TextRequest, 'folder' | 'fileName'>> {
  const absolute = await workspace.forReading(path);
  const stats = await statOf(workspace, absolute);
  if (stats.isDirectory()) return { folder: absolute };
  if (stats.isFile()) return { folder: dirname(absolute), fileName: basename(absolute) };
  throw new CodedError(
    'UNSUPPORTED_FILE',
    `"${workspace.display(absolute)}" is neither a file nor a folder.`,
    'Search a regular file or a folder.',
  );
}

async function folderAt(workspace: Workspace, absolute: string): Promise<void> {
  if (!(await statOf(workspace, absolute)).isDirectory()) {
    throw notADirectory({ path: absolute, shown: workspace.display(absolute) });
  }
}

async function statOf(workspace: Workspace, absolute: string) {
  try {
    return await stat(absolute);
  } catch (error) {
    throw await fileError(error, { path: absolute, shown: workspace.display(absolute) }, 'searched');
  }
}

/** Of a search whose time was up. */
const UNFINISHED = 'there may be more: search a smaller folder or for something simpler';

/** How paths below a folder are shown: as the workspace would, without asking it thousands of times. */
function namesUnder(workspace: Workspace, folder: string): (path: string) => string {
  const shown = workspace.display(folder);
  const prefix = shown === '.' ? '' : shown.endsWith('/') ? shown : `${shown}/`;
  return (path) => {
    const name = prefix + path;
    // One line per name, whatever is in it.
    return /[\x00-\x1f\x7f]/.test(name) || name.startsWith('"') ? JSON.stringify(name) : name;
  };
}

function cutToBytes(lines: readonly string[]): string[] {
  let bytes = 0;
  const end = lines.findIndex((line) => {
    bytes += Buffer.byteLength(line) + 1;
    return bytes > MAX_BULK_BYTES;
  });
  return end < 0 ? [...lines] : lines.slice(0, Math.max(end, 1));
}

function bounds(context: ToolContext, cursor: string | undefined) {
  return { maxBytes: MAX_BULK_BYTES, cursor, timeoutMs: timeLeft(context), signal: context.signal };
}

function timeLeft({ answerByMs }: ToolContext): number {
  return Math.max(Math.min(MAX_SEARCH_MS, answerByMs - performance.now() - ANSWER_MS), 0);
}

function notes({ timedOut, problems, problemCount }: Omit<TextResult, 'files'> | NotedResult) {
  const list: string[] = [];
  if (timedOut) {
    list.push(`The time was up before the search was through; ${UNFINISHED}.`);
  }
  if (problemCount > 0) {
    const more = problemCount > problems.length ? `; and ${problemCount - problems.length} more` : '';
    list.push(`Not searched: ${problems.map(clip).join('; ')}${more}`);
  }
  return list.length === 0 ? {} : { notes: list };
}
interface NotedResult {
  readonly timedOut: boolean;
  readonly problems: readonly string[];
  readonly problemCount: number;
}

/** Where nothing was found, and what was not looked at. */
function scope(
  { path, glob }: { path?: string | undefined; glob?: string | undefined },
  { fileName }: { fileName?: string | undefined },
): string {
  const folder = path === undefined || path === '.' ? 'the workspace' : `"${path}"`;
  if (fileName !== undefined) return folder;
  const files = glob === undefined ? folder : `the files of ${folder} that match "${clip(glob)}"`;
  return `${files} (ignored, hidden and binary files left out)`;
}

/** The exact call, defaults left out by JSON where they are undefined. */
function call(tool: string, args: Record<string, unknown>): string {
  return `${tool} ${JSON.stringify(args)}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

export const searchTools = [glob, grep, searchFiles];
