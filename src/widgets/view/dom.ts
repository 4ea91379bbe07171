import type { Words } from './messages.ts';
import { cut, visible } from './text.ts';

type Child = Node | string | false | undefined;

/** An element. A string is text and nothing else: there is no way here to make markup of one. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  for (const child of children) {
    if (child) made.append(child);
  }
  return made;
}

/** Longest line that is put into the page. */
const MAX_LINE_CHARS = 2_000;
/** Lines that one press of a button adds. */
const STEP = 1_000;

/** A line's text within bounds, everything in it visible, and the mark of what was left out. */
export function lineText(text: string, words: Words): { text: string; mark: Child } {
  const kept = cut(text, MAX_LINE_CHARS);
  return { text: visible(kept.text), mark: kept.more > 0 && moreCharacters(kept.more, words) };
}

export function moreCharacters(count: number, words: Words): HTMLElement {
  return element('span', { class: 'mark' }, words.say('moreCharacters', count));
}

/**
 * Fills a box with lines of which the middle can be folded away: `head` and `tail` lines are there at once, a button
 * between them brings the next thousand. Only what is shown is in the page, so that a huge result costs no more.
 */
export function fillFolded(
  box: HTMLElement,
  count: number,
  [head, tail]: readonly [head: number, tail: number],
  words: Words,
  line: (index: number) => Node,
): void {
  const range = (from: number, to: number) => {
    const part = document.createDocumentFragment();
    for (let index = from; index < to; index++) part.append(line(index));
    return part;
  };
  // A button for a handful of lines would hide more than it saves.
  if (count <= head + tail + 8) {
    box.append(range(0, count));
    return;
  }
  let shown = head;
  const end = count - tail;
  const button = element('button', { type: 'button', class: 'more' });
  const label = () => {
    button.textContent = words.say('more', end - shown);
  };
  button.addEventListener('click', () => {
    const next = Math.min(shown + STEP, end);
    button.before(range(shown, next));
    shown = next;
    label();
    if (shown < end) return;
    box.focus();
    button.remove();
  });
  label();
  box.append(range(0, head), button, range(end, count));
}
