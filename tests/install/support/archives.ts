/** Archives as a release has them, made from a script that stands for the executable. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';

/** A program that does no more than answer --version; padding makes a large download of it. */
export function standIn(version: string, padding = ''): Buffer {
  return Buffer.from(`#!/bin/sh\n[ "$1" = --version ] && echo ${version}\nexit 0\n${padding}`);
}

/** `tar.gz` and `tar.xz` with one file at their top. */
export function tarballs(program: Buffer, name = 'local-coder'): { gz: Buffer; xz: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'lc-archive-'));
  try {
    const file = join(folder, name);
    writeFileSync(file, program);
    chmodSync(file, 0o755);
    const pack = (how: string) => {
      execFileSync('tar', [how, join(folder, 'x.tar'), '--owner=0', '--group=0', '-C', folder, name]);
      return readFileSync(join(folder, 'x.tar'));
    };
    return { gz: pack('-czf'), xz: pack('-cJf') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A zip archive with one deflated file, as APPNOTE.TXT of PKWARE describes it. */
export function zipOf(name: string, program: Buffer): Buffer {
  const packed = deflateRawSync(program);
  const fields = Buffer.alloc(26); // what the local header and the central directory have in common
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(crc32(program), 10);
  fields.writeUInt32LE(packed.length, 14);
  fields.writeUInt32LE(program.length, 18);
  fields.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed]);
  const entry = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\x03', 'latin1'),
    fields,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}
