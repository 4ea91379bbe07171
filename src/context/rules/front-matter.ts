/** The fields between the `---` lines at the start of a Markdown file, and what follows them. */
export interface FrontMatter {
  /** Each field as a list: a single value is a list of one, an empty field a list of none. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

/** Fields are looked for in so much of a file. */
const MAX_FRONT_MATTER_CHARACTERS = 16 * 1024;

/**
 * Reads what rule files use of YAML: `key: value`, `key: [a, b]`, and lists of `- value` lines, quoted or not. Not
 * all of YAML on purpose: editors write `globs: *.ts, *.tsx` there, which YAML refuses.
 */
export function parseFrontMatter(text: string): FrontMatter {
  const none = { fields: new Map(), body: text };
  const opening = /^\uFEFF?---[ \t]*\r?\n/.exec(text);
  if (!opening) return none;
  const head = text.slice(0, opening[0].length + MAX_FRONT_MATTER_CHARACTERS);
  const closing = /^(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/m;
  const end = closing.exec(head.slice(opening[0].length));
  if (!end) return none;
  const block = head.slice(opening[0].length, opening[0].length + end.index);
  return {
    fields: fieldsOf(block.split(/\r?\n/)),
    body: text.slice(opening[0].length + end.index + end[0].length),
  };
}

function fieldsOf(lines: readonly string[]): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const line of lines) {
    const field = /^([A-Za-z_][\w-]*)[ \t]*:(?:[ \t]+(.*))?$/.exec(line);
    const item = /^[ \t]*-[ \t]+(.*)$/.exec(line);
    if (field) {
      current = valuesOf(field[2] ?? '');
      fields.set(field[1]!, current);
    } else if (item && current) {
      current.push(...valuesOf(item[1]!));
    }
  }
  return fields;
}

function valuesOf(written: string): string[] {
  const value = written.trim();
  if (value === '' || value.startsWith('#')) return [];
  const list = /^\[(.*)\]$/.exec(value);
  if (list) return splitAtCommas(list[1]!).map(unquoted).filter(Boolean);
  return [unquoted(value)];
}

function unquoted(value: string): string {
  const text = value.trim();
  const quoted = /^"((?:[^"\\]|\\.)*)"|^'((?:[^']|'')*)'/.exec(text);
  if (quoted?.[1] !== undefined) return quoted[1].replace(/\\(.)/g, '$1');
  if (quoted?.[2] !== undefined) return quoted[2].replaceAll("''", "'");
  return text.replace(/[ \t]#.*$/, '').trimEnd();
}

/** Splits at the commas that are in no quotes and no braces: `"a,b", src/*.{ts,tsx}` is two. */
export function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quote: string | undefined;
  let depth = 0;
  for (const character of text) {
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'") {
      quote = character;
    } else if (character === '{') {
      depth++;
    } else if (character === '}') {
      depth = Math.max(depth - 1, 0);
    } else if (character === ',' && depth === 0) {
      parts.push(part);
      part = '';
      continue;
    }
    part += character;
  }
  return [...parts, part].map((each) => each.trim()).filter(Boolean);
}
