import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { ROOT } from '../support/built.ts';
import {
  BLOB_MAGIC,
  BUILD_LIMIT_MS,
  crossBuilt,
  FUSE_SET,
  FUSE_UNSET,
  occurrences,
} from './support/cross-built.ts';
import { buildModule, type MachO } from './support/cross-modules.ts';

/** A page of Apple Silicon, which every segment there must begin at. */
const PAGE_BYTES = 0x4000;

for (const target of ['darwin-x64', 'darwin-arm64']) {
  describe(`the executable for ${target}, as its kernel reads it`, { timeout: BUILD_LIMIT_MS }, () => {
    let file: Buffer;
    let macho: MachO;
    before(async () => {
      file = await readFile((await crossBuilt(target)).file);
      macho = (await buildModule('macho')).readMachO(file);
    });

    test('its segments follow each other in the file and in memory, up to the end of the file', () => {
      let [offset, address] = [0, 0n];
      for (const segment of macho.segments) {
        assert.ok(segment.vmAddress >= address, `${segment.name} overlaps another in memory`);
        assert.ok(segment.vmSize >= BigInt(segment.fileSize), `${segment.name} does not fit into its memory`);
        address = segment.vmAddress + segment.vmSize;
        if (segment.fileSize === 0) continue;
        assert.ok(segment.fileOffset >= offset, `${segment.name} overlaps another in the file`);
        if (target === 'darwin-arm64') assert.equal(segment.fileOffset % PAGE_BYTES, 0, segment.name);
        offset = segment.fileOffset + segment.fileSize;
      }
      assert.equal(macho.segments.at(-1)?.name, '__LINKEDIT');
      assert.equal(offset, file.length);
      assert.ok(macho.commandsEnd <= macho.firstContentOffset, 'the load commands reach into the code');
      assert.equal(macho.isArm64, target === 'darwin-arm64');
    });

    test('holds the blob where Node looks for it, and the mark that says so', () => {
      const section = macho.segments
        .find(({ name }) => name === 'NODE_SEA')
        ?.sections.find(({ name }) => name === '__NODE_SEA_BLOB');
      assert.ok(section);
      const blob = file.subarray(section.offset, section.offset + section.size);
      assert.equal(blob.readUInt32LE(0), BLOB_MAGIC);
      for (const asset of ['main.cjs.zst', 'rg.zst', 'pty.zst', 'pty-helper.zst']) {
        assert.ok(blob.includes(asset), asset);
      }
      assert.deepEqual([occurrences(file, FUSE_SET), occurrences(file, FUSE_UNSET)], [1, 0]);
    });

    test('is signed ad hoc, every page of it', async () => {
      const { verifyMachO } = await buildModule('macho-signature');
      const { identifier, isAdHoc, codeLimit, pages } = verifyMachO(file);
      assert.deepEqual({ identifier, isAdHoc }, { identifier: 'local-coder', isAdHoc: true });
      assert.equal(codeLimit, macho.signature?.offset);
      assert.equal(pages, Math.ceil(codeLimit / 4096));
      const text = macho.segments.find(({ name }) => name === '__TEXT');
      for (const offset of [100, text?.fileSize ?? 0, codeLimit - 1]) {
        const changed = Buffer.from(file);
        changed[offset] = (changed[offset] ?? 0) ^ 1;
        assert.throws(() => verifyMachO(changed), /has another hash|load commands|invalid/, `byte ${offset}`);
      }
    });

    test('lost the local symbols of its base and no other; Apple’s own signature of that reads the same way', async () => {
      const { verifyMachO } = await buildModule('macho-signature');
      const original = await readFile(await baseOf(target));
      assert.equal(verifyMachO(original).identifier, 'node');
      assert.deepEqual(
        symbols(file, macho),
        symbols(original, (await buildModule('macho')).readMachO(original)),
      );
    });
  });
}

async function baseOf(target: string): Promise<string> {
  const { NODE_PACKAGES, TARGETS } = await buildModule('targets');
  const { Packages } = await buildModule('packages');
  const { Store } = await buildModule('store');
  const base = TARGETS[target]?.base ?? { package: '', version: '' };
  const { package: name, version } = base;
  const packages = new Packages(ROOT, new Store(`${ROOT}/.cache/build`));
  const integrity = NODE_PACKAGES[`${name}@${version}`] ?? '';
  return packages.pinned({ name, version, integrity }, 'bin/node');
}

/** Defined and undefined symbols with what they say, and what the indirect table points to. */
function symbols(file: Buffer, { commandsEnd }: MachO): { named: string[]; indirect: string[] } {
  const commands = new Map<number, number>();
  for (let at = 32; at < commandsEnd; at += file.readUInt32LE(at + 4))
    commands.set(file.readUInt32LE(at), at);
  const [table = 0, dynamic = 0] = [commands.get(0x2), commands.get(0xb)];
  const [offset, count, strings] = [8, 12, 16].map((at) => file.readUInt32LE(table + at)) as [
    number,
    number,
    number,
  ];
  const name = (index: number) => {
    const at = offset + index * 16;
    const start = strings + file.readUInt32LE(at);
    const text = file.toString('latin1', start, file.indexOf(0, start));
    // n_type, n_sect, n_desc, n_value
    return `${text} ${file[at + 4]} ${file[at + 5]} ${file.readUInt16LE(at + 6)} ${file.readBigUInt64LE(at + 8)}`;
  };
  const locals = file.readUInt32LE(dynamic + 12);
  const [indirectAt, indirectCount] = [file.readUInt32LE(dynamic + 56), file.readUInt32LE(dynamic + 60)];
  return {
    named: Array.from({ length: count - locals }, (_, index) => name(locals + index)),
    indirect: Array.from({ length: indirectCount }, (_, index) => {
      const value = file.readUInt32LE(indirectAt + index * 4);
      return value >= 0x40000000 ? String(value) : name(value);
    }),
  };
}
