import { html } from 'hono/html';
import type { DiffLineModel, FileDiffModel, FileStateModel, HunkModel } from '../models.ts';
import { Highlighter, type TokenKind } from './highlight.ts';
import { languageOf } from './languages.ts';
import { NONE, type Tongue, type View } from './view.ts';
import { plainText, shown, shownLines } from './visible.ts';

/** Of all files of one view together; more would make a phone slow. */
const MAX_LINES = 3_000;
const MAX_CHARACTERS = 400_000;
const MAX_LINE_CHARACTERS = 4_000;
/** Lines beyond these are shown in one colour. */
const MAX_COLOURED_LINES = 2_000;

interface Allowance {
  lines: number;
  characters: number;
  colouredLines: number;
}

/**
 * Files with what changes in them. Both ways to show a hunk are the same elements: a block of unchanged lines, or a block
 * of removed lines beside (or above) those that came in their place; the style sheet puts them side by side. Unchanged
 * lines stand there twice, the second time for the right side alone.
 */
export function diffView(diffs: readonly FileDiffModel[], tongue: Tongue): View | string {
  if (diffs.length === 0) return NONE;
  const { t } = tongue;
  const left: Allowance = {
    lines: MAX_LINES,
    characters: MAX_CHARACTERS,
    colouredLines: MAX_COLOURED_LINES,
  };
  return html`<div class="bar diffbar" role="group" aria-label="${t.diffLayout}"><button type="button" data-layout="unified" aria-pressed="true">${t.unified}</button><button type="button" data-layout="split" aria-pressed="false">${t.sideBySide}</button></div>
${diffs.map((diff) => fileView(diff, left, tongue))}`;
}

function fileView(diff: FileDiffModel, left: Allowance, tongue: Tongue): View {
  const { t, number } = tongue;
  const hunks: View[] = [];
  let hidden = diff.hiddenLines;
  const language = languageOf(diff.path);
  const sides = language && {
    old: new Highlighter(language),
    new: new Highlighter(language),
  };
  for (const hunk of diff.hunks) {
    sides?.old.forget();
    sides?.new.forget();
    const taken = takeLines(hunk.lines, left);
    hidden += hunk.lines.length - taken.length;
    if (taken.length > 0) hunks.push(hunkView(hunk, taken, sides, left, number));
  }
  const counts = countsOf(diff.hunks);
  return html`<div class="file"><h3 class="path"><a href="#file=${encodeURIComponent(diff.path)}">${shown(diff.path)}</a>${
    diff.kind === 'diff'
      ? html` <span class="plus">+${number(counts.added)}</span> <span class="minus">−${number(counts.removed)}</span>`
      : NONE
  }</h3>${diff.states === undefined ? NONE : html`<p class="soft">${stateView(diff.states[0], tongue)} → ${stateView(diff.states[1], tongue)}</p>`}${
    diff.kind === 'diff' || diff.kind === 'link' ? NONE : html`<p class="soft">${t.noHunks[diff.kind]}</p>`
  }${
    hunks.length > 0
      ? html`<div class="diff" tabindex="0" role="group" aria-label="${t.changesOf(plainText(diff.path))}">${hunks}</div>`
      : NONE
  }${hidden > 0 ? html`<p class="soft">${t.linesHidden(number(hidden))}</p>` : NONE}</div>`;
}

function stateView(state: FileStateModel, { t, size }: Tongue): View | string {
  if (state.type === 'file') return t.fileStates.file(size(state.sizeBytes));
  return state.type === 'link' ? html`${t.fileStates.link} ${shown(state.target)}` : t.fileStates[state.type];
}

function countsOf(hunks: readonly HunkModel[]): { added: number; removed: number } {
  let added = 0;
  let removed = 0;
  for (const { lines } of hunks) {
    for (const { kind } of lines) {
      if (kind === 'added') added++;
      else if (kind === 'removed') removed++;
    }
  }
  return { added, removed };
}

function takeLines(lines: readonly DiffLineModel[], left: Allowance): readonly DiffLineModel[] {
  let count = 0;
  while (count < lines.length && left.lines > 0 && left.characters > 0) {
    left.lines--;
    left.characters -= Math.min(lines[count]?.text.length ?? 0, MAX_LINE_CHARACTERS);
    count++;
  }
  return lines.slice(0, count);
}

interface Sides {
  readonly old: Highlighter;
  readonly new: Highlighter;
}

function hunkView(
  hunk: HunkModel,
  lines: readonly DiffLineModel[],
  sides: Sides | undefined,
  left: Allowance,
  number: (value: number) => string,
): View {
  let oldLine = hunk.oldStart;
  let newLine = hunk.newStart;
  const blocks: View[] = [];
  let at = 0;
  while (at < lines.length) {
    const isContext = lines[at]?.kind === 'context';
    let end = at;
    while (end < lines.length && (lines[end]?.kind === 'context') === isContext) end++;
    const block: View[] = [];
    for (const { kind, text } of lines.slice(at, end)) {
      const highlighters =
        sides === undefined
          ? []
          : kind === 'context'
            ? [sides.new, sides.old]
            : [kind === 'added' ? sides.new : sides.old];
      const code = codeView(text, left.colouredLines > 0 ? highlighters : []);
      left.colouredLines--;
      if (kind === 'added') block.push(html`<div class="a" data-n="${newLine++}"><ins>${code}</ins></div>`);
      else if (kind === 'removed') {
        block.push(html`<div class="r" data-n="${oldLine++}"><del>${code}</del></div>`);
      } else {
        block.push(html`<div data-n="${oldLine++}"><span>${code}</span></div>`);
        block.push(
          html`<div class="twin" aria-hidden="true" data-n="${newLine++}"><span>${code}</span></div>`,
        );
      }
    }
    blocks.push(html`<div class="block">${block}</div>`);
    at = end;
  }
  return html`<p class="at">@@ −${number(hunk.oldStart)} +${number(hunk.newStart)} @@</p>${blocks}`;
}

const CLASS: Readonly<Record<TokenKind, string>> = {
  comment: 'hc',
  string: 'hs',
  number: 'hn',
  word: 'hw',
};

function codeView(text: string, highlighters: readonly Highlighter[]): View | string {
  const cut = text.length > MAX_LINE_CHARACTERS;
  const line = cut ? text.slice(0, MAX_LINE_CHARACTERS) : text;
  const [first, second] = highlighters;
  second?.line(line); // only what it leaves open
  const code =
    first === undefined
      ? shownLines(line)
      : html`${first
          .line(line)
          .map(({ text: piece, kind }) =>
            kind === undefined ? shownLines(piece) : html`<i class="${CLASS[kind]}">${shownLines(piece)}</i>`,
          )}`;
  return cut ? html`${code}<b class="x">… +${text.length - MAX_LINE_CHARACTERS}</b>` : code;
}
