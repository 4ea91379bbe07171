import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { TARGETS } from './targets.mjs';

export const USAGE = `npm run build                            dist/local-coder for this machine
npm run build -- --target a,b [--out DIR]   DIR/local-coder-<version>-<target> (default DIR: dist)
  targets: ${Object.keys(TARGETS).join(', ')}, or all`;

/** A mistake on the command line: its message is all there is to say. */
export class WrongOption extends Error {}

/**
 * @param {readonly string[]} args
 * @param {string} defaultFolder
 * @returns {{ targets: import('./targets.mjs').Target[] | undefined, folder: string }} no targets: for this machine
 */
export function readOptions(args, defaultFolder) {
  const { target, out } = parse(args);
  if (target === undefined && out !== undefined) throw new WrongOption(`--out wants --target.\n${USAGE}`);
  return {
    targets: target === undefined ? undefined : chosenTargets(target),
    folder: resolve(out ?? defaultFolder),
  };
}

/**
 * @param {readonly string[]} lists each names targets, separated by commas, or says `all`
 * @returns {import('./targets.mjs').Target[]} in the order of the table, each once
 */
export function chosenTargets(lists) {
  const names = new Set(lists.flatMap((list) => list.split(',')).map((name) => name.trim()));
  if (names.delete('all')) for (const name of Object.keys(TARGETS)) names.add(name);
  const unknown = [...names].find((name) => !Object.hasOwn(TARGETS, name));
  if (unknown !== undefined) throw new WrongOption(`"${unknown}" is no target.\n${USAGE}`);
  return Object.values(TARGETS).filter(({ name }) => names.has(name));
}

function parse(args) {
  try {
    return parseArgs({
      args,
      options: { target: { type: 'string', multiple: true }, out: { type: 'string' } },
    }).values;
  } catch (error) {
    throw new WrongOption(`${error.message}\n${USAGE}`);
  }
}
