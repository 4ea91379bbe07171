import { linesOutsideOfFences } from '../markdown-lines.ts';
import type { OutlineSymbol } from './symbols.ts';

type Heading = { -readonly [K in keyof OutlineSymbol]: OutlineSymbol[K] } & { readonly level: number };

/** The headings (`# …`) of a Markdown text, each with its section, nested by level. */
export function markdownHeadings(text: string): OutlineSymbol[] {
  const top: OutlineSymbol[] = [];
  const open: Heading[] = [];
  let line = 1;
  let counted = 0;
  const lineAt = (position: number) => {
    for (let at = text.indexOf('\n', counted); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) {
      line++;
      counted = at + 1;
    }
    return line;
  };
  for (const { text: written, start } of linesOutsideOfFences(text)) {
    const match = /^ {0,3}(#{1,6})[ \t]+(.*)$/.exec(written);
    if (!match) continue;
    const heading: Heading = {
      kind: 'heading',
      name: match[2]!.trimEnd().replace(/[ \t]#+$/, ''),
      level: match[1]!.length,
      startLine: lineAt(start),
      endLine: 0,
      children: [],
    };
    closeDownTo(open, heading.level, heading.startLine - 1);
    (open.at(-1)?.children ?? top).push(heading);
    open.push(heading);
  }
  closeDownTo(open, 0, lineAt(text.endsWith('\n') ? text.length - 1 : text.length));
  return top;
}

/** A section ends before the next heading of its own or a higher level. */
function closeDownTo(open: Heading[], level: number, endLine: number): void {
  while (open.length > 0 && open.at(-1)!.level >= level) open.pop()!.endLine = endLine;
}
