/** Reads a Windows executable as its loader and FindResource do. Format: Microsoft's "PE Format". */
import assert from 'node:assert/strict';

export interface Section {
  readonly name: string;
  readonly address: number;
  readonly size: number;
  readonly fileOffset: number;
  readonly fileSize: number;
}

export interface ResourceEntry {
  readonly type: number | string;
  readonly name: number | string;
  readonly language: number | string;
  readonly data: Buffer;
}

export interface PortableExecutable {
  readonly machine: number;
  readonly sections: readonly Section[];
  readonly sectionAlignment: number;
  readonly imageSize: number;
  readonly checksum: number;
  readonly actualChecksum: number;
  readonly directories: readonly { readonly address: number; readonly size: number }[];
  readonly resources: readonly ResourceEntry[];
}

export function readPe(file: Buffer): PortableExecutable {
  assert.equal(file.toString('latin1', 0, 2), 'MZ');
  const header = file.readUInt32LE(0x3c);
  assert.equal(file.toString('latin1', header, header + 4), 'PE\0\0');
  const optional = header + 24;
  assert.equal(file.readUInt16LE(optional), 0x20b, 'PE32+');
  const directories = Array.from({ length: file.readUInt32LE(optional + 108) }, (_, index) => ({
    address: file.readUInt32LE(optional + 112 + index * 8),
    size: file.readUInt32LE(optional + 116 + index * 8),
  }));
  const sectionsAt = optional + file.readUInt16LE(header + 20);
  const sections = Array.from({ length: file.readUInt16LE(header + 6) }, (_, index) => {
    const at = sectionsAt + index * 40;
    return {
      name: file.toString('latin1', at, at + 8).replace(/\0.*$/s, ''),
      size: file.readUInt32LE(at + 8),
      address: file.readUInt32LE(at + 12),
      fileSize: file.readUInt32LE(at + 16),
      fileOffset: file.readUInt32LE(at + 20),
    };
  });
  return {
    machine: file.readUInt16LE(header + 4),
    sections,
    sectionAlignment: file.readUInt32LE(optional + 32),
    imageSize: file.readUInt32LE(optional + 56),
    checksum: file.readUInt32LE(optional + 64),
    actualChecksum: checksum(file, optional + 64),
    directories,
    resources: readResources(file, sections, directories[2]?.address ?? 0),
  };
}

/** As CheckSumMappedFile computes it: the 16-bit words with end-around carry, the field itself as 0, and the length. */
function checksum(file: Buffer, field: number): number {
  let sum = 0;
  for (let at = 0; at < file.length; at += 2) {
    if (at >= field && at < field + 4) continue;
    sum += at + 1 < file.length ? file.readUInt16LE(at) : (file[at] ?? 0);
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return sum + file.length;
}

function readResources(file: Buffer, sections: readonly Section[], address: number): ResourceEntry[] {
  const section = sections.find((one) => address >= one.address && address < one.address + one.size);
  assert.ok(section, 'the resources lie in a section');
  const start = section.fileOffset + address - section.address;
  const key = (value: number): number | string => {
    if (value < 0x80000000) return value;
    const at = start + (value & 0x7fffffff);
    return file.toString('utf16le', at + 2, at + 2 + file.readUInt16LE(at) * 2);
  };
  const entries = (directory: number) => {
    const at = start + directory;
    const count = file.readUInt16LE(at + 12) + file.readUInt16LE(at + 14);
    return Array.from({ length: count }, (_, index) => {
      const entry = at + 16 + index * 8;
      return { key: key(file.readUInt32LE(entry)), offset: file.readUInt32LE(entry + 4) & 0x7fffffff };
    });
  };
  return entries(0).flatMap((type) =>
    entries(type.offset).flatMap((name) =>
      entries(name.offset).map((language) => {
        const leaf = start + language.offset;
        const dataAt = section.fileOffset + file.readUInt32LE(leaf) - section.address;
        const data = file.subarray(dataAt, dataAt + file.readUInt32LE(leaf + 4));
        return { type: type.key, name: name.key, language: language.key, data };
      }),
    ),
  );
}
