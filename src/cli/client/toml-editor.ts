import { isDeepStrictEqual } from 'node:util';
import type { Entry } from './clients.ts';
import { applyEdits, EditRefused, type EntryEditor, lineEnd, notTooDeep, type TextEdit } from './edit.ts';
import { contradicting } from './entry.ts';
import { type TomlItem, tomlItems } from './toml-lines.ts';

type Table = Record<string, unknown>;

/**
 * Edits the tables `[key.NAME]` of a TOML file by their lines. Every edit is proven with a real parser: all other
 * values as before, the entry as meant; what cannot be done so (inline tables, dotted keys) is refused.
 */
export function tomlEditor(key: string): EntryEditor {
  return {
    async read(text) {
      const servers = (await parse(text))[key] ?? {};
      if (!isTable(servers)) throw new EditRefused(`its "${key}" is not a table`);
      return new Map(Object.entries(servers));
    },
    async set(text, name, entry) {
      const present = (await this.read(text)).get(name);
      const edited =
        present === undefined
          ? insertTable(text, key, name, entry)
          : changeTable(text, [key, name], present as Table, entry);
      await prove(text, edited, [key, name], entry);
      return edited;
    },
    async remove(text, name) {
      if (!(await this.read(text)).has(name)) return text;
      const edited = removeTables(text, [key, name]);
      await prove(text, edited, [key, name], undefined);
      return edited;
    },
    byHand: (name, entry) => tableLines(key, name, entry).join('\n'),
  };
}

/** @throws {EditRefused} with the place of the error */
async function parse(text: string): Promise<Table> {
  const { parse: parseToml, TomlError } = await import('smol-toml');
  try {
    return notTooDeep(() => parseToml(text, { integersAsBigInt: 'asNeeded' }));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '');
    throw new EditRefused(`it is not valid TOML: ${what} at line ${error.line}, column ${error.column}`);
  }
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tableLines(key: string, name: string, entry: Entry): string[] {
  return [`[${key}.${name}]`, ...Object.entries(entry).map(([part, value]) => `${part} = ${printed(value)}`)];
}

