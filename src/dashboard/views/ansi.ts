import { html } from 'hono/html';
import { NONE, type View } from './view.ts';
import { shownLines } from './visible.ts';

/**
 * Output of programs as a terminal would leave it, in spans with classes: colours (the 16 of a terminal; what has more
 * comes as the nearest of them, since the page's policy allows no style of its own), bold and the like, lines that were
 * overwritten after a carriage return or a backspace. Every other escape sequence is dropped.
 */
export interface AnsiPiece {
  readonly view: View;
  /** Begins with a carriage return: what stands in the last line so far is overwritten. */
  readonly overwrites: boolean;
  /** Colours and an unfinished sequence, for the piece that follows. At most 64 characters. */
  readonly state: string;
}

const SEQUENCE =
  /\u001b\[[0-9;:<=>?]{0,64}[ -/]{0,4}[@-~]|\u001b[\]PX^_][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)|\u001b[ -/]{0,2}[0-Z\\`-~]|\u001b|[\u0007\u000e\u000f]/g;
/** A sequence that may go on in the next piece. */
const UNFINISHED = /\u001b(?:\[[0-9;:<=>?]{0,20}[ -/]{0,2})?$/;

/** `fg`, `bg`: 0 to 15, or -1 for the terminal's own. */
interface Style {
  fg: number;
  bg: number;
  /** One letter per attribute: b(old), d(im), i(talic), u(nderline), s(trike), v (inverse). */
  flags: string;
}

interface Segment {
  readonly text: string;
  readonly look: string;
}

/** @param before the `state` of the piece before */
export function ansi(text: string, before = ''): AnsiPiece {
  const { style, pending, returned } = readState(before);
  const joined = pending + text;
  const rest = UNFINISHED.exec(joined)?.[0] ?? '';
  const whole = rest === '' ? joined : joined.slice(0, -rest.length);
  const segments = segmentsOf(whole, style);
  const lines = linesOf(segments);
  const first = lines[0] ?? [];
  const starts = /^\r(?!\n)/.test(textOf(first)) || (returned && !/^\r*\n/.test(whole) && whole !== '');
  const endsReturned = whole === '' ? returned : /\r$/.test(whole);
  const drawn = lines.map((line, index) => drawLine(line, index < lines.length - 1));
  return {
    view: html`${drawn}`,
    overwrites: starts,
    state: [style.fg, style.bg, style.flags, endsReturned ? 'r' : '', hex(rest)].join('.'),
  };
}

/** The text that is left when everything but it is taken away. */
export function withoutAnsi(text: string): string {
  return linesOf(segmentsOf(text, { fg: -1, bg: -1, flags: '' }))
    .map((line) => textOf(settle(line)))
    .join('\n');
}

function segmentsOf(text: string, style: Style): Segment[] {
  const found: Segment[] = [];
  let end = 0;
  const take = (to: number) => {
    if (to > end) found.push({ text: text.slice(end, to), look: lookOf(style) });
  };
  for (const { 0: sequence, index } of text.matchAll(SEQUENCE)) {
    take(index);
    end = index + sequence.length;
    if (!sequence.startsWith('\u001b[')) continue;
    if (sequence.endsWith('m')) applyColours(sequence.slice(2, -1), style);
    // To the line's end: a mark for `settle`, which knows where the line stands.
    else if (sequence.endsWith('K')) found.push({ text: '', look: `K${sequence.slice(2, -1)}` });
  }
  take(text.length);
  return found;
}

/** Splits at line ends; a carriage return just before one means nothing. */
function linesOf(segments: readonly Segment[]): Segment[][] {
  let line: Segment[] = [];
  const lines = [line];
  for (const { text, look } of segments) {
    const parts = text.split('\n');
    parts.forEach((whole, index) => {
      if (index > 0) {
        line = [];
        lines.push(line);
      }
      const part = index < parts.length - 1 ? withoutReturns(whole) : whole;
      if (part !== '' || text === '') line.push({ text: part, look });
    });
  }
  return lines;
}

function withoutReturns(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\r') end--;
  return text.slice(0, end);
}

function textOf(line: readonly Segment[]): string {
  return line.map(({ text }) => text).join('');
}

function drawLine(line: readonly Segment[], ended: boolean): View {
  return html`${settle(line).map(({ text, look }) =>
    look === '' ? shownLines(text) : html`<span class="${look}">${shownLines(text)}</span>`,
  )}${ended ? '\n' : NONE}`;
}

/** Carries out what moves back within a line. */
function settle(line: readonly Segment[]): readonly Segment[] {
  if (!line.some(({ text, look }) => look.startsWith('K') || /[\r\b]/.test(text))) return line;
  // Columns that nothing stands in are holes: what erases must cost no more than what was written.
  const cells: (Segment | undefined)[] = [];
  let column = 0;
  let firstTaken = 0;
  for (const { text, look } of line) {
    if (look.startsWith('K')) {
      if (look === 'K2') cells.length = 0;
      else if (look === 'K1') {
        for (; firstTaken <= column; firstTaken++) {
          if (firstTaken < cells.length) cells[firstTaken] = undefined;
        }
      } else cells.length = Math.min(cells.length, column);
      continue;
    }
    for (const character of text) {
      if (character === '\r') column = 0;
      else if (character === '\b') column = Math.max(0, column - 1);
      else {
        firstTaken = Math.min(firstTaken, column);
        cells[column++] = { text: character, look };
      }
    }
  }
  while (cells.length > 0 && isBlank(cells.at(-1))) cells.pop();
  const merged: Segment[] = [];
  // By index: a loop over the values would leave holes out.
  for (let at = 0; at < cells.length; at++) {
    const { text, look } = cells[at] ?? BLANK;
    const last = merged.at(-1);
    if (last?.look === look) merged[merged.length - 1] = { text: last.text + text, look };
    else merged.push({ text, look });
  }
  return merged;
}

const BLANK: Segment = { text: ' ', look: '' };

function isBlank(cell: Segment | undefined): boolean {
  return cell === undefined || (cell.text === ' ' && cell.look === '');
}

const FLAG_ON: Readonly<Record<number, string>> = { 1: 'b', 2: 'd', 3: 'i', 4: 'u', 7: 'v', 9: 's', 21: 'u' };
const FLAG_OFF: Readonly<Record<number, string>> = { 22: 'bd', 23: 'i', 24: 'u', 27: 'v', 29: 's' };

function applyColours(parameters: string, style: Style): void {
  if (/[<=>?]/.test(parameters)) return;
  // Both forms of long colours: 38;2;r;g;b and 38:2::r:g:b.
  const codes = parameters.split(';').map((part) => part.split(':'));
  for (let at = 0; at < codes.length; at++) {
    const [first = '', ...within] = codes[at] ?? [];
    const code = Number(first === '' ? 0 : first);
    if (code === 38 || code === 48) {
      const numbers =
        within.length > 0 ? within.map(Number) : codes.slice(at + 1, at + 5).map((part) => Number(part[0]));
      const isIndexed = numbers[0] === 5;
      const rgb = within.length > 4 ? numbers.slice(2, 5) : numbers.slice(1, 4);
      const colour = isIndexed ? ofPalette(numbers[1] ?? 0) : ofRgb(rgb[0] ?? 0, rgb[1] ?? 0, rgb[2] ?? 0);
      if (within.length === 0) at += isIndexed ? 2 : numbers[0] === 2 ? 4 : 0;
      if (!isIndexed && numbers[0] !== 2) continue;
      if (code === 38) style.fg = colour;
      else style.bg = colour;
    } else applyCode(code, within[0] === '0', style);
  }
}

function applyCode(code: number, isNone: boolean, style: Style): void {
  const on = FLAG_ON[code];
  const off = FLAG_OFF[code] ?? (on !== undefined && isNone ? on : undefined);
  if (code === 0) Object.assign(style, { fg: -1, bg: -1, flags: '' });
  else if (off !== undefined) style.flags = [...style.flags].filter((flag) => !off.includes(flag)).join('');
  else if (on !== undefined) style.flags += style.flags.includes(on) ? '' : on;
  else if (code >= 30 && code <= 37) style.fg = code - 30;
  else if (code === 39) style.fg = -1;
  else if (code >= 40 && code <= 47) style.bg = code - 40;
  else if (code === 49) style.bg = -1;
  else if (code >= 90 && code <= 97) style.fg = code - 82;
  else if (code >= 100 && code <= 107) style.bg = code - 92;
}

/** Of the 256: the 16 themselves, a cube of 6 × 6 × 6, 24 greys. */
function ofPalette(index: number): number {
  if (!(index >= 0 && index <= 255)) return -1;
  if (index < 16) return index;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return ofRgb(grey, grey, grey);
  }
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  return ofRgb(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

/** By hue rather than by distance: a pale orange is a bright yellow to the eye, not a grey. */
function ofRgb(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most - least < 40) return most < 50 ? 0 : most < 150 ? 8 : most < 225 ? 7 : 15;
  const middle = (most + least) / 2;
  const hue = (red > middle ? 1 : 0) + (green > middle ? 2 : 0) + (blue > middle ? 4 : 0);
  return hue + (most > 215 ? 8 : 0);
}

function lookOf({ fg, bg, flags }: Style): string {
  const [front, back] = flags.includes('v') ? [bg, fg] : [fg, bg];
  return [
    front >= 0 ? `f${front}` : '',
    back >= 0 ? `g${back}` : '',
    ...[...flags].filter((flag) => flag !== 'v' || (front < 0 && back < 0)).map((flag) => `t${flag}`),
  ]
    .filter(Boolean)
    .join(' ');
}

function readState(state: string): { style: Style; pending: string; returned: boolean } {
  const found = /^(-?\d{1,2})\.(-?\d{1,2})\.([bdiusv]{0,6})\.(r?)\.((?:[0-9a-f]{2}){0,24})$/.exec(state);
  const colour = (text: string | undefined) => {
    const value = Number(text ?? -1);
    return value >= 0 && value <= 15 ? value : -1;
  };
  return {
    style: { fg: colour(found?.[1]), bg: colour(found?.[2]), flags: found?.[3] ?? '' },
    returned: found?.[4] === 'r',
    pending: (found?.[5] ?? '').replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16))),
  };
}

/** Of characters of ASCII. */
function hex(text: string): string {
  return [...text].map((character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}
