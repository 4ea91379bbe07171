/**
 * Reads the parts of a Mach-O file that signing touches. Format: Apple's <mach-o/loader.h>; thin, 64-bit,
 * little-endian files only, which is what Node is for macOS.
 */

const MAGIC_64 = 0xfeedfacf;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const HEADER_BYTES = 32;
const SECTION_BYTES = 80;
const CPU_TYPE_ARM64 = 0x0100000c;
const MH_EXECUTE = 2;

/**
 * @typedef {object} Segment
 * @property {string} name
 * @property {number} commandOffset   of its load command in the file
 * @property {bigint} vmAddress
 * @property {bigint} vmSize
 * @property {number} fileOffset
 * @property {number} fileSize
 * @property {{ name: string, offset: number, size: number }[]} sections
 */

/**
 * @param {Buffer} file
 * @throws when it is no such file
 */
export function readMachO(file) {
  if (file.length < HEADER_BYTES || file.readUInt32LE(0) !== MAGIC_64) {
    throw new Error('This is no thin 64-bit Mach-O file.');
  }
  const commandCount = file.readUInt32LE(16);
  const commandsEnd = HEADER_BYTES + file.readUInt32LE(20);
  /** @type {Segment[]} */
  const segments = [];
  /** @type {{ commandOffset: number, offset: number, size: number } | undefined} */
  let signature;
  let offset = HEADER_BYTES;
  for (let index = 0; index < commandCount; index++) {
    const command = file.readUInt32LE(offset);
    if (command === LC_SEGMENT_64) segments.push(readSegment(file, offset));
    if (command === LC_CODE_SIGNATURE) {
      signature = {
        commandOffset: offset,
        offset: file.readUInt32LE(offset + 8),
        size: file.readUInt32LE(offset + 12),
      };
    }
    offset += file.readUInt32LE(offset + 4);
  }
  if (offset !== commandsEnd) throw new Error('The load commands do not end where the header says.');
  const contents = segments.flatMap(({ sections }) => sections.filter((section) => section.offset > 0));
  return {
    isArm64: file.readUInt32LE(4) === CPU_TYPE_ARM64,
    isExecutable: file.readUInt32LE(12) === MH_EXECUTE,
    commandCount,
    commandsEnd,
    segments,
    signature,
    /** Where the room for more load commands ends. */
    firstContentOffset: Math.min(...contents.map((section) => section.offset)),
  };
}

/** @throws when the file has no such segment */
export function segmentOf(macho, name) {
  const segment = macho.segments.find((candidate) => candidate.name === name);
  if (segment === undefined) throw new Error(`The Mach-O file has no segment ${name}.`);
  return segment;
}

function readSegment(file, offset) {
  const sections = Array.from({ length: file.readUInt32LE(offset + 64) }, (_, index) => {
    const at = offset + 72 + index * SECTION_BYTES;
    return {
      name: fixedText(file, at),
      offset: file.readUInt32LE(at + 48),
      size: Number(file.readBigUInt64LE(at + 40)),
    };
  });
  return {
    name: fixedText(file, offset + 8),
    commandOffset: offset,
    vmAddress: file.readBigUInt64LE(offset + 24),
    vmSize: file.readBigUInt64LE(offset + 32),
    fileOffset: Number(file.readBigUInt64LE(offset + 40)),
    fileSize: Number(file.readBigUInt64LE(offset + 48)),
    sections,
  };
}

/** Text of up to 16 bytes, padded with zeros. */
function fixedText(file, offset) {
  return file.latin1Slice(offset, offset + 16).replace(/\0.*$/s, '');
}
