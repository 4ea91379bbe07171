/**
 * Lets a Linux executable answer `--version` before Node begins. Scripts, installers and editors ask it often, and
 * Node needs 15 ms and more until the first line of JavaScript runs.
 *
 * The first instructions of the file look at the arguments: is `--version` the only one, they write the version and
 * end; in any other case, and when the write does not succeed, they go on to where Node begins, which finds its stack
 * and the one register that it reads as they were. They lie in the unused, mapped room behind the program headers that the
 * injection of the blob left in Node's own code segment.
 *
 * Formats and conventions: System V ABI, "Object Files" (Elf64_Ehdr, Elf64_Phdr) and its process initialization for
 * AMD64 (rsp: argc, then argv; rdx: a function for atexit) and AArch64 (sp the same; x0: that function).
 */

const PROGRAM_HEADER_BYTES = 56;
const PT_LOAD = 1;
const READ_AND_EXECUTE = 5;
const ALIGNMENT = 16;
const ARGUMENT = Buffer.from('--version\0', 'latin1');

/**
 * @param {Buffer} file  an ELF executable with its blob, changed in place
 * @param {'x64' | 'arm64'} arch
 * @param {string} version
 */
export function addVersionAnswer(file, arch, version) {
  const text = Buffer.from(`${version}\n`, 'latin1');
  const nodeAddress = Number(file.readBigUInt64LE(24)); // e_entry
  const room = roomBehindProgramHeaders(file);
  const instructions = (arch === 'arm64' ? forArm64 : forX64)({ text, address: room.address, nodeAddress });
  const place = file.subarray(room.offset, room.offset + instructions.length);
  if (instructions.length > room.bytes || place.some((byte) => byte !== 0)) {
    throw new Error('version-answer: the injection left no unused room behind the program headers');
  }
  instructions.copy(place);
  file.writeBigUInt64LE(BigInt(room.address), 24);
}

/** @returns {{ offset: number, address: number, bytes: number }} up to the end of the code segment they lie in */
function roomBehindProgramHeaders(file) {
  const [headers, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(56)];
  const offset = Math.ceil((headers + count * PROGRAM_HEADER_BYTES) / ALIGNMENT) * ALIGNMENT;
  for (let index = 0; index < count; index++) {
    const header = file.subarray(headers + index * PROGRAM_HEADER_BYTES);
    const [type, flags] = [header.readUInt32LE(0), header.readUInt32LE(4)];
    const [start, address, bytes] = [8, 16, 32].map((at) => Number(header.readBigUInt64LE(at)));
    if (type !== PT_LOAD || flags !== READ_AND_EXECUTE) continue;
    if (headers < start || offset >= start + bytes) continue;
    return { offset, address: address + offset - start, bytes: start + bytes - offset };
  }
  return { offset: 0, address: 0, bytes: 0 };
}

function forX64({ text, address, nodeAddress }) {
  const goOn = 78;
  const textAt = goOn + 5;
  /** The distance of a short jump that ends at `end`. */
  const toGoOn = (end) => goOn - end;
  const code = Buffer.from([
    ...[0xf3, 0x0f, 0x1e, 0xfa], //              0 endbr64
    ...[0x48, 0x83, 0x3c, 0x24, 0x02], //        4 cmp qword [rsp], 2        argc
    ...[0x75, toGoOn(11)], //                    9 jne go_on
    ...[0x48, 0x8b, 0x44, 0x24, 0x10], //       11 mov rax, [rsp + 16]       argv[1]
    ...[0x48, 0xb9, ...ARGUMENT.subarray(0, 8)], // 16 mov rcx, "--versio"
    ...[0x48, 0x39, 0x08], //                   26 cmp [rax], rcx            behind the strings the stack goes on
    ...[0x75, toGoOn(31)], //                   29 jne go_on
    ...[0x66, 0x81, 0x78, 0x08, ...ARGUMENT.subarray(8)], // 31 cmp word [rax + 8], "n\0"
    ...[0x75, toGoOn(39)], //                   37 jne go_on
    ...[0x49, 0x89, 0xd0], //                   39 mov r8, rdx               a call of the system keeps r8
    ...[0xb8, 1, 0, 0, 0], //                   42 mov eax, 1                write
    ...[0x89, 0xc7], //                         47 mov edi, eax              standard output
    ...[0x48, 0x8d, 0x35, ...int32(textAt - 56)], // 49 lea rsi, [rip + text]
    ...[0x6a, text.length, 0x5a], //            56 push length; pop rdx
    ...[0x0f, 0x05], //                         59 syscall
    ...[0x48, 0x39, 0xd0], //                   61 cmp rax, rdx
    ...[0x4c, 0x89, 0xc2], //                   64 mov rdx, r8               leaves the flags alone
    ...[0x75, toGoOn(69)], //                   67 jne go_on
    ...[0x31, 0xff], //                         69 xor edi, edi
    ...[0xb8, ...int32(231)], //                71 mov eax, 231              exit_group
    ...[0x0f, 0x05], //                         76 syscall
    ...[0xe9, ...int32(nodeAddress - (address + textAt))], // 78 go_on: jmp node
  ]);
  if (code.length !== textAt || text.length > 127) throw new Error('version-answer: the distances are wrong');
  return Buffer.concat([code, text]);
}

function forArm64({ text, address, nodeAddress }) {
  const [restore, goOn, literalAt, textAt] = [23, 24, 25, 27];
  /** A conditional jump from one place to another, counted in instructions of four bytes. */
  const unlessEqual = (from, to) => 0x54000001 | ((to - from) << 5);
  const jumpBytes = nodeAddress - (address + goOn * 4);
  if (Math.abs(jumpBytes) >= 2 ** 27) throw new Error('version-answer: a jump to Node is too far');
  const code = [
    0xd503245f, //                               0 bti c
    0xf94003e9, //                               1 ldr x9, [sp]            argc
    0xf100093f, //                               2 cmp x9, #2
    unlessEqual(3, goOn), //                     3 b.ne go_on
    0xf9400be9, //                               4 ldr x9, [sp, #16]       argv[1]
    0xf940012a, //                               5 ldr x10, [x9]           behind the strings the stack goes on
    0x5800000b | ((literalAt - 6) << 5), //      6 ldr x11, "--versio"
    0xeb0b015f, //                               7 cmp x10, x11
    unlessEqual(8, goOn), //                     8 b.ne go_on
    0x7940112a, //                               9 ldrh w10, [x9, #8]
    0x7101b95f, //                              10 cmp w10, "n\0"
    unlessEqual(11, goOn), //                   11 b.ne go_on
    0xaa0003ec, //                              12 mov x12, x0             a call of the system keeps x12
    0xd2800020, //                              13 mov x0, #1              standard output
    0x10000001 | ((textAt - 14) << 5), //       14 adr x1, text
    0xd2800002 | (text.length << 5), //         15 mov x2, #length
    0xd2800808, //                              16 mov x8, #64             write
    0xd4000001, //                              17 svc #0
    0xf100001f | (text.length << 10), //        18 cmp x0, #length
    unlessEqual(19, restore), //                19 b.ne restore
    0xd2800000, //                              20 mov x0, #0
    0xd2800bc8, //                              21 mov x8, #94             exit_group
    0xd4000001, //                              22 svc #0
    0xaa0c03e0, //                              23 restore: mov x0, x12
    0x14000000 | ((jumpBytes / 4) & 0x03ffffff), // 24 go_on: b node
  ];
  return Buffer.concat([Buffer.from(code.flatMap(int32)), ARGUMENT.subarray(0, 8), text]);
}

function int32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return [...bytes];
}
