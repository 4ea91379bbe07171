import { constants, createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { Handler } from 'hono';
import type { FileOffers } from '../transfer/index.ts';
import { openInside, type Workspace } from '../workspace/index.ts';

/** GET /files/TOKEN/NAME: a file that send_file offered, once. Always a download, never shown as a page of ours. */
export function offeredFile(offers: FileOffers, workspace: Workspace): Handler {
  return async (context) => {
    const offer = offers.take(context.req.param('token') ?? '');
    if (offer === undefined) {
      return context.json(
        { error: 'This file is no longer on offer: an address works once and for ten minutes.' },
        404,
      );
    }
    // What may be read can have changed since the offer was made.
    const path = await workspace.forReading(offer.path).catch(() => undefined);
    const handle =
      path === undefined
        ? undefined
        : await openInside(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(() => undefined);
    const stats = await handle?.stat();
    if (handle === undefined || !stats?.isFile()) {
      await handle?.close();
      return context.json({ error: 'The offered file is gone.' }, 404);
    }
    const stream = createReadStream('', { fd: handle, autoClose: true });
    const name = encodeURIComponent(basename(offer.path)).replace(
      /['()*]/g,
      (c) => `%${c.charCodeAt(0).toString(16)}`,
    );
    return new Response(Readable.toWeb(stream) as ReadableStream, {
      headers: {
        'content-type': offer.mimeType,
        'content-length': String(stats.size),
        'content-disposition': `attachment; filename*=UTF-8''${name}`,
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      },
    });
  };
}
