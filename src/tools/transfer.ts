import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { mimeTypeOf, OFFER_MS, receiveFile } from '../transfer/index.ts';
import { fileError, isADirectory, specialFile } from '../workspace/index.ts';
import { defineTool } from './define.ts';
import { changeOptions, recordFields, recordShape } from './files-call.ts';

const receiveFileTool = defineTool({
  name: 'receive_file',
  description:
    'Save a file that the user attached to the chat (upload) on this machine: downloads file.download_url to path. To write text that you have, use write_file.',
  input: z.object({
    file: z.object({
      download_url: z.string(),
      file_id: z.string().optional(),
      mime_type: z.string().optional(),
      file_name: z.string().optional(),
    }),
    path: z.string(),
    overwrite: z.boolean().default(false),
  }),
  output: () =>
    z.object({
      path: z.string(),
      size_bytes: z.number(),
      sha256: z.string(),
      replaced: z.boolean(),
      ...recordShape(),
    }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  meta: { 'openai/fileParams': ['file'] },
  async handler({ file, path, overwrite }, context) {
    const { workspace } = context.services;
    const { signal } = context;
    const { recorder } = changeOptions(context, 'receive_file');
    const absolute = await workspace.forWriting(path);
    const shown = workspace.display(absolute);
    const target = { path: absolute, shown };
    const received = await receiveFile(file.download_url, target, { signal, overwrite, recorder });
    return {
      summary: `Saved ${received.sizeBytes} bytes as ${shown}${received.replaced ? ', replacing what was there' : ''}.`,
      data: {
        path: shown,
        size_bytes: received.sizeBytes,
        sha256: received.sha256,
        replaced: received.replaced,
        ...recordFields({ recorder }, received.checkpointId),
      },
    };
  },
});

const sendFileTool = defineTool({
  name: 'send_file',
  description:
    'Offer a file of this machine to the chat as a download link that works once, for ten minutes. To read a text file yourself use read_text_file.',
  input: z.object({ path: z.string() }),
  output: () =>
    z.object({
      path: z.string(),
      size_bytes: z.number(),
      mime_type: z.string(),
      expires_in_s: z.number(),
    }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  async handler({ path }, { services }) {
    const { workspace, offers } = services;
    const absolute = await workspace.forReading(path);
    const file = { path: absolute, shown: workspace.display(absolute) };
    const stats = await stat(absolute).catch(async (error: unknown) => {
      throw await fileError(error, file, 'read');
    });
    if (stats.isDirectory()) throw isADirectory(file);
    if (!stats.isFile()) throw specialFile(file);
    const mimeType = mimeTypeOf(absolute);
    const uri = offers.add({ path: absolute, mimeType });
    return {
      summary: `${file.shown} (${stats.size} bytes) can be fetched once within ten minutes.`,
      data: { path: file.shown, size_bytes: stats.size, mime_type: mimeType, expires_in_s: OFFER_MS / 1000 },
      links: [{ uri, name: basename(absolute), mimeType }],
    };
  },
});

export const transferTools = [receiveFileTool, sendFileTool];
