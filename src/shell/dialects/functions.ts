import type { ShellState } from './dialect.ts';

/** Below this a function set is loaded as it is: parsing it costs less than thinking about it. */
const LAZY_FROM_CHARACTERS = 8 * 1024;

/** Commands that show functions instead of calling them: for these the real bodies must be there. */
const LOOKS_AT_FUNCTIONS =
  /(^|[^\w.-])(declare|typeset|functions|function|type|which|whence|compgen|unset|unfunction|export|local|set|autoload|hash)([^\w.-]|$)/;

/** True when loading all functions with every call would be felt. */
export function areLarge(functions: ShellState['functions']): boolean {
  let length = 0;
  for (const body of Object.values(functions)) length += body.length;
  return length > LAZY_FROM_CHARACTERS;
}

/** True when a command uses a function by name, or lists functions: then they are loaded before it runs. */
export function usesFunctions(command: string, functions: ShellState['functions']): boolean {
  if (LOOKS_AT_FUNCTIONS.test(command)) return true;
  const tokens = new Set(command.match(/[\w.:@+-]+/g));
  return Object.keys(functions).some((name) =>
    /^[\w.:@+-]+$/.test(name) ? tokens.has(name) : command.includes(name),
  );
}

/** Takes apart what `declare -f` printed, by the names that `declare -F` printed in the same order. */
export function splitFunctions(text: string, names: readonly string[]): Record<string, string> {
  const functions: Record<string, string> = {};
  const starts: number[] = [];
  let at = 0;
  for (const name of names) {
    const start = text.startsWith(`${name} ()`, at) ? at : text.indexOf(`\n${name} ()`, at) + 1;
    if (start === 0 && !text.startsWith(`${name} ()`)) return functions;
    starts.push(start);
    at = start + name.length;
  }
  names.forEach((name, index) => {
    functions[name] = text.slice(starts[index], starts[index + 1]).trimEnd();
  });
  return functions;
}

/** Stands in for a function until it is first called, see `stubs`. */
const STUB_CALL = '__lc_fn && ';

/** One line per function that loads all of them and calls the real one. */
export function stubs(names: readonly string[]): string {
  return names.map((name) => `${name} () { ${STUB_CALL}${name} "$@"; }\n`).join('');
}

/** Functions after a call: stubs that were never called stand for what they stood for before. */
export function mergeFunctions(
  after: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const [name, body] of Object.entries(after)) {
    if (name.startsWith('__lc_')) continue;
    const known = before[name];
    merged[name] = known !== undefined && body.includes(STUB_CALL) ? known : body;
  }
  return merged;
}
