import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { generatedWidgets } from '../../build/widgets.ts';
import { VIEW_HTML } from '../../src/widgets/view-document.ts';

test('the document is made of the sources as they are (npm run widgets mends it)', async () => {
  for (const [name, text] of Object.entries(await generatedWidgets())) {
    const written = await readFile(new URL(`../../src/widgets/${name}`, import.meta.url), 'utf8');
    assert.equal(written, text, name);
  }
});

test('one self-contained document under 40 kB', () => {
  const bytes = Buffer.byteLength(VIEW_HTML);
  assert.ok(bytes < 40_000, `${bytes} bytes`);
  assert.doesNotMatch(
    VIEW_HTML,
    /https?:|\bsrc=|<link|@import|url\(|\bimport\b|fetch\(|XMLHttpRequest|WebSocket/,
  );
});

test('nothing makes markup of text', () => {
  assert.doesNotMatch(
    VIEW_HTML,
    /innerHTML|outerHTML|insertAdjacent|document\.write|createContextualFragment|DOMParser|setHTML|eval\(|new Function|javascript:/,
  );
});
