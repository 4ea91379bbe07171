import { z } from 'zod';
import { CodedError } from '../runtime/errors.ts';
import { changeFile, type EolStyle, eolStyle, writeTextFile } from '../workspace/index.ts';
import { CHANGES, defineTool } from './define.ts';
import { changeOptions, count, fileToWrite, recordFields, recordShape } from './files-call.ts';

const OVERWRITES = { ...CHANGES, idempotentHint: true };
const expectedSha256 = z.string().optional().describe('Refuse unless the file has this SHA-256');

const writeFile = defineTool({
  name: 'write_file',
  description:
    'Create a text file or replace all of it; folders are created, the mode is kept. To change parts of a file use edit_file.',
  input: z.object({ path: z.string(), content: z.string(), expected_sha256: expectedSha256 }),
  output: () =>
    z.object({
      path: z.string(),
      created: z.boolean(),
      changed: z.boolean(),
      size_bytes: z.number(),
      sha256: z.string(),
      encoding: z.string(),
      ...recordShape(),
    }),
  annotations: OVERWRITES,
  rewindable: true,
  slim: true,
  async handler({ path, content, expected_sha256 }, context) {
    const file = await fileToWrite(context.services.workspace, path);
    const options = { ...changeOptions(context, 'write_file'), expectedSha256: expected_sha256 };
    const written = await writeTextFile(file, content, options);
    const { encoding, replaced } = written.outcome;
    const notes = [
      replaced && replaced.encoding !== encoding
        ? ` Its encoding was ${replaced.encoding}, now ${encoding}.`
        : '',
      replaced ? endingsNote(eolStyle(replaced.text), eolStyle(content)) : '',
    ];
    return {
      summary: `${verb(written)} ${file.shown} (${count(written.sizeBytes, 'byte')}).${notes.join('')}`,
      data: {
        path: file.shown,
        created: written.created,
        changed: written.changed,
        size_bytes: written.sizeBytes,
        sha256: written.sha256,
        encoding,
        ...recordFields(options, written.checkpointId),
      },
    };
  },
});

const writeFileBase64 = defineTool({
  name: 'write_file_base64',
  description:
    'Create a binary file or replace all of it, content given as base64; folders are created. For text use write_file.',
  input: z.object({ path: z.string(), content: z.string(), expected_sha256: expectedSha256 }),
  output: () =>
    z.object({
      path: z.string(),
      created: z.boolean(),
      changed: z.boolean(),
      size_bytes: z.number(),
      sha256: z.string(),
      ...recordShape(),
    }),
  annotations: OVERWRITES,
  rewindable: true,
  async handler({ path, content, expected_sha256 }, context) {
    const bytes = strictBase64(content);
    const file = await fileToWrite(context.services.workspace, path);
    const options = { ...changeOptions(context, 'write_file_base64'), expectedSha256: expected_sha256 };
    const written = await changeFile(file, options, async () => ({ bytes, outcome: undefined }));
    return {
      summary: `${verb(written)} ${file.shown} (${count(written.sizeBytes, 'byte')}).`,
      data: {
        path: file.shown,
        created: written.created,
        changed: written.changed,
        size_bytes: written.sizeBytes,
        sha256: written.sha256,
        ...recordFields(options, written.checkpointId),
      },
    };
  },
});

function verb(written: { readonly created: boolean; readonly changed: boolean }): string {
  if (written.created) return 'Created';
  return written.changed ? 'Replaced' : 'Nothing to do, the content is already that of';
}

function endingsNote(before: EolStyle, after: EolStyle): string {
  if (before === after || before === 'none' || after === 'none') return '';
  return ` Its line ends were ${before}, now ${after}.`;
}

/** Buffer.from drops what it does not understand; a damaged file must not be written. */
function strictBase64(content: string): Buffer {
  const compact = content.replace(/[\r\n]/g, '');
  const bytes = Buffer.from(compact, 'base64');
  const padded = bytes.toString('base64');
  if (compact === padded || compact === padded.replace(/=+$/, '')) return bytes;
  throw new CodedError(
    'INVALID_PARAMS',
    'content is not base64. Nothing was written.',
    'Use the standard alphabet (A–Z a–z 0–9 + /) with = padding; for text use write_file.',
  );
}

export const writeTools = [writeFile, writeFileBase64] as const;