/** JSON's strings are TOML's basic strings, but for the one control character that JSON does not escape. */
function printed(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printed).join(', ')}]`;
  return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
}

/** A new table stands behind the last one of its kind, or at the end of the file. */
function insertTable(text: string, key: string, name: string, entry: Entry): string {
  const eol = lineEnd(text);
  const items = tomlItems(text);
  const lastOfKind = items.findLastIndex(({ kind, path }) => kind !== 'pair' && path[0] === key);
  const next = items.findIndex((item, index) => index > lastOfKind && item.kind !== 'pair');
  const before = lastOfKind === -1 || next === -1 ? undefined : items[next - 1];
  const at = before?.lineEnd ?? text.length;
  const table = tableLines(key, name, entry).join(eol);
  if (text.trim() === '') return `${text}${table}${eol}`;
  const endsInLine = !text.slice(0, at).endsWith('\n');
  const added = endsInLine ? `${eol}${eol}${table}` : `${eol}${table}${eol}`;
  return text.slice(0, at) + added + text.slice(at);
}

/** The pairs of the table with exactly this header. */
function tableOf(
  items: readonly TomlItem[],
  path: readonly string[],
): { header: TomlItem; pairs: TomlItem[] } {
  const headers = items.filter(({ kind, path: own }) => kind === 'table' && isDeepStrictEqual(own, path));
  const [header] = headers;
  if (header === undefined || headers.length > 1) throw notATable(path);
  const from = items.indexOf(header) + 1;
  const next = items.findIndex(({ kind }, index) => index >= from && kind !== 'pair');
  return { header, pairs: items.slice(from, next === -1 ? undefined : next) };
}

function notATable(path: readonly string[]): EditRefused {
  return new EditRefused(
    `its entry "${path.at(-1)}" is not written as a table [${path.join('.')}] of its own, which is the one form that can be edited here`,
  );
}

function changeTable(text: string, path: readonly string[], present: Table, entry: Entry): string {
  const dropped = contradicting(entry).filter((name) => Object.hasOwn(present, name));
  const { header, pairs } = tableOf(tomlItems(text), path);
  const eol = lineEnd(text);
  const edits: TextEdit[] = [];
  const missing: string[] = [];
  for (const [name, value] of Object.entries(entry)) {
    if (isDeepStrictEqual(present[name], value)) continue;
    const pair = pairs.find(({ path: own }) => own.length === 1 && own[0] === name);
    if (pair) edits.push({ start: pair.start, end: pair.end, text: printed(value) });
    else missing.push(`${name} = ${printed(value)}`);
  }
  for (const pair of pairs) {
    if (dropped.includes(pair.path[0] ?? ''))
      edits.push({ start: pair.lineStart, end: pair.lineEnd, text: '' });
  }
  if (missing.length > 0) {
    const endsInLine = header.lineEnd === text.length && !text.endsWith('\n');
    const lines = missing.join(eol);
    edits.push({
      start: header.lineEnd,
      end: header.lineEnd,
      text: endsInLine ? `${eol}${lines}` : `${lines}${eol}`,
    });
  }
  const edited = applyEdits(text, edits);
  return dropped.reduce((left, name) => removeTables(left, [...path, name], true), edited);
}

/** Takes out the table with this path and those below it, each with its pairs and one blank line before it. */
function removeTables(text: string, path: readonly string[], mayMiss = false): string {
  const items = tomlItems(text);
  const isBelow = (own: readonly string[]) => path.every((part, index) => own[index] === part);
  const headers = items.filter(({ kind, path: own }) => kind !== 'pair' && isBelow(own));
  if (headers.length === 0) {
    if (mayMiss) return text;
    throw notATable(path);
  }
  const edits = headers.map((header): TextEdit => {
    const from = items.indexOf(header) + 1;
    const next = items.findIndex(({ kind }, index) => index >= from && kind !== 'pair');
    const last = items.slice(from, next === -1 ? undefined : next).at(-1) ?? header;
    return { start: blankLineBefore(text, header.lineStart, last.lineEnd), end: last.lineEnd, text: '' };
  });
  return applyEdits(text, edits);
}

/** One blank line before a table goes with it; so does the line end that a table without one got before it. */
function blankLineBefore(text: string, lineStart: number, end: number): number {
  const isLast = end === text.length && !text.endsWith('\n');
  const pattern = isLast ? /(?:\r?\n){1,2}$/ : /(?<=\n)\r?\n$|^\r?\n$/;
  return lineStart - (pattern.exec(text.slice(0, lineStart))?.[0].length ?? 0);
}

/** Everything but the entry is as it was, and the entry is as it was meant. @throws {EditRefused} */
async function prove(
  before: string,
  after: string,
  [key, name]: readonly [string, string],
  entry: Entry | undefined,
): Promise<void> {
  const old = await parse(before);
  const now = await parse(after).catch((error: unknown) => {
    if (!(error instanceof EditRefused)) throw error;
    throw new EditRefused(
      `its "${key}" is written in a form (an inline table, dotted keys) that cannot be edited here`,
    );
  });
  const found = (now[key] as Table | undefined)?.[name];
  const isMeant =
    entry === undefined
      ? found === undefined
      : isTable(found) &&
        Object.entries(entry).every(([part, value]) => isDeepStrictEqual(found[part], value)) &&
        contradicting(entry).every((part) => !Object.hasOwn(found, part));
  if (isMeant && isDeepStrictEqual(rest(old, key, name), rest(now, key, name))) return;
  throw new EditRefused('its layout is one that this program cannot edit safely');
}

/** All of a file but one entry. Dates are compared by what they say, not by the objects that they are. */
function rest(file: Table, key: string, name: string): unknown {
  const { [key]: servers, ...outer } = file;
  const { [name]: _, ...others } = (servers ?? {}) as Table;
  return JSON.parse(
    JSON.stringify([outer, others], (_key, value) => (typeof value === 'bigint' ? `${value}n` : value)),
  );
}
