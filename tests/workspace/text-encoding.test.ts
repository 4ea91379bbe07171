import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText, encodeText, type TextEncoding } from '../../src/workspace/index.ts';
import { failure } from '../support/tool-context.ts';

const SAMPLES: [name: string, bytes: Buffer, encoding: TextEncoding | undefined, text?: string][] = [
  ['ASCII', Buffer.from('a\nb\n'), 'utf-8', 'a\nb\n'],
  ['empty', Buffer.alloc(0), 'utf-8', ''],
  ['UTF-8', Buffer.from('Grüße 🙂\n'), 'utf-8', 'Grüße 🙂\n'],
  ['UTF-8 with BOM', Buffer.from('\uFEFFä\r\n'), 'utf-8-bom', 'ä\r\n'],
  ['a BOM alone', Buffer.from('\uFEFF'), 'utf-8-bom', ''],
  ['two BOMs', Buffer.from('\uFEFF\uFEFFx'), 'utf-8-bom', '\uFEFFx'],
  ['UTF-16 LE', Buffer.from('\uFEFFä🙂\r\n', 'utf16le'), 'utf-16le', 'ä🙂\r\n'],
  ['UTF-16 BE', Buffer.from('\uFEFFä🙂\r\n', 'utf16le').swap16(), 'utf-16be', 'ä🙂\r\n'],
  ['UTF-16 with half a surrogate pair', Buffer.from('\uFEFFx\uD83D', 'utf16le'), 'utf-16le', 'x\uD83D'],
  ['a UTF-16 BOM alone', Buffer.from([0xff, 0xfe]), 'utf-16le', ''],
  ['Latin-1', Buffer.from('Gr\xfc\xdfe\n', 'latin1'), 'windows-1252', 'Grüße\n'],
  ['Windows-1252 quotes', Buffer.from('\x93a\x94 \x80\n', 'latin1'), 'windows-1252', '“a” €\n'],
  ['all high bytes', Buffer.from(Array.from({ length: 128 }, (_, i) => 128 + i)), 'windows-1252'],
  ['UTF-8 with one bad byte', Buffer.from('ä\xff\n', 'latin1'), 'windows-1252', 'äÿ\n'],
  ['ESC and FF', Buffer.from('\x1b[1m\f\xe9\n', 'latin1'), 'windows-1252', '\x1b[1m\fé\n'],
  ['NUL', Buffer.from('a\0b'), undefined],
  ['UTF-16 without BOM', Buffer.from('abc', 'utf16le'), undefined],
  ['UTF-32 LE', Buffer.from([0xff, 0xfe, 0, 0, 65, 0, 0, 0]), undefined],
  ['PNG', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'), undefined],
  [
    'noise without NUL',
    Buffer.from(Array.from({ length: 3000 }, (_, i) => 1 + ((i * 7919) % 255))),
    undefined,
  ],
];

for (const [name, bytes, encoding, text] of SAMPLES) {
  test(`${name}: ${encoding ?? 'binary'}, and back byte for byte`, () => {
    const decoded = decodeText(bytes);
    assert.equal(decoded?.encoding, encoding);
    if (!decoded) return;
    if (text !== undefined) assert.equal(decoded.text, text);
    assert.deepEqual(encodeText(decoded.text, decoded.encoding), bytes);
  });
}

test('a character that an 8-bit file cannot hold is a clear error', async () => {
  const error = await failure((async () => encodeText('a→b', 'windows-1252'))(), 'INVALID_PARAMS');
  assert.match(error.message, /"→" \(U\+2192\)/);
  const emoji = await failure((async () => encodeText('🙂', 'windows-1252'))(), 'INVALID_PARAMS');
  assert.match(emoji.message, /"🙂" \(U\+1F642\)/);
});

test('half a surrogate pair is refused for UTF-8 instead of becoming U+FFFD', async () => {
  await failure((async () => encodeText('\uD83D', 'utf-8'))(), 'INVALID_PARAMS');
});
