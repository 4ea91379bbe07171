/**
 * Drops from an ELF executable what no running program looks at: symbols, debugging information and other sections
 * that are not loaded. As `strip` does, but the same on every machine and for every architecture, so that a release
 * does not depend on which binutils made it.
 *
 * Format: System V ABI, "Object Files" (Elf64_Ehdr, Elf64_Shdr, Elf64_Phdr), little-endian 64-bit files only.
 */

const SECTION_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SHF_ALLOC = 2n;
const SHT_STRTAB = 3;
const SHT_NOBITS = 8;

/**
 * @param {Buffer} file
 * @returns {Buffer} the stripped file; its loaded part is the same, byte for byte
 */
export function stripElf(file) {
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new Error('elf-strip: this is no 64-bit little-endian ELF file');
  }
  const sections = readSections(file);
  // The first section header is empty and stays; the last of the new ones are the names.
  const kept = sections.filter(({ index, flags }) => index === 0 || (flags & SHF_ALLOC) !== 0n);
  const loadedBytes = Math.max(endOfSegments(file), ...kept.map(endInFile));
  const names = Buffer.from(`${kept.map(({ name }) => `${name}\0`).join('')}.shstrtab\0`, 'latin1');
  const namesOffset = loadedBytes;
  const headersOffset = Math.ceil((namesOffset + names.length) / 8) * 8;
  const stripped = Buffer.alloc(headersOffset + (kept.length + 1) * SECTION_HEADER_BYTES);
  file.copy(stripped, 0, 0, loadedBytes);
  names.copy(stripped, namesOffset);

  const newIndex = new Map(kept.map(({ index }, position) => [index, position]));
  let nameOffset = 0;
  for (const [position, section] of kept.entries()) {
    const header = stripped.subarray(headersOffset + position * SECTION_HEADER_BYTES);
    section.header.copy(header);
    header.writeUInt32LE(nameOffset, 0);
    nameOffset += section.name.length + 1;
    // sh_link; sh_info is an index of a section only where it is one that is kept: relocations of the loaded part.
    header.writeUInt32LE(newIndex.get(section.link) ?? 0, 40);
    if (section.isRelocation) header.writeUInt32LE(newIndex.get(section.info) ?? 0, 44);
  }
  const last = stripped.subarray(headersOffset + kept.length * SECTION_HEADER_BYTES);
  last.writeUInt32LE(nameOffset, 0);
  last.writeUInt32LE(SHT_STRTAB, 4);
  last.writeBigUInt64LE(BigInt(namesOffset), 24);
  last.writeBigUInt64LE(BigInt(names.length), 32);
  last.writeBigUInt64LE(1n, 48);

  stripped.writeBigUInt64LE(BigInt(headersOffset), 40);
  stripped.writeUInt16LE(kept.length + 1, 60);
  stripped.writeUInt16LE(kept.length, 62);
  return stripped;
}

function readSections(file) {
  const offset = Number(file.readBigUInt64LE(40));
  const [count, namesIndex] = [file.readUInt16LE(60), file.readUInt16LE(62)];
  const header = (index) =>
    file.subarray(offset + index * SECTION_HEADER_BYTES, offset + (index + 1) * SECTION_HEADER_BYTES);
  const namesOffset = Number(header(namesIndex).readBigUInt64LE(24));
  return Array.from({ length: count }, (_, index) => {
    const at = header(index);
    const type = at.readUInt32LE(4);
    const nameAt = namesOffset + at.readUInt32LE(0);
    return {
      index,
      header: at,
      type,
      name: file.latin1Slice(nameAt, file.indexOf(0, nameAt)),
      flags: at.readBigUInt64LE(8),
      offset: Number(at.readBigUInt64LE(24)),
      size: Number(at.readBigUInt64LE(32)),
      link: at.readUInt32LE(40),
      info: at.readUInt32LE(44),
      isRelocation: type === 4 || type === 9,
    };
  });
}

function endInFile({ type, offset, size }) {
  return type === SHT_NOBITS ? 0 : offset + size;
}

/** Where in the file the last byte is that a segment maps; the program headers themselves lie within the first. */
function endOfSegments(file) {
  const offset = Number(file.readBigUInt64LE(32));
  let end = 0;
  for (let index = 0; index < file.readUInt16LE(56); index++) {
    const header = file.subarray(offset + index * PROGRAM_HEADER_BYTES);
    end = Math.max(end, Number(header.readBigUInt64LE(8)) + Number(header.readBigUInt64LE(32)));
  }
  return end;
}
