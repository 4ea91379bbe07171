import { linesOutsideOfFences } from './markdown-lines.ts';

/** Longer words are no paths that anybody wrote. */
const MAX_PATH_LENGTH = 1024;

/**
 * The `@path` imports of a CLAUDE.md, in order, each once. What stands in code (fenced or in a span) or in an HTML
 * comment is no import, and neither is an `@` inside of a word, such as in a mail address.
 */
export function importsIn(markdown: string): string[] {
  const found = new Set<string>();
  for (const match of proseOf(markdown).matchAll(/(?<![^\s(])@((?:\\ |[^\s\\`<>"'()])+)/g)) {
    if (match[1]!.length <= MAX_PATH_LENGTH) found.add(match[1]!.replaceAll('\\ ', ' '));
  }
  return [...found];
}

/** True when nothing but imports stands in the text: it then says nothing that its imports do not say. */
export function hasOnlyImports(markdown: string): boolean {
  return markdown.replace(/(?<![^\s(])@(?:\\ |[^\s\\`<>"'()])+/g, '').trim() === '';
}

/** The text with code and comments blanked out. */
function proseOf(markdown: string): string {
  return withoutCodeSpans(withoutFences(withoutComments(markdown)));
}

function withoutComments(text: string): string {
  let result = '';
  let from = 0;
  for (let start = text.indexOf('<!--'); start !== -1; start = text.indexOf('<!--', from)) {
    const end = text.indexOf('-->', start + 4);
    // An opened comment that never ends is text (CommonMark, "HTML blocks", would swallow the rest; editors do not).
    if (end === -1) break;
    result += text.slice(from, start);
    from = end + 3;
  }
  return result + text.slice(from);
}

function withoutFences(text: string): string {
  return Array.from(linesOutsideOfFences(text), (line) => line.text).join('\n');
}

/** A span ends with as many backticks as it began with, in the same paragraph; otherwise they are plain text. */
function withoutCodeSpans(text: string): string {
  return text
    .split(/\n[ \t]*\n/)
    .map((paragraph) => {
      const runs = [...paragraph.matchAll(/`+/g)];
      let result = '';
      let from = 0;
      // Where a run of each length occurs last: spares looking through the rest for a closing one in vain.
      const last = new Map(runs.map((run, index) => [run[0].length, index]));
      for (let index = 0; index < runs.length; index++) {
        const opening = runs[index]!;
        if (last.get(opening[0].length) === index) continue;
        let closing = index + 1;
        while (runs[closing]![0].length !== opening[0].length) closing++;
        result += paragraph.slice(from, opening.index);
        from = runs[closing]!.index + opening[0].length;
        index = closing;
      }
      return result + paragraph.slice(from);
    })
    .join('\n\n');
}
