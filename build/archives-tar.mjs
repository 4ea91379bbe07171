/** A tar archive (POSIX ustar) whose bytes depend on its contents alone: no times, no users, sorted by name. */

const BLOCK_BYTES = 512;
const MAX_NAME_BYTES = 100;

/**
 * @param {readonly { name: string, content: Buffer, mode: number }[]} files names relative, with `/`, in ASCII
 * @returns {Buffer}
 * @throws {Error} for a name that does not fit a plain ustar header
 */
export function tar(files) {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = sorted.flatMap(({ name, content, mode }) => [
    header(name, content.length, mode),
    content,
    Buffer.alloc(-content.length & (BLOCK_BYTES - 1)),
  ]);
  // Two empty blocks end an archive.
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function header(name, sizeBytes, mode) {
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > MAX_NAME_BYTES) {
    throw new Error(`"${name}" is no name for a file in a release archive.`);
  }
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(name, 0, 'latin1');
  block.write(octal(mode, 8), 100, 'latin1');
  block.write(octal(0, 8), 108, 'latin1'); // user
  block.write(octal(0, 8), 116, 'latin1'); // group
  block.write(octal(sizeBytes, 12), 124, 'latin1');
  block.write(octal(0, 12), 136, 'latin1'); // modification time
  block.write('        ', 148, 'latin1'); // the checksum counts as spaces while it is made
  block.write('0', 156, 'latin1'); // a regular file
  block.write('ustar\x0000', 257, 'latin1');
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A number as ustar has it: octal digits up to the last byte of the field, which is zero. */
function octal(value, fieldBytes) {
  const digits = value.toString(8).padStart(fieldBytes - 1, '0');
  if (digits.length >= fieldBytes) throw new Error(`${value} does not fit into a tar header.`);
  return digits;
}
