import { isOwnVariable } from '../environment.ts';
import { latin1ToUtf8, readWord, skipArray } from './words.ts';

/** One variable as a shell printed it. */
export interface Variable {
  readonly name: string;
  readonly exported: boolean;
  /** Undefined for arrays and variables without a value. */
  readonly value: string | undefined;
  /** The printed line, which sets it again. */
  readonly line: string;
}

export interface PrintedForm {
  /** Matches the beginning of an entry up to and with the name; group "flags" and group "name". Sticky. */
  readonly entry: RegExp;
  /** An entry sets an exported variable. */
  readonly isExported: (entry: string, flags: string) => boolean;
  /** Values that only look like words must be taken as they are (integers, associative arrays …): keep the line. */
  readonly isPlain: (flags: string) => boolean;
}

/** All variables in what `declare -p`, `typeset -p`, `export -p` or `set` printed. */
export function parseVariables(text: string, form: PrintedForm): Variable[] {
  const variables: Variable[] = [];
  let at = 0;
  while (at < text.length) {
    form.entry.lastIndex = at;
    const match = form.entry.exec(text);
    const name = match?.groups?.['name'];
    if (!match || name === undefined) {
      const newline = text.indexOf('\n', at);
      if (newline < 0) break;
      at = newline + 1;
      continue;
    }
    const flags = match.groups?.['flags'] ?? '';
    let end = at + match[0].length;
    let value: string | undefined;
    if (text.charAt(end) === '=') {
      if (text.charAt(end + 1) === '(') {
        end = skipArray(text, end + 1);
      } else {
        const word = readWord(text, end + 1);
        end = word.end;
        if (form.isPlain(flags)) value = word.value;
      }
    }
    variables.push({ name, exported: form.isExported(match[0], flags), value, line: text.slice(at, end) });
    const newline = text.indexOf('\n', end);
    at = newline < 0 ? text.length : newline + 1;
  }
  return variables;
}

/**
 * The entries of a script of variables by what they set, name and attributes; undefined when it is not made of such
 * entries alone. Joined, each with a line break, they are the script again.
 */
export function entriesOf(script: string, form: PrintedForm): Record<string, string> | undefined {
  const lines = parseVariables(script, form).map(({ line }) => line);
  if (lines.map((line) => `${line}\n`).join('') !== script) return undefined;
  const entries = Object.fromEntries(lines.map((line) => [line.split('=', 1)[0] ?? '', line]));
  return Object.keys(entries).length === lines.length ? entries : undefined;
}

export interface SplitVariables {
  readonly environment: Record<string, string | null>;
  readonly script: string;
}

/**
 * Linux starts no program with one variable above 128 KiB or with an environment of some MiB. What is beyond goes
 * into the script: the shell starts, and `unset` can mend it.
 */
const MAX_VALUE_BYTES = 100 * 1024;
const MAX_ENVIRONMENT_BYTES = 512 * 1024;

/** Kept by the shell or by us, call by call. */
const PER_CALL = /^(_|PWD|SHLVL|__lc_.*)$/;

/**
 * Tells what has to be remembered: exported variables as differences from `environment`, so that what the user did
 * not touch follows the server's environment and is never written to disk; the rest as a script.
 * @param isOwn variables that the shell makes itself
 */
export function splitVariables(
  variables: readonly Variable[],
  environment: Readonly<Record<string, string>>,
  isOwn: (variable: Variable) => boolean,
): SplitVariables {
  const changed: Record<string, string | null> = {};
  const seen = new Set<string>();
  let script = '';
  let bytes = 0;
  for (const variable of variables) {
    const { name, value } = variable;
    if (PER_CALL.test(name) || isOwnVariable(name)) continue;
    const text = value === undefined ? undefined : latin1ToUtf8(value);
    if (variable.exported && text !== undefined) {
      seen.add(name);
      if (environment[name] === text) continue;
      // Of a value that the shell printed there are as many bytes as characters.
      const size = value?.length ?? 0;
      const fits = size <= MAX_VALUE_BYTES && bytes + size <= MAX_ENVIRONMENT_BYTES;
      if (fits) {
        bytes += size;
        changed[name] = text;
      } else {
        script += `${variable.line}\n`;
      }
    } else if (!isOwn(variable)) {
      script += `${variable.line}\n`;
    }
  }
  for (const name of Object.keys(environment)) {
    // Other names exist in environments, but shells cannot touch them.
    if (/^[A-Za-z_]\w*$/.test(name) && !seen.has(name) && !PER_CALL.test(name)) changed[name] = null;
  }
  return { environment: changed, script };
}
