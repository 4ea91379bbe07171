import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyToText } from './support/apply.ts';

const update = (body: string): string => `*** Begin Patch\n*** Update File: f.txt\n${body}*** End Patch\n`;
const unified = (body: string): string => `--- a/f.txt\n+++ b/f.txt\n${body}`;

const ROWS: readonly (readonly [name: string, before: string, patch: string, after: string])[] = [
  [
    'an LF patch for a CRLF file',
    'a\r\nb\r\nc\r\n',
    update('@@\n a\n-b\n+B\n+B2\n c\n'),
    'a\r\nB\r\nB2\r\nc\r\n',
  ],
  [
    'mixed endings stay, added lines get the usual one',
    'a\r\nb\nc\r\nd\r\n',
    update('@@\n b\n-c\n+C\n d\n'),
    'a\r\nb\nC\r\nd\r\n',
  ],
  ['mostly LF', 'a\nb\r\nc\nd\n', update('@@\n a\n-b\n+B\n'), 'a\nB\nc\nd\n'],
  [
    'a diff of a CRLF file carries the CR',
    'a\r\nb\r\n',
    unified('@@ -1,2 +1,2 @@\n a\r\n-b\r\n+B\r\n'),
    'a\r\nB\r\n',
  ],
  ['a diff can change one line end', 'a\r\nb\r\n', unified('@@ -1,2 +1,2 @@\n a\r\n-b\r\n+b\n'), 'a\r\nb\n'],
  ["a file without line ends takes the patch's", 'a', update('@@\n a\n+b\n'), 'a\nb'],
  ['a new line after an unterminated one', 'a\r\nb', update('@@\n b\n+c\n'), 'a\r\nb\r\nc'],
  ['no final newline is kept', 'a\nb', update('@@\n-b\n+B\n'), 'a\nB'],
  ['a final newline is kept', 'a\nb\n', update('@@\n-b\n+B\n'), 'a\nB\n'],
  ['an empty file', '', update('@@\n+a\n'), 'a\n'],
  ['all lines removed', 'a\nb\n', update('@@\n-a\n-b\n'), ''],
  ['a BOM does not hide line 1', '\uFEFFa\nb\n', update('@@\n a\n-b\n+B\n'), '\uFEFFa\nB\n'],
  ['a BOM survives when line 1 changes', '\uFEFFa\nb\n', update('@@\n-a\n+A\n b\n'), '\uFEFFA\nb\n'],
  [
    'a BOM stays in front of a new first line',
    '\uFEFFa\nb\n',
    unified('@@ -1 +1,2 @@\n+x\n a\n'),
    '\uFEFFx\na\nb\n',
  ],
  [
    'a BOM in the patch as in the file',
    '\uFEFFa\nb\n',
    unified('@@ -1,2 +1,2 @@\n-\uFEFFa\n+\uFEFFA\n b\n'),
    '\uFEFFA\nb\n',
  ],
  [
    'a diff that takes the BOM away',
    '\uFEFFa\nb\n',
    unified('@@ -1,2 +1,2 @@\n-\uFEFFa\n+a\n b\n'),
    'a\nb\n',
  ],
  ['a diff that brings a BOM', 'a\nb\n', unified('@@ -1,2 +1,2 @@\n-a\n+\uFEFFa\n b\n'), '\uFEFFa\nb\n'],
  [
    'a BOM that the reader took off',
    'a\nb\n',
    unified('@@ -1,2 +1,2 @@\n-\uFEFFa\n+\uFEFFA\n b\n'),
    'A\nb\n',
  ],
  [
    'U+2028, form feed and a lone CR end no line',
    'a\u2028b\fc\rd\nx\n',
    update('@@\n a\u2028b\fc\rd\n-x\n+y\n'),
    'a\u2028b\fc\rd\ny\n',
  ],
  [
    'a CR that ends the file is content',
    'a\nb\r',
    unified('@@ -1,2 +1,2 @@\n-a\n+A\n b\r\n\\ No newline at end of file\n'),
    'A\nb\r',
  ],
  [
    "context keeps the file's white space",
    'if x:  \n\ty\n',
    update('@@\n if x:\n-    y\n+\tz\n'),
    'if x:  \n\tz\n',
  ],
  ['replacement patterns are text', 'a\n', update('@@\n-a\n+$& $1 $`\n'), '$& $1 $`\n'],
  ['text after the hunk is untouched', 'a\nb\n\n\n \n', update('@@\n-a\n+A\n'), 'A\nb\n\n\n \n'],
];

describe('bytes', () => {
  for (const [name, before, patch, after] of ROWS) {
    test(name, async () => assert.equal(await applyToText(before, patch), after));
  }
});
