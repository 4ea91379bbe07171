import type { DiffFile, DiffRow } from './diff.ts';
import { parseDiff } from './diff.ts';
import { element, fillFolded, lineText, moreCharacters } from './dom.ts';
import type { Words } from './messages.ts';
import { type Fields, fields, textOf } from './result.ts';
import { cut, visible } from './text.ts';

/** Characters of a diff that are looked at: a server sends a quarter of it, and more would hold the page up. */
const MAX_CHARS = 1_000_000;
/** Rows of a file that are there at once. */
const HEAD = 30;
/** Files after this many rows start closed. */
const OPEN_ROWS = 200;
/** Files that are listed at once. */
const MAX_FILES = 100;

/** The files of a diff, each to be opened and closed. */
export function showDiff(data: Fields, words: Words): Node[] {
  const { text, more } = cut(textOf(data['diff']), MAX_CHARS);
  const { files, notes } = parseDiff(text);
  for (const listed of Array.isArray(data['files']) ? data['files'] : []) complete(files, fields(listed));
  const shown: Node[] = [];
  let rows = 0;
  const add = (to: (node: Node) => void, from: number) => {
    for (const file of files.slice(from, from + MAX_FILES)) {
      to(showFile(file, rows < OPEN_ROWS, words));
      rows += Math.min(file.rows.length, HEAD);
    }
    const rest = files.length - from - MAX_FILES;
    if (rest <= 0) return;
    const button = element('button', { type: 'button', class: 'more' }, words.say('moreFiles', rest));
    button.addEventListener('click', () => {
      add((node) => button.before(node), from + MAX_FILES);
      const next = button.previousElementSibling;
      button.remove();
      if (next instanceof HTMLElement) next.focus();
    });
    to(button);
  };
  add((node) => shown.push(node), 0);
  if (files.length === 0 && notes.length === 0)
    shown.push(element('p', { class: 'quiet' }, words.say('noDiff')));
  for (const note of notes.slice(0, 20))
    shown.push(element('p', { class: 'note' }, lineText(note, words).text));
  if (more > 0) shown.push(element('p', { class: 'note' }, moreCharacters(more, words)));
  return shown;
}

/** What the result's list knows better than the diff: kinds of change, and files that have no diff. */
function complete(files: DiffFile[], listed: Fields): void {
  const path = textOf(listed['new_path']) || textOf(listed['path']);
  if (path === '') return;
  const status = textOf(listed['status']);
  const count = (...names: string[]) =>
    names.map((name) => listed[name]).find((value) => typeof value === 'number') as number | undefined;
  const file = files.find((one) => one.path === path);
  if (file !== undefined) {
    if (status !== '') file.status = status;
    return;
  }
  files.push({
    path,
    status: status || 'updated',
    added: count('added_lines', 'added') ?? 0,
    removed: count('removed_lines', 'removed') ?? 0,
    rows: [],
    ...(path !== listed['path'] && { oldPath: textOf(listed['path']) }),
  });
}

function showFile(file: DiffFile, isOpen: boolean, words: Words): HTMLElement {
  const title = element(
    'span',
    { class: 'path' },
    file.oldPath !== undefined && file.oldPath !== '' && `${visible(file.oldPath)} → `,
    visible(file.path),
  );
  const label = STATUSES.find((status) => status === file.status);
  const parts = [
    title,
    label && element('span', { class: 'badge' }, words.say(label)),
    ...counts(file.added, file.removed, words),
  ];
  if (file.rows.length === 0) return element('div', { class: 'file bare' }, ...parts);
  const rows = element('div', {
    class: 'rows',
    tabindex: '0',
    role: 'region',
    'aria-label': visible(file.path),
  });
  const details = element('details', { class: 'file' }, element('summary', {}, ...parts), rows);
  let isFilled = false;
  const fill = () => {
    if (isFilled || !details.open) return;
    isFilled = true;
    const inner = element('div', { class: 'lines' });
    inner.tabIndex = -1;
    rows.append(inner);
    fillFolded(inner, file.rows.length, [HEAD, 0], words, (index) => showRow(file.rows[index], words));
  };
  details.addEventListener('toggle', fill);
  details.open = isOpen;
  fill();
  return details;
}

const STATUSES = ['created', 'deleted', 'renamed', 'copied', 'mode-changed'] as const;
const SIGNS = { added: '+', removed: '−', same: ' ', note: '' } as const;

function showRow(row: DiffRow | undefined, words: Words): Node {
  if (row === undefined) return document.createTextNode('');
  const { text, mark } = lineText(row.kind === 'same' ? row.text.replace(/\r$/, '') : row.text, words);
  const number = row.newLine ?? row.oldLine;
  return element(
    'div',
    { class: row.kind, ...(number !== undefined && { 'data-line': String(number) }) },
    SIGNS[row.kind],
    text,
    mark,
  );
}

/** `+3 −1`, with words for those who cannot see the colours. */
export function counts(added: number, removed: number, words: Words): (HTMLElement | false)[] {
  const one = (count: number, sign: string, name: 'addedLines' | 'removedLines', kind: string) =>
    count > 0 &&
    element(
      'span',
      { class: kind, role: 'img', 'aria-label': words.say(name, count) },
      `${sign}${words.number(count)}`,
    );
  return [one(added, '+', 'addedLines', 'plus'), one(removed, '−', 'removedLines', 'minus')];
}
