import { unquoteBytes } from '../runtime/quoted-name.ts';
import { invalidPatch } from './invalid-patch.ts';

/**
 * Decodes a C-quoted name as git writes it (`"a/f\303\266.txt"`) from the start of `text`.
 * @returns the name and how many characters it took, undefined when `text` does not begin with a quoted name
 * @throws {CodedError} INVALID_PATCH when the bytes are not UTF-8
 */
export function unquoteName(text: string, patchLine: number): { name: string; length: number } | undefined {
  const quoted = /^"((?:[^"\\]|\\(?:[abtnvfr"\\]|[0-3][0-7]{2}))*)"/.exec(text);
  if (quoted === null) return undefined;
  try {
    const name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      unquoteBytes(quoted[1] ?? '', 'utf8'),
    );
    return { name, length: quoted[0].length };
  } catch {
    throw invalidPatch(
      patchLine,
      `the file name ${quoted[0]} is not UTF-8.`,
      'Rename that file with run_command; names that are not UTF-8 cannot be addressed here.',
    );
  }
}

/** The name after `--- `, `+++ `, `rename from `: quoted or not, without the timestamp that diff appends. */
export function readName(text: string, patchLine: number): string {
  const quoted = unquoteName(text, patchLine);
  if (quoted !== undefined) return quoted.name;
  const tab = text.indexOf('\t');
  // The tab is how diff marks the end of a name that has spaces: what stands before it is the name, to the letter.
  if (tab >= 0) return text.slice(0, tab);
  return text.trimEnd().replace(/\s+\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( ?[+-]\d{4})?$/, '');
}

/** The two names of `diff --git a/x b/x`; undefined where spaces leave it open where the first one ends. */
export function gitHeaderNames(line: string, patchLine: number): [string, string] | undefined {
  const rest = line.slice('diff --git '.length).trimEnd();
  const first = unquoteName(rest, patchLine);
  if (first !== undefined) {
    const second = rest.slice(first.length).trimStart();
    return [first.name, unquoteName(second, patchLine)?.name ?? second];
  }
  const quote = rest.indexOf(' "');
  const quotedSecond = quote < 0 ? undefined : unquoteName(rest.slice(quote + 1), patchLine);
  if (quotedSecond !== undefined) return [rest.slice(0, quote), quotedSecond.name];
  // Without rename both names are equal but for the prefix, so the space between them is the middle.
  const middle = (rest.length - 1) / 2;
  const [left, right] = [rest.slice(0, middle), rest.slice(middle + 1)];
  if (rest[middle] === ' ' && (left === right || withoutPrefixes(left, right)?.[0] === right.slice(2))) {
    return [left, right];
  }
  const space = rest.indexOf(' ');
  return space > 0 && space === rest.lastIndexOf(' ')
    ? [rest.slice(0, space), rest.slice(space + 1)]
    : undefined;
}

/** a/ b/, and what git writes with diff.mnemonicPrefix (index, work tree, commit, object). */
const PREFIX_PAIRS = new Set(['ab', 'ba', 'iw', 'wi', 'ci', 'ic', 'cw', 'wc', 'ow', 'wo']);

/** Both names without their prefixes, or undefined when not both sides carry one. */
export function withoutPrefixes(left: string, right: string): [string, string] | undefined {
  if (left[1] !== '/' || right[1] !== '/' || left.length < 3 || right.length < 3) return undefined;
  return PREFIX_PAIRS.has(`${left[0]}${right[0]}`) ? [left.slice(2), right.slice(2)] : undefined;
}

/**
 * A name in one spelling: no `./`, no doubled or final slash. `..` stays: the path guard refuses it by name.
 * @throws {CodedError} INVALID_PATCH for an empty name or one with a NUL character
 */
export function normaliseName(name: string, baseFolder: string | undefined, patchLine: number): string {
  if (name === '' || name.includes('\0')) {
    throw invalidPatch(patchLine, 'the file name is empty or contains a NUL character.', 'Name the file.');
  }
  const absolute = /^([/~]|[A-Za-z]:[\\/]|\\\\)/.test(name);
  const joined = baseFolder === undefined || absolute ? name : `${baseFolder}/${name}`;
  const root = joined.startsWith('/') ? '/' : '';
  const parts = joined.split('/').filter((part) => part !== '' && part !== '.');
  const normalised = root + parts.join('/');
  return normalised === '' || normalised === '/' ? '.' : normalised;
}
