/** Reads the QR code of a page as a phone would: from the picture, by another program than the one that drew it. */
import type { Locator } from 'playwright-core';
import decodeQR from 'qr/decode.js';

/** Optional tries of the decoder may take this long; a busy machine needs more than the frame of a camera. */
const LIMIT_MS = 2_000;

/**
 * What the QR code says that is seen in an element, whatever else is seen there.
 *
 * @throws when there is none to be read
 */
export async function scanned(element: Locator): Promise<string> {
  // What the page says in passing may lie over it.
  await element.page().locator('#toast.on').waitFor({ state: 'detached' });
  const png = await element.screenshot();
  // A page without a policy turns the file into pixels.
  const page = await element.page().context().newPage();
  try {
    const { width, height, data } = await page.evaluate<{ width: number; height: number; data: string }>(`
      (async () => {
        const image = new Image();
        image.src = 'data:image/png;base64,${png.toString('base64')}';
        await image.decode();
        const { width, height } = image;
        const context = new OffscreenCanvas(width, height).getContext('2d');
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, width, height);
        let text = '';
        for (let at = 0; at < data.length; at += 4096) text += String.fromCharCode(...data.subarray(at, at + 4096));
        return { width, height, data: btoa(text) };
      })()`);
    return decodeQR({ width, height, data: Buffer.from(data, 'base64') }, { timeLimit: LIMIT_MS });
  } finally {
    await page.close();
  }
}
