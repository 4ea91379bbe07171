import { z } from 'zod';
import { CodedError } from '../runtime/errors.ts';
import { decodeText, readBytes } from '../workspace/index.ts';
import { defineTool, READS } from './define.ts';
import { fileToRead } from './files-call.ts';

const DEFAULT_MAX_BYTES = 5 * 1024 * 1024;
/** An SVG is sent as text and obeys the bound of text. */
const MAX_SVG_BYTES = 248 * 1024;

export const viewImage = defineTool({
  name: 'view_image',
  description: 'Look at an image file: png, jpeg, gif or webp as a picture, svg as its text.',
  input: z.object({
    path: z.string(),
    max_bytes: z.number().int().min(1).default(DEFAULT_MAX_BYTES),
  }),
  output: () =>
    z.object({
      path: z.string(),
      mime_type: z.string(),
      size_bytes: z.number(),
      sha256: z.string().optional(),
      text: z.string().optional(),
    }),
  annotations: READS,
  bulk: ['text'],
  slim: true,
  async handler({ path, max_bytes: maxBytes }, { services }) {
    const file = await fileToRead(services.workspace, path);
    const { bytes, sizeBytes, sha256 } = await readBytes(file, 0, maxBytes);
    const mimeType = imageType(bytes);
    if (!mimeType) {
      throw new CodedError(
        'UNSUPPORTED_FILE',
        `"${file.shown}" is no png, jpeg, gif, webp or svg image.`,
        'Use read_text_file for text and read_file_base64 for other files.',
      );
    }
    const isSvg = mimeType === 'image/svg+xml';
    const bound = isSvg ? Math.min(maxBytes, MAX_SVG_BYTES) : maxBytes;
    if (sizeBytes > bound) {
      throw new CodedError(
        'TOO_LARGE',
        `"${file.shown}" has ${sizeBytes} bytes; at most ${bound} are sent.`,
        isSvg
          ? 'Use read_text_file, which can read it in parts.'
          : 'Set max_bytes higher, or make a smaller copy of the image with run_command.',
        { size_bytes: sizeBytes },
      );
    }
    return {
      summary: `${file.shown}: ${mimeType}, ${sizeBytes} bytes.`,
      data: {
        path: file.shown,
        mime_type: mimeType,
        size_bytes: sizeBytes,
        sha256,
        text: isSvg ? decodeText(bytes)?.text : undefined,
      },
      images: isSvg ? [] : [{ data: bytes.toString('base64'), mimeType }],
    };
  },
});

/** By content, not by name: a wrong type makes clients refuse the whole answer. */
function imageType(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, 12);
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'image/gif';
  if (head.startsWith('RIFF') && head.slice(8) === 'WEBP') return 'image/webp';
  const start = decodeText(bytes.subarray(0, 4096))?.text ?? '';
  return /^\s*(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/i.test(start)
    ? 'image/svg+xml'
    : undefined;
}
