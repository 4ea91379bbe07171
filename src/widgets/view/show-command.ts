import { parseTerminal, type TerminalSpan, type TerminalStyle } from './ansi.ts';
import { element, fillFolded, moreCharacters } from './dom.ts';
import type { Words } from './messages.ts';
import { type Fields, textOf } from './result.ts';
import { cut, visible } from './text.ts';

/** Characters of an output that are looked at. */
const MAX_CHARS = 1_000_000;
const MAX_LINE_CHARS = 2_000;
/** The end of an output says most. */
const FOLD = [8, 20] as const;

/** How a command ended: for its badge. */
export function commandState(data: Fields, words: Words): { text: string; kind: 'good' | 'bad' | 'open' } {
  const exit = data['exit_code'];
  if (data['running'] === true) return { text: words.say('running'), kind: 'open' };
  if (data['timed_out'] === true) return { text: words.say('timedOut'), kind: 'bad' };
  if (typeof data['signal'] === 'string') return { text: words.say('signal', data['signal']), kind: 'bad' };
  if (typeof exit !== 'number') return { text: words.say('unknownExit'), kind: 'open' };
  return { text: words.say('exit', exit), kind: exit === 0 ? 'good' : 'bad' };
}

export function showOutputs(data: Fields, words: Words): Node[] {
  const shown = (['stdout', 'stderr'] as const).flatMap((name) => {
    const text = textOf(data[name]);
    return text === '' ? [] : showOutput(text, words.say(name), name === 'stderr', words);
  });
  return shown.length > 0 ? shown : [element('p', { class: 'quiet' }, words.say('noOutput'))];
}

/** Terminal output with its colours. The end is kept of what is too long to look at. */
export function showOutput(output: string, label: string, isHeaded: boolean, words: Words): Node[] {
  const from = Math.max(output.length - MAX_CHARS, 0);
  const lines = parseTerminal(output.slice(from));
  const inner = element('div', { class: 'lines', tabindex: '-1' });
  fillFolded(inner, lines.length, FOLD, words, (index) => showLine(lines[index] ?? [], words));
  const box = element(
    'div',
    { class: 'rows output', tabindex: '0', role: 'region', 'aria-label': label },
    inner,
  );
  return [
    ...(isHeaded ? [element('h2', {}, label)] : []),
    ...(from > 0 ? [element('p', { class: 'note' }, moreCharacters(from, words))] : []),
    box,
  ];
}

function showLine(spans: readonly TerminalSpan[], words: Words): Node {
  const line = element('div');
  let room = MAX_LINE_CHARS;
  let more = 0;
  for (const span of spans) {
    const kept = cut(span.text, room);
    room -= kept.text.length;
    more += kept.more;
    if (kept.text !== '') line.append(styledText(visible(kept.text), span.style));
  }
  if (more > 0) line.append(moreCharacters(more, words));
  if (!line.hasChildNodes()) line.append('\n');
  return line;
}

function styledText(text: string, style: TerminalStyle): Node {
  const kinds = (['bold', 'dim', 'italic', 'underline', 'strike', 'inverse'] as const).filter(
    (kind) => style[kind],
  );
  if (kinds.length === 0 && style.fg === undefined && style.bg === undefined)
    return document.createTextNode(text);
  const span = element('span', kinds.length > 0 ? { class: kinds.join(' ') } : {}, text);
  if (style.fg !== undefined) span.style.setProperty('--ink', colour(style.fg));
  if (style.bg !== undefined) span.style.setProperty('--paper', background(style.bg));
  if (style.fg !== undefined || style.bg !== undefined) span.classList.add('coloured');
  return span;
}

/**
 * The sixteen named colours are the view's own, so that they can be read on its background. Any other was chosen for a
 * background that nobody knows here: the text's colour is mixed in.
 */
function colour(value: number | string): string {
  return typeof value === 'number' ? `var(--ansi-${value})` : `color-mix(in srgb,${value} 45%,var(--text))`;
}

function background(value: number | string): string {
  return typeof value === 'number' ? `color-mix(in srgb,var(--ansi-${value}) 20%,transparent)` : value;
}
