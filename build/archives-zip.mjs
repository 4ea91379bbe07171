/** A zip archive whose bytes depend on its contents alone: one fixed time, Unix modes, sorted by name. */
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

const DEFLATED = 8;
/** 2.0: what deflate needs; made on Unix (3), so that the modes in the upper half of the attributes count. */
const VERSION_NEEDED = 20;
const MADE_BY = (3 << 8) | VERSION_NEEDED;
/** The first moment that the format can say, 1980-01-01 00:00:00: as a fixed time of no meaning. */
const DOS_TIME = 0;
const DOS_DATE = (0 << 9) | (1 << 5) | 1;
const REGULAR_FILE = 0o100000;
const MAX_BYTES = 0xffff_fffe;

/**
 * @param {readonly { name: string, content: Buffer, mode: number }[]} files names relative, with `/`, in ASCII
 * @returns {Promise<Buffer>}
 * @throws {Error} for what only the larger variants of the format could hold
 */
export async function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const file of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!/^[\x21-\x7e]+$/.test(file.name)) throw new Error(`"${file.name}" is no name for a file in a zip.`);
    const name = Buffer.from(file.name, 'latin1');
    const packed = await promisify(deflateRaw)(file.content, { level: constants.Z_BEST_COMPRESSION });
    const fields = commonFields(file.content, packed, name);
    const local = Buffer.concat([signature(0x0403_4b50), fields, name, packed]);
    directory.push(directoryEntry({ fields, name, mode: file.mode, offset }));
    parts.push(local);
    offset += local.length;
    if (offset > MAX_BYTES) throw new Error('The contents are too large for a zip archive.');
  }
  const listing = Buffer.concat(directory);
  return Buffer.concat([...parts, listing, endRecord(directory.length, listing.length, offset)]);
}

/** What a file's own header and its line in the directory have in common, from the version to the lengths. */
function commonFields(content, packed, name) {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(VERSION_NEEDED, 0);
  fields.writeUInt16LE(0, 2); // flags
  fields.writeUInt16LE(DEFLATED, 4);
  fields.writeUInt16LE(DOS_TIME, 6);
  fields.writeUInt16LE(DOS_DATE, 8);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(packed.length, 14);
  fields.writeUInt32LE(content.length, 18);
  fields.writeUInt16LE(name.length, 22);
  fields.writeUInt16LE(0, 24); // no extra fields
  return fields;
}

function directoryEntry({ fields, name, mode, offset }) {
  const madeBy = Buffer.alloc(2);
  madeBy.writeUInt16LE(MADE_BY);
  const rest = Buffer.alloc(14); // no comment, first disk, no internal attributes
  rest.writeUInt32LE(((REGULAR_FILE | mode) << 16) >>> 0, 6);
  rest.writeUInt32LE(offset, 10);
  return Buffer.concat([signature(0x0201_4b50), madeBy, fields, rest, name]);
}

function endRecord(entries, directoryBytes, directoryOffset) {
  const record = Buffer.alloc(18);
  record.writeUInt16LE(entries, 4);
  record.writeUInt16LE(entries, 6);
  record.writeUInt32LE(directoryBytes, 8);
  record.writeUInt32LE(directoryOffset, 12);
  return Buffer.concat([signature(0x0605_4b50), record]);
}

function signature(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
