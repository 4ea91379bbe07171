/**
 * Drops the local symbols (the names of functions, for debuggers) and the signature from a Mach-O executable, as
 * `strip -x` does on a Mac, but on any machine. They are 15 to 25 % of Node for macOS.
 *
 * Format: Apple's <mach-o/loader.h> and <mach-o/nlist.h>. The symbols lie in the order local, defined, undefined; the
 * indirect table holds indices of them.
 */
import { readMachO, segmentOf } from './macho.mjs';

const LC_SYMTAB = 0x2;
const LC_DYSYMTAB = 0xb;
const LC_CODE_SIGNATURE = 0x1d;
const SYMBOL_BYTES = 16;
/** INDIRECT_SYMBOL_LOCAL or INDIRECT_SYMBOL_ABS: no index. */
const NO_INDEX = 0xc0000000;

/**
 * @param {Buffer} original
 * @returns {Buffer} the stripped, unsigned file
 * @throws when the file is not laid out as linkers do it, so that nothing is broken silently
 */
export function stripMachO(original) {
  const file = Buffer.from(original);
  const { segments, signature } = readMachO(file);
  const symbols = commandOf(file, LC_SYMTAB);
  const dynamic = commandOf(file, LC_DYSYMTAB);
  const linkEdit = segmentOf({ segments }, '__LINKEDIT');
  const [table, count, strings, stringBytes] = [8, 12, 16, 20].map((at) => file.readUInt32LE(symbols + at));
  const locals = file.readUInt32LE(dynamic + 12);
  const indirect = { offset: file.readUInt32LE(dynamic + 56), count: file.readUInt32LE(dynamic + 60) };
  const end = signature?.offset ?? linkEdit.fileOffset + linkEdit.fileSize;
  const relocations = file.readUInt32LE(dynamic + 68) + file.readUInt32LE(dynamic + 76);
  const inOrder =
    table + count * SYMBOL_BYTES <= indirect.offset &&
    indirect.offset + indirect.count * 4 <= strings &&
    strings + stringBytes <= end &&
    end - strings - stringBytes < 16;
  if (!inOrder || file.readUInt32LE(dynamic + 8) !== 0 || relocations !== 0) {
    throw new Error('macho-strip: the symbols of this file do not lie as expected');
  }

  const kept = Buffer.from(file.subarray(table + locals * SYMBOL_BYTES, table + count * SYMBOL_BYTES));
  const names = keepNames(kept, file.subarray(strings, strings + stringBytes));
  const indices = shiftIndices(file, indirect, locals);
  const indirectOffset = table + kept.length;
  const stringsOffset = indirectOffset + indices.length;
  const stripped = Buffer.concat([file.subarray(0, table), kept, indices, names]);

  stripped.writeUInt32LE(count - locals, symbols + 12);
  stripped.writeUInt32LE(stringsOffset, symbols + 16);
  stripped.writeUInt32LE(names.length, symbols + 20);
  stripped.writeUInt32LE(0, dynamic + 12);
  for (const first of [16, 24]) {
    stripped.writeUInt32LE(stripped.readUInt32LE(dynamic + first) - locals, dynamic + first);
  }
  stripped.writeUInt32LE(indices.length > 0 ? indirectOffset : 0, dynamic + 56);
  const size = BigInt(stripped.length - linkEdit.fileOffset);
  stripped.writeBigUInt64LE(size, linkEdit.commandOffset + 48);
  stripped.writeBigUInt64LE(((size + 0x3fffn) / 0x4000n) * 0x4000n, linkEdit.commandOffset + 32);
  return removeCommand(stripped, LC_CODE_SIGNATURE);
}

/** The strings of these symbols; sets each symbol's offset to where its string comes to lie. */
function keepNames(symbols, strings) {
  const parts = [Buffer.from(' \0')];
  let size = 2;
  for (let at = 0; at < symbols.length; at += SYMBOL_BYTES) {
    const start = symbols.readUInt32LE(at);
    const name = strings.subarray(start, strings.indexOf(0, start) + 1);
    symbols.writeUInt32LE(size, at);
    parts.push(name);
    size += name.length;
  }
  parts.push(Buffer.alloc((8 - (size % 8)) % 8));
  return Buffer.concat(parts);
}

function shiftIndices(file, { offset, count }, locals) {
  const indices = Buffer.from(file.subarray(offset, offset + count * 4));
  for (let at = 0; at < indices.length; at += 4) {
    const index = indices.readUInt32LE(at);
    if (index >= 0x40000000) {
      if ((index & NO_INDEX) === 0) throw new Error('macho-strip: an indirect symbol is out of range');
      continue;
    }
    if (index < locals) throw new Error('macho-strip: a local symbol is used indirectly');
    indices.writeUInt32LE(index - locals, at);
  }
  return indices;
}

/** The offset of the one load command of this kind. */
function commandOf(file, kind) {
  let offset = 32;
  for (let index = 0; index < file.readUInt32LE(16); index++) {
    if (file.readUInt32LE(offset) === kind) return offset;
    offset += file.readUInt32LE(offset + 4);
  }
  throw new Error(`macho-strip: there is no load command ${kind}`);
}

function removeCommand(file, kind) {
  const { signature, commandsEnd, commandCount } = readMachO(file);
  if (signature === undefined) return file;
  const offset = commandOf(file, kind);
  const size = file.readUInt32LE(offset + 4);
  file.copyWithin(offset, offset + size, commandsEnd);
  file.fill(0, commandsEnd - size, commandsEnd);
  file.writeUInt32LE(commandCount - 1, 16);
  file.writeUInt32LE(commandsEnd - 32 - size, 20);
  return file;
}
