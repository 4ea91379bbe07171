/**
 * Signs a Mach-O executable ad hoc, that is with hashes of its pages and nobody's name, on any machine. Apple Silicon
 * runs no code without one, and changing the file makes the old one invalid. What `codesign --sign -` writes on a Mac
 * holds more, but nothing that a program without entitlements needs; linkers sign in this form, too.
 *
 * Format: Apple's <kern/cs_blobs.h> (in XNU, open source). All numbers of a signature are big-endian.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readMachO, segmentOf } from './macho.mjs';

const CSMAGIC_EMBEDDED_SIGNATURE = 0xfade0cc0;
const CSMAGIC_CODEDIRECTORY = 0xfade0c02;
const CSSLOT_CODEDIRECTORY = 0;
const CS_SUPPORTSEXECSEG = 0x20400;
/** Ad hoc; and made by a linker, which lets later signers replace it without being forced. */
const CS_ADHOC_LINKER_SIGNED = 0x2 | 0x20000;
const CS_HASHTYPE_SHA256 = 2;
const CS_EXECSEG_MAIN_BINARY = 1n;
const HASH_BYTES = 32;
const PAGE_BITS = 12;
const PAGE_BYTES = 1 << PAGE_BITS;
const SUPER_BLOB_BYTES = 12;
const INDEX_BYTES = 8;
const DIRECTORY_BYTES = 88;
const LC_CODE_SIGNATURE = 0x1d;
const COMMAND_BYTES = 16;
/** Segments end at a page of Apple Silicon, which is also one of Intel. */
const SEGMENT_ALIGNMENT = 0x4000n;

/**
 * @param {Buffer} file        without a signature, or with one that is replaced
 * @param {string} identifier  what the system calls the program, e.g. in its logs
 * @returns {Buffer} the signed file
 */
