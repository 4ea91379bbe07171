import { z } from 'zod';
import { CodedError } from '../runtime/errors.ts';
import { type LineSelection, type ReadLinesResult, readBytes, readLines } from '../workspace/index.ts';
import { defineTool, READS } from './define.ts';
import { count, fileToRead } from './files-call.ts';
import { viewImage } from './files-image.ts';

const lineNumber = z.number().int().min(1);

const readTextFile = defineTool({
  name: 'read_text_file',
  description:
    'Read a text file, or a range of its lines (offset and limit, head, or tail), exactly as it is, without line numbers. Any size. For images use view_image, for bytes read_file_base64.',
  input: z.object({
    path: z.string(),
    offset: lineNumber.optional().describe('First line, from 1'),
    limit: lineNumber.optional().describe('Number of lines'),
    head: lineNumber.optional().describe('First N lines'),
    tail: lineNumber.optional().describe('Last N lines'),
  }),
  output: () =>
    z.object({
      path: z.string(),
      content: z.string(),
      start_line: z.number().nullable(),
      end_line: z.number().nullable(),
      total_lines: z.number().nullable(),
      size_bytes: z.number(),
      encoding: z.string(),
      eol: z.string(),
      sha256: z.string().optional(),
      truncated: z.boolean(),
      next: z
        .object({
          path: z.string(),
          offset: z.number().optional(),
          limit: z.number().optional(),
          tail: z.number().optional(),
        })
        .optional(),
    }),
  annotations: READS,
  bulk: ['content'],
  slim: true,
  async handler({ path, ...selection }, { services, signal }) {
    const wanted = selectionOf(selection);
    const file = await fileToRead(services.workspace, path);
    const read = await readLines(file, wanted, signal);
    return {
      summary: summaryOf(file.shown, read),
      data: {
        path: file.shown,
        content: read.content,
        start_line: read.startLine,
        end_line: read.endLine,
        total_lines: read.totalLines,
        size_bytes: read.sizeBytes,
        encoding: read.encoding,
        eol: read.eol,
        sha256: read.sha256,
        truncated: read.truncated,
        next: read.next && { path: file.shown, ...read.next },
      },
    };
  },
});

interface RequestedLines {
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
  readonly head?: number | undefined;
  readonly tail?: number | undefined;
}

function selectionOf({ offset, limit, head, tail }: RequestedLines): LineSelection {
  const ways = [offset !== undefined || limit !== undefined, head !== undefined, tail !== undefined];
  if (ways.filter(Boolean).length > 1) {
    throw new CodedError(
      'INVALID_PARAMS',
      'head, tail, and offset with limit exclude each other.',
      'Use one of them: offset and limit for a range, head for the beginning, tail for the end.',
    );
  }
  if (tail !== undefined) return { tail };
  return { offset: offset ?? 1, limit: head ?? limit };
}

function summaryOf(shown: string, read: ReadLinesResult): string {
  const { startLine, endLine, totalLines } = read;
  if (totalLines === 0) return `${shown} is empty.`;
  const cut = read.truncated
    ? read.next
      ? ' The answer is cut: call again with the arguments in next.'
      : ' Very long lines are cut.'
    : '';
  if (startLine === 1 && endLine === totalLines && totalLines !== null) {
    return `${shown}: all ${count(totalLines, 'line')}.${cut}`;
  }
  const lines = startLine === null ? 'Last lines' : `Lines ${startLine}–${endLine}`;
  return `${lines} of ${shown}${totalLines === null ? '' : ` (${totalLines} in all)`}.${cut}`;
}

/** Base64 takes four bytes for three; this much fits into one answer with its envelope. */
const MAX_BYTES_PER_CALL = 184_320;

const readFileBase64 = defineTool({
  name: 'read_file_base64',
  description:
    'Read bytes of any file, binary too, as base64: length bytes from offset. For text use read_text_file, for pictures view_image.',
  input: z.object({
    path: z.string(),
    offset: z.number().int().min(0).default(0),
    length: z.number().int().min(1).default(131_072).describe(`At most ${MAX_BYTES_PER_CALL} per call`),
  }),
  output: () =>
    z.object({
      path: z.string(),
      content: z.string(),
      offset: z.number(),
      length: z.number(),
      size_bytes: z.number(),
      sha256: z.string().optional(),
      truncated: z.boolean(),
      next: z.object({ path: z.string(), offset: z.number(), length: z.number() }).optional(),
    }),
  annotations: READS,
  bulk: ['content'],
  async handler({ path, offset, length }, { services }) {
    const file = await fileToRead(services.workspace, path);
    const { bytes, sizeBytes, sha256 } = await readBytes(file, offset, Math.min(length, MAX_BYTES_PER_CALL));
    if (offset > sizeBytes) {
      throw new CodedError(
        'INVALID_PARAMS',
        `offset ${offset} is behind the end of "${file.shown}", which has ${sizeBytes} bytes.`,
        `Use an offset below ${sizeBytes}.`,
      );
    }
    const end = offset + bytes.length;
    const isCut = end < sizeBytes;
    return {
      summary: `${count(bytes.length, 'byte')} of ${file.shown} from offset ${offset}; the file has ${sizeBytes}.`,
      data: {
        path: file.shown,
        content: bytes.toString('base64'),
        offset,
        length: bytes.length,
        size_bytes: sizeBytes,
        sha256,
        truncated: isCut,
        next: isCut
          ? { path: file.shown, offset: end, length: Math.min(length, MAX_BYTES_PER_CALL) }
          : undefined,
      },
    };
  },
});

export const readTools = [readTextFile, readFileBase64, viewImage] as const;
