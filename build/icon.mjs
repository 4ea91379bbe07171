/** The product's icon, drawn: a prompt on a dark tile. */
import { promisify } from 'node:util';
import { crc32, deflate } from 'node:zlib';

const TILE = [0x1f, 0x29, 0x37];
const INK = [0x6e, 0xe7, 0xb7];
/** In parts of the edge: the prompt's two strokes and the line that one types on, as segments from point to point. */
const STROKES = [
  [0.26, 0.34, 0.44, 0.5],
  [0.44, 0.5, 0.26, 0.66],
  [0.52, 0.68, 0.74, 0.68],
];
const STROKE_WIDTH = 0.085;
const CORNER = 0.2;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const RGBA = 6;

/**
 * @param {number} size pixels on each side
 * @returns {Promise<Buffer>} PNG; the same bytes for the same size
 */
export async function iconPng(size) {
  const rows = Buffer.alloc(size * (1 + 4 * size)); // each row begins with its filter, 0 for none
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++)
      pixel(rows, y * (1 + 4 * size) + 1 + 4 * x, [(x + 0.5) / size, (y + 0.5) / size], size);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header[8] = 8; // bits of a channel
  header[9] = RGBA;
  const pixels = await promisify(deflate)(rows, { level: 9 });
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/**
 * Writes one pixel: red, green, blue, alpha.
 *
 * @param {Buffer} rows
 * @param {number} offset
 * @param {[number, number]} point  of its middle, in parts of the edge
 * @param {number} size  pixels on each side
 */
export function pixel(rows, offset, [x, y], size) {
  const tile = coverage(distanceToTile(x, y), size);
  const ink = coverage(Math.min(...STROKES.map((stroke) => distanceToStroke(x, y, stroke))), size);
  for (let i = 0; i < 3; i++) rows[offset + i] = Math.round(TILE[i] + (INK[i] - TILE[i]) * ink);
  rows[offset + 3] = Math.round(255 * tile);
}

/** How much of a pixel lies inside of a shape whose edge is that far away (negative: inside). */
function coverage(distance, size) {
  return Math.min(1, Math.max(0, 0.5 - distance * size));
}

function distanceToTile(x, y) {
  const [outX, outY] = [x, y].map((value) => Math.abs(value - 0.5) - (0.5 - CORNER));
  return Math.hypot(Math.max(outX, 0), Math.max(outY, 0)) + Math.min(Math.max(outX, outY), 0) - CORNER;
}

function distanceToStroke(x, y, [fromX, fromY, toX, toY]) {
  const [alongX, alongY] = [toX - fromX, toY - fromY];
  const along = ((x - fromX) * alongX + (y - fromY) * alongY) / (alongX ** 2 + alongY ** 2);
  const part = Math.min(1, Math.max(0, along));
  return Math.hypot(x - fromX - part * alongX, y - fromY - part * alongY) - STROKE_WIDTH / 2;
}

function chunk(type, data) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
