import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { VERSION } from '../../src/runtime/version.ts';
import {
  BLOB_MAGIC,
  BUILD_LIMIT_MS,
  crossBuilt,
  FUSE_SET,
  FUSE_UNSET,
  occurrences,
} from './support/cross-built.ts';
import { type PortableExecutable, type ResourceEntry, readPe } from './support/pe.ts';

const RT_ICON = 3;
const RT_RCDATA = 10;
const RT_GROUP_ICON = 14;
const RT_VERSION = 16;
const RT_MANIFEST = 24;
const MACHINES = { 'win-x64': 0x8664, 'win-arm64': 0xaa64 };

for (const [target, machine] of Object.entries(MACHINES)) {
  describe(`the executable for ${target}, as its loader reads it`, { timeout: BUILD_LIMIT_MS }, () => {
    let file: Buffer;
    let pe: PortableExecutable;
    before(async () => {
      file = await readFile((await crossBuilt(target)).file);
      pe = readPe(file);
    });

    test('is for that machine, its sections follow each other, and nothing lies behind them', () => {
      assert.equal(pe.machine, machine);
      let [address, offset] = [0, 0];
      for (const section of pe.sections) {
        assert.ok(section.address >= address, `${section.name} overlaps another in memory`);
        assert.equal(section.address % pe.sectionAlignment, 0, section.name);
        assert.ok(section.fileOffset >= offset, `${section.name} overlaps another in the file`);
        address = section.address + section.size;
        offset = section.fileOffset + section.fileSize;
      }
      assert.equal(offset, file.length);
      assert.equal(pe.imageSize, Math.ceil(address / pe.sectionAlignment) * pe.sectionAlignment);
      const relocations = pe.directories[5];
      assert.equal(pe.sections.find(({ name }) => name === '.reloc')?.address, relocations?.address);
    });

    test('has the right checksum and no signature that the changes made invalid', () => {
      assert.equal(pe.checksum, pe.actualChecksum);
      assert.deepEqual(pe.directories[4], { address: 0, size: 0 });
    });

    test('holds the blob where Node looks for it, and the mark that says so', () => {
      const [blob, ...others] = of(pe, RT_RCDATA);
      assert.ok(blob);
      assert.deepEqual(others, []);
      assert.deepEqual([blob.name, blob.language], ['NODE_SEA_BLOB', 0]);
      assert.equal(blob.data.readUInt32LE(0), BLOB_MAGIC);
      for (const asset of ['main.cjs.zst', 'rg.zst', 'licenses.txt.zst']) {
        assert.ok(blob.data.includes(asset), asset);
      }
      assert.deepEqual([occurrences(file, FUSE_SET), occurrences(file, FUSE_UNSET)], [1, 0]);
    });

    test('says what it is, keeps the manifest of node.exe, and has an icon of its own', () => {
      const [version, ...others] = of(pe, RT_VERSION);
      assert.ok(version);
      assert.deepEqual(others, []);
      const text = version.data.toString('utf16le');
      for (const value of ['local-coder', VERSION, 'local-coder.exe', 'MIT licence']) {
        assert.ok(text.includes(`${value}\0`), value);
      }
      assert.ok(!text.includes('node.exe'));
      assert.match(of(pe, RT_MANIFEST)[0]?.data.toString('utf8') ?? '', /supportedOS/);
      const group = of(pe, RT_GROUP_ICON)[0]?.data;
      const images = new Map(of(pe, RT_ICON).map(({ name, data }) => [name, data]));
      assert.equal(group?.readUInt16LE(4), images.size);
      for (let index = 0; index < images.size; index++) {
        const entry: Buffer = group?.subarray(6 + index * 14) ?? Buffer.alloc(14);
        const image = images.get(entry.readUInt16LE(12));
        assert.equal(image?.length, entry.readUInt32LE(8));
        assert.equal(image?.readInt32LE(4), entry[0], 'its width');
      }
      assert.deepEqual(
        [...images.values()].map((image) => image.readInt32LE(4)),
        [16, 24, 32, 48, 64, 128],
      );
    });
  });
}

function of(pe: PortableExecutable, type: number): ResourceEntry[] {
  return pe.resources.filter((entry) => entry.type === type);
}
