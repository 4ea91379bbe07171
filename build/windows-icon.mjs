import { pixel } from './icon.mjs';

/** Explorer scales the largest for larger views. */
export const ICON_SIZES = [16, 24, 32, 48, 64, 128];
const HEADER_BYTES = 40;
const BITS = 32;

/**
 * The product's icon as a resource of Windows: BITMAPINFOHEADER, pixels (BGRA, from the bottom up), mask.
 *
 * @param {number} size  pixels on each side
 * @returns {ArrayBuffer}
 */
export function windowsIcon(size) {
  const maskRowBytes = Math.ceil(size / 32) * 4;
  const pixelBytes = size * size * 4;
  // The mask stays empty: the alpha channel says what is not covered.
  const icon = Buffer.from(new ArrayBuffer(HEADER_BYTES + pixelBytes + maskRowBytes * size));
  icon.writeUInt32LE(HEADER_BYTES, 0);
  icon.writeInt32LE(size, 4);
  icon.writeInt32LE(size * 2, 8); // pixels and mask
  icon.writeUInt16LE(1, 12);
  icon.writeUInt16LE(BITS, 14);
  icon.writeUInt32LE(pixelBytes, 20);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = HEADER_BYTES + ((size - 1 - y) * size + x) * 4;
      pixel(icon, at, [(x + 0.5) / size, (y + 0.5) / size], size);
      icon.subarray(at, at + 3).reverse();
    }
  }
  return icon.buffer;
}