export function signMachO(file, identifier) {
  const before = readMachO(file);
  const linkEdit = segmentOf(before, '__LINKEDIT');
  const contentEnd = before.signature?.offset ?? linkEdit.fileOffset + linkEdit.fileSize;
  const codeLimit = align(contentEnd, 16);
  const directoryBytes = directorySize(identifier, codeLimit);
  const signatureBytes = align(SUPER_BLOB_BYTES + INDEX_BYTES + directoryBytes, 16);

  const signed = Buffer.alloc(codeLimit + signatureBytes);
  file.copy(signed, 0, 0, contentEnd);
  const command = before.signature?.commandOffset ?? addCommand(signed, before);
  signed.writeUInt32LE(codeLimit, command + 8);
  signed.writeUInt32LE(signatureBytes, command + 12);
  const linkEditBytes = BigInt(signed.length - linkEdit.fileOffset);
  signed.writeBigUInt64LE(linkEditBytes, linkEdit.commandOffset + 48);
  const inMemory = ((linkEditBytes + SEGMENT_ALIGNMENT - 1n) / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT;
  signed.writeBigUInt64LE(inMemory, linkEdit.commandOffset + 32);

  // Last, because the hashes cover the load commands, too.
  writeSignature(signed, codeLimit, identifier, readMachO(signed));
  return signed;
}

/**
 * Checks a signature as the system does before it runs the file: that it covers all of it, and every page's hash.
 *
 * @param {Buffer} file
 * @returns {{ identifier: string, pages: number, codeLimit: number, isAdHoc: boolean }}
 * @throws with what is wrong
 */
export function verifyMachO(file) {
  const macho = readMachO(file);
  const { signature } = macho;
  if (signature === undefined) throw new Error('The file is not signed.');
  const linkEdit = segmentOf(macho, '__LINKEDIT');
  const end = signature.offset + signature.size;
  check(end === file.length, 'the signature does not end with the file');
  check(linkEdit.fileOffset + linkEdit.fileSize === end, '__LINKEDIT does not end with the signature');
  check(linkEdit.vmSize >= BigInt(linkEdit.fileSize), '__LINKEDIT is larger in the file than in memory');

  const blob = file.subarray(signature.offset, end);
  check(blob.readUInt32BE(0) === CSMAGIC_EMBEDDED_SIGNATURE, 'there is no embedded signature');
  check(blob.readUInt32BE(4) <= blob.length, 'the signature is longer than its place');
  const directory = directoryOf(blob);
  const field = (offset) => directory.readUInt32BE(offset);
  const [hashesAt, identifierAt, pages, codeLimit] = [16, 20, 28, 32].map(field);
  check(field(8) >= CS_SUPPORTSEXECSEG, 'the code directory is of an old version');
  check(directory[36] === HASH_BYTES && directory[37] === CS_HASHTYPE_SHA256, 'the hashes are not SHA-256');
  check(codeLimit === signature.offset, 'the hashes do not end where the signature begins');
  const pageBytes = 1 << directory[39];
  check(pages === Math.ceil(codeLimit / pageBytes), 'there is not one hash for every page');
  check(hashesAt + pages * HASH_BYTES <= directory.length, 'the hashes do not fit into the code directory');
  const text = segmentOf(macho, '__TEXT');
  check(directory.readBigUInt64BE(64) === BigInt(text.fileOffset), '__TEXT does not begin where it says');
  check(directory.readBigUInt64BE(72) === BigInt(text.fileSize), '__TEXT is not as long as it says');
  for (let page = 0; page < pages; page++) {
    const at = hashesAt + page * HASH_BYTES;
    const actual = pageHash(file, page, pageBytes, codeLimit);
    check(timingSafeEqual(actual, directory.subarray(at, at + HASH_BYTES)), `page ${page} has another hash`);
  }
  return {
    identifier: directory.latin1Slice(identifierAt, directory.indexOf(0, identifierAt)),
    pages,
    codeLimit,
    isAdHoc: (field(12) & 0x2) !== 0,
  };
}

/** Puts a new load command behind the others, into the room that linkers leave there. */
function addCommand(file, { commandsEnd, commandCount, firstContentOffset }) {
  if (commandsEnd + COMMAND_BYTES > firstContentOffset) {
    throw new Error('There is no room for LC_CODE_SIGNATURE in the header.');
  }
  file.writeUInt32LE(LC_CODE_SIGNATURE, commandsEnd);
  file.writeUInt32LE(COMMAND_BYTES, commandsEnd + 4);
  file.writeUInt32LE(commandCount + 1, 16);
  file.writeUInt32LE(commandsEnd + COMMAND_BYTES - 32, 20);
  return commandsEnd;
}

function writeSignature(file, codeLimit, identifier, macho) {
  const directoryBytes = directorySize(identifier, codeLimit);
  const blob = file.subarray(codeLimit);
  blob.writeUInt32BE(CSMAGIC_EMBEDDED_SIGNATURE, 0);
  blob.writeUInt32BE(SUPER_BLOB_BYTES + INDEX_BYTES + directoryBytes, 4);
  blob.writeUInt32BE(1, 8);
  blob.writeUInt32BE(CSSLOT_CODEDIRECTORY, SUPER_BLOB_BYTES);
  blob.writeUInt32BE(SUPER_BLOB_BYTES + INDEX_BYTES, SUPER_BLOB_BYTES + 4);

  const directory = blob.subarray(SUPER_BLOB_BYTES + INDEX_BYTES);
  const pages = Math.ceil(codeLimit / PAGE_BYTES);
  const hashesAt = DIRECTORY_BYTES + identifier.length + 1;
  const text = segmentOf(macho, '__TEXT');
  // Offsets 24 (special slots), 44, 48, 52, 56 (scatter, team, a long code limit) stay 0.
  for (const [offset, value] of [
    [0, CSMAGIC_CODEDIRECTORY],
    [4, directoryBytes],
    [8, CS_SUPPORTSEXECSEG],
    [12, CS_ADHOC_LINKER_SIGNED],
    [16, hashesAt],
    [20, DIRECTORY_BYTES],
    [28, pages],
    [32, codeLimit],
  ]) {
    directory.writeUInt32BE(value, offset);
  }
  directory[36] = HASH_BYTES;
  directory[37] = CS_HASHTYPE_SHA256;
  directory[39] = PAGE_BITS;
  directory.writeBigUInt64BE(BigInt(text.fileOffset), 64);
  directory.writeBigUInt64BE(BigInt(text.fileSize), 72);
  directory.writeBigUInt64BE(macho.isExecutable ? CS_EXECSEG_MAIN_BINARY : 0n, 80);
  directory.write(identifier, DIRECTORY_BYTES, 'latin1');
  for (let page = 0; page < pages; page++) {
    pageHash(file, page, PAGE_BYTES, codeLimit).copy(directory, hashesAt + page * HASH_BYTES);
  }
}

function directoryOf(blob) {
  for (let index = 0; index < blob.readUInt32BE(8); index++) {
    const entry = SUPER_BLOB_BYTES + index * INDEX_BYTES;
    if (blob.readUInt32BE(entry) !== CSSLOT_CODEDIRECTORY) continue;
    const offset = blob.readUInt32BE(entry + 4);
    check(blob.readUInt32BE(offset) === CSMAGIC_CODEDIRECTORY, 'the code directory has no magic number');
    const length = blob.readUInt32BE(offset + 4);
    check(offset + length <= blob.length, 'the code directory is longer than its place');
    return blob.subarray(offset, offset + length);
  }
  throw new Error('The signature is invalid: there is no code directory.');
}

function pageHash(file, page, pageBytes, codeLimit) {
  const start = page * pageBytes;
  return createHash('sha256')
    .update(file.subarray(start, Math.min(start + pageBytes, codeLimit)))
    .digest();
}

function directorySize(identifier, codeLimit) {
  return DIRECTORY_BYTES + identifier.length + 1 + Math.ceil(codeLimit / PAGE_BYTES) * HASH_BYTES;
}

function align(offset, bytes) {
  return Math.ceil(offset / bytes) * bytes;
}

function check(holds, what) {
  if (!holds) throw new Error(`The signature is invalid: ${what}.`);
}
