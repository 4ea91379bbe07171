import { isDeepStrictEqual } from 'node:util';
import type { Node, ParseError } from 'jsonc-parser';
import type { Entry } from './clients.ts';
import {
  applyEdits,
  EditRefused,
  type EntryEditor,
  lineEnd,
  notTooDeep,
  place,
  type TextEdit,
} from './edit.ts';
import { contradicting } from './entry.ts';
import { insertProperty, type Layout, layoutOf, printed, removeProperty } from './json-layout.ts';

/** Edits the object under `key` of a file in JSON, with comments and trailing commas where somebody wrote them. */
export function jsonEditor(key: string): EntryEditor {
  return {
    async read(text) {
      return text.trim() === '' ? new Map() : entriesOf(await parse(text), key);
    },
    async set(text, name, entry) {
      if (text.trim() === '') return newFile(text, key, name, entry);
      const root = await parse(text);
      const edited = await withEntry(text, root, [key, name], entry);
      await prove(text, edited, key, name, entry);
      return edited;
    },
    async remove(text, name) {
      if (text.trim() === '') return text;
      const root = await parse(text);
      const property = propertyOf(objectAt(root, key), name);
      if (property === undefined) return text;
      const edited = applyEdits(text, removeProperty(text, property));
      await prove(text, edited, key, name, undefined);
      return edited;
    },
    async removeEmpty(text, earlier) {
      if (text.trim() === '') return text;
      const [root, before] = [await parse(text), earlier.trim() === '' ? undefined : await parse(earlier)];
      const [property, servers] = [propertyOf(root, key), objectAt(root, key)];
      if (property === undefined || servers === undefined || propertyOf(before, key) !== undefined)
        return text;
      // Another entry, or a comment that somebody wrote into it.
      if (text.slice(servers.offset + 1, servers.offset + servers.length - 1).trim() !== '') return text;
      const edited = applyEdits(text, removeProperty(text, property));
      await prove(text, edited, key, '', undefined);
      return edited;
    },
    byHand: (name, entry) => JSON.stringify({ [key]: { [name]: entry } }, null, 2),
  };
}

/** @throws {EditRefused} with the place of the first error */
async function parse(text: string): Promise<Node> {
  const { parseTree, printParseErrorCode } = await import('jsonc-parser');
  const errors: ParseError[] = [];
  const root = notTooDeep(() => parseTree(text, errors, { allowTrailingComma: true }));
  const [error] = errors;
  if (error !== undefined) {
    const what = printParseErrorCode(error.error).replace(/([a-z])([A-Z])/g, '$1 $2');
    throw new EditRefused(`it is not valid JSON: ${what.toLowerCase()} at ${place(text, error.offset)}`);
  }
  if (root?.type !== 'object') throw new EditRefused('it does not hold a JSON object');
  return root;
}

function entriesOf(root: Node, key: string): Map<string, unknown> {
  const children = objectAt(root, key)?.children ?? [];
  return new Map(
    children.map((property) => [String(property.children?.[0]?.value), jsValue(property.children?.[1])]),
  );
}

/** The object under a key of the root; undefined without one. @throws {EditRefused} for anything else there */
function objectAt(root: Node, key: string): Node | undefined {
  const property = propertyOf(root, key);
  if (property === undefined) return undefined;
  const value = property.children?.[1];
  if (value?.type !== 'object') throw new EditRefused(`its "${key}" is not an object`);
  return value;
}

/** @throws {EditRefused} for a key that stands there twice: which of the two counts is the reader's secret */
function propertyOf(object: Node | undefined, name: string): Node | undefined {
  const found = (object?.children ?? []).filter(({ children }) => children?.[0]?.value === name);
  if (found.length > 1) throw new EditRefused(`"${name}" stands there twice`);
  return found[0];
}

async function withEntry(
  text: string,
  root: Node,
  [key, name]: [string, string],
  entry: Entry,
): Promise<string> {
  const layout = layoutOf(text, root);
  const servers = objectAt(root, key);
  if (servers === undefined) {
    return applyEdits(text, insertProperty(text, root, key, { [name]: entry }, layout));
  }
  const present = propertyOf(servers, name);
  if (present === undefined) return applyEdits(text, insertProperty(text, servers, name, entry, layout));
  const value = present.children?.[1];
  if (value?.type !== 'object') throw new EditRefused(`its entry "${name}" is not an object`);
  let edited = applyEdits(text, changeEdits(text, value, entry, layout));
  for (;;) {
    const object = propertyOf(objectAt(await parse(edited), key), name)?.children?.[1];
    const missing = Object.entries(entry).find(([part]) => propertyOf(object, part) === undefined);
    if (object === undefined || missing === undefined) return edited;
    edited = applyEdits(edited, insertProperty(edited, object, ...missing, layout));
  }
}

/** Changes what differs in a present entry. One whose kind changes is written anew: little of it would stay. */
function changeEdits(text: string, object: Node, entry: Entry, layout: Layout): TextEdit[] {
  const present = jsValue(object) as Record<string, unknown>;
  const write = (node: Node, value: unknown): TextEdit => ({
    start: node.offset,
    end: node.offset + node.length,
    text: printed(value, layout, text, node.offset),
  });
  const dropped = contradicting(entry).filter((name) => Object.hasOwn(present, name));
  if (dropped.length > 0) {
    const kept = Object.entries(present).filter(([name]) => !dropped.includes(name) && !(name in entry));
    return [write(object, { ...entry, ...Object.fromEntries(kept) })];
  }
  return Object.entries(entry).flatMap(([name, value]) => {
    const node = propertyOf(object, name)?.children?.[1];
    return node === undefined || isDeepStrictEqual(jsValue(node), value) ? [] : [write(node, value)];
  });
}

function newFile(text: string, key: string, name: string, entry: Entry): string {
  return `${JSON.stringify({ [key]: { [name]: entry } }, null, 2)}\n`.replaceAll('\n', lineEnd(text));
}

/** The value of a node; a key that stands there twice counts as its last, as JSON.parse has it. */
function jsValue(node: Node | undefined): unknown {
  if (node?.type === 'array') return (node.children ?? []).map(jsValue);
  if (node?.type !== 'object') return node?.value;
  return Object.fromEntries(
    (node.children ?? []).map(({ children }) => [children?.[0]?.value, jsValue(children?.[1])]),
  );
}

/** Everything but the entry is as it was, and the entry is as it was meant. @throws {EditRefused} */
async function prove(
  before: string,
  after: string,
  key: string,
  name: string,
  entry: Entry | undefined,
): Promise<void> {
  const [old, now] = [await parse(before), await parse(after)];
  const found = entriesOf(now, key).get(name);
  const isMeant =
    entry === undefined
      ? found === undefined
      : Object.entries(entry).every(([part, value]) =>
          isDeepStrictEqual((found as Record<string, unknown> | undefined)?.[part], value),
        );
  if (isMeant && rest(old, key, name) === rest(now, key, name)) return;
  throw new EditRefused('its layout is one that this program cannot edit safely');
}

/** All of a file but one entry, as text, in order. */
function rest(root: Node, key: string, name: string): string {
  const value = jsValue(root) as Record<string, unknown>;
  const { [name]: _, ...others } = (value[key] ?? {}) as Record<string, unknown>;
  const { [key]: __, ...outer } = value;
  return JSON.stringify([outer, others]);
}
