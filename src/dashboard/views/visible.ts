import { html } from 'hono/html';
import { escaped, UNSEEN_CHARACTERS } from '../../runtime/terminal.ts';
import type { View } from './view.ts';

/**
 * Control characters (line ends and tabs aside) and what else cannot be seen. A joiner between two emoji is a part of one
 * sign and stays.
 */
const UNSEEN = new RegExp(
  `[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f${UNSEEN_CHARACTERS}]|(?<!\\p{Extended_Pictographic}\\ufe0f?)\\u200d|\\u200d(?!\\p{Extended_Pictographic})`,
  'gu',
);

const UNSEEN_OR_LINE_END = new RegExp(`\\n|${UNSEEN.source}`, 'gu');

/** Text of unknown origin within a line: what cannot be seen is written out (`\u202e`), a line end is a sign. */
export function shown(text: string): View {
  return html`<bdi>${pieces(text, UNSEEN_OR_LINE_END)}</bdi>`;
}

/** The same for text that may have many lines: line ends and tabs stay. For a `<pre>`. */
export function shownLines(text: string): View | string {
  return pieces(text, UNSEEN);
}

/** For attributes and for other places that take text alone. */
export function plainText(text: string): string {
  return text.replace(UNSEEN_OR_LINE_END, written);
}

function pieces(text: string, unseen: RegExp): View | string {
  if (text.search(unseen) < 0) return text;
  const parts: (View | string)[] = [];
  let end = 0;
  let together = '';
  let last = '';
  let count = 0;
  const endRun = () => {
    together += count > MAX_WRITTEN ? `${written(last)}×${count}` : written(last).repeat(count);
    count = 0;
  };
  const endTogether = () => {
    endRun();
    if (together !== '') parts.push(html`<b class="x">${together}</b>`);
    together = '';
  };
  for (const { 0: character, index } of text.matchAll(unseen)) {
    if (index > end) {
      endTogether();
      parts.push(text.slice(end, index));
    } else if (character !== last) endRun();
    last = character;
    count++;
    end = index + character.length;
  }
  endTogether();
  return html`${[...parts, text.slice(end)]}`;
}

/** More of one character in a row are counted: a program may print nothing but zeros, megabytes of them. */
const MAX_WRITTEN = 8;

function written(character: string): string {
  return character === '\n' ? '↵' : escaped(character);
}
