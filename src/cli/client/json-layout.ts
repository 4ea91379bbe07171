import type { Node } from 'jsonc-parser';
import { lineEnd, type TextEdit } from './edit.ts';

/** How a file is written: what is put in follows it. */
export interface Layout {
  /** One step of indentation. */
  readonly unit: string;
  readonly eol: string;
  /** All of it stands on one line. */
  readonly oneLine: boolean;
  /** What stands after a colon and a comma in a file of one line. */
  readonly space: string;
}

export function layoutOf(text: string, root: Node): Layout {
  const first = root.children?.[0];
  const own = first === undefined ? undefined : indentAt(text, first.offset);
  const outer = indentAt(text, root.offset) ?? '';
  return {
    unit: own?.startsWith(outer) && own.length > outer.length ? own.slice(outer.length) : '  ',
    eol: lineEnd(text),
    oneLine: first !== undefined && !text.slice(root.offset, root.offset + root.length).includes('\n'),
    space: /"\s*:[ \t]/.test(text) ? ' ' : '',
  };
}

/** The white space that a position's line begins with; undefined when something else stands before the position. */
function indentAt(text: string, offset: number): string | undefined {
  const before = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^\s*$/.test(before) ? before : undefined;
}

/** The white space of a position's line, whatever follows it. */
function lineIndent(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', offset - 1) + 1))?.[0] ?? '';
}

/** A value as it is written at a position: the lines after its first are indented from that line. */
export function printed(value: unknown, layout: Layout, text: string, offset: number): string {
  return print(value, layout, lineIndent(text, offset));
}

function print(value: unknown, { unit, eol, oneLine, space }: Layout, indent: string): string {
  return oneLine ? compact(value, space) : JSON.stringify(value, null, unit).replaceAll('\n', eol + indent); // inside of strings they are escaped
}

function compact(value: unknown, space: string): string {
  if (Array.isArray(value)) return `[${value.map((each) => compact(each, space)).join(`,${space}`)}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(
    ([name, each]) => `${JSON.stringify(name)}:${space}${compact(each, space)}`,
  );
  return `{${parts.join(`,${space}`)}}`;
}

/** The edits that put a property behind the last one of an object. */
export function insertProperty(
  text: string,
  object: Node,
  name: string,
  value: unknown,
  layout: Layout,
): TextEdit[] {
  const last = object.children?.at(-1);
  if (last === undefined) return [intoEmpty(text, object, name, value, layout)];
  const end = last.offset + last.length;
  const comma = commaAfter(text, end);
  if (layout.oneLine || indentAt(text, last.offset) === undefined) {
    const at = comma ?? end;
    const space = layout.oneLine ? layout.space : ' ';
    return [{ start: at, end: at, text: `,${space}${compact({ [name]: value }, space).slice(1, -1)}` }];
  }
  const indent = childIndent(text, object, layout);
  const line = `${layout.eol}${indent}${JSON.stringify(name)}: ${print(value, layout, indent)}`;
  // A comment behind the last property belongs to it.
  const lineEnds = endOfTrivia(text, comma === undefined ? end : comma + 1);
  if (comma !== undefined) return [{ start: lineEnds, end: lineEnds, text: `${line},` }];
  return lineEnds === end
    ? [{ start: end, end, text: `,${line}` }]
    : [
        { start: end, end, text: ',' },
        { start: lineEnds, end: lineEnds, text: line },
      ];
}

function intoEmpty(text: string, object: Node, name: string, value: unknown, layout: Layout): TextEdit {
  const [start, end] = [object.offset + 1, object.offset + object.length - 1];
  if (layout.oneLine) {
    return { start, end: start, text: compact({ [name]: value }, layout.space).slice(1, -1) };
  }
  const outer = lineIndent(text, object.offset);
  const indent = outer + layout.unit;
  const property = `${layout.eol}${indent}${JSON.stringify(name)}: ${print(value, layout, indent)}`;
  const inside = text.slice(start, end);
  if (inside.trim() === '') return { start, end, text: property + layout.eol + outer };
  // Comments stay before it.
  const at = start + inside.trimEnd().length;
  return { start: at, end: at, text: property };
}

function childIndent(text: string, object: Node, { unit }: Layout): string {
  const last = object.children?.at(-1);
  return (
    (last === undefined ? undefined : indentAt(text, last.offset)) ?? lineIndent(text, object.offset) + unit
  );
}

/** The edits that take a property out, with its comma and, where nothing else stands on them, its lines. */
export function removeProperty(text: string, property: Node): TextEdit[] {
  const siblings = property.parent?.children ?? [];
  const index = siblings.indexOf(property);
  const previous = siblings[index - 1];
  const end = property.offset + property.length;
  const comma = commaAfter(text, end);
  const edits: TextEdit[] = [];
  if (comma === undefined && previous !== undefined) {
    const before = commaAfter(text, previous.offset + previous.length);
    if (before !== undefined) edits.push({ start: before, end: before + 1, text: '' });
  }
  // A comment between the value and its comma goes with them.
  const stop = comma === undefined ? end : comma + 1;
  const lineStart = text.lastIndexOf('\n', property.offset - 1) + 1;
  const [blanks = '', newline] = /^[ \t]*(\r?\n)?/.exec(text.slice(stop)) ?? [];
  if (siblings.length === 1 && property.parent && isBlankInside(text, property, stop)) {
    const { offset, length } = property.parent;
    return [{ start: offset + 1, end: offset + length - 1, text: '' }];
  }
  if (newline !== undefined && /^[ \t]*$/.test(text.slice(lineStart, property.offset))) {
    return [...edits, { start: lineStart, end: stop + blanks.length, text: '' }];
  }
  const [lost] = edits;
  if (lost !== undefined && /^\s*$/.test(text.slice(lost.end, property.offset))) {
    return [{ ...lost, end: stop }];
  }
  const more = comma === undefined || newline !== undefined ? 0 : blanks.length;
  return [...edits, { start: property.offset, end: stop + more, text: '' }];
}

/** True when an object holds this property and white space alone. */
function isBlankInside(text: string, property: Node, stop: number): boolean {
  const parent = property.parent;
  if (parent === undefined) return false;
  const inside =
    text.slice(parent.offset + 1, property.offset) + text.slice(stop, parent.offset + parent.length - 1);
  return inside.trim() === '';
}

/** The position of the comma that follows, comments skipped; undefined when something else does. */
function commaAfter(text: string, from: number): number | undefined {
  const trivia = /^(?:\s|\/\/[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(text.slice(from))?.[0].length ?? 0;
  return text[from + trivia] === ',' ? from + trivia : undefined;
}

/** The end of the blanks and comments that follow on the same line; the position itself where there are none. */
function endOfTrivia(text: string, from: number): number {
  const found = /^(?:[ \t]*(?:\/\/[^\r\n]*|\/\*[^\n]*?\*\/))+/.exec(text.slice(from));
  return from + (found?.[0].length ?? 0);
}
