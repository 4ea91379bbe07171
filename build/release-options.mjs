import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chosenTargets, WrongOption } from './options.mjs';
import { TARGETS } from './targets.mjs';

export const USAGE = `npm run release                                   everything that is published, for all targets, in dist/release
npm run release -- --target a,b [--out DIR]       for some of them: ${Object.keys(TARGETS).join(', ')}
npm run release -- --executables DIR              with the executables in DIR, instead of building them
npm run release -- --make-key FILE                the key that releases are signed with, once
LOCAL_CODER_RELEASE_KEY (PEM, or a file with it) signs SHA256SUMS.`;

/**
 * @param {readonly string[]} args
 * @param {string} defaultFolder
 * @returns {{ makeKey: string } | { targets: import('./targets.mjs').Target[], outDir: string, executables?: string }}
 * @throws {WrongOption}
 */
export function readReleaseOptions(args, defaultFolder) {
  const { target = ['all'], out, executables, 'make-key': makeKey } = parse(args);
  if (makeKey !== undefined) {
    if (args.length > 2) throw new WrongOption(`--make-key stands alone.\n${USAGE}`);
    return { makeKey: resolve(makeKey) };
  }
  return {
    targets: chosenTargets(target),
    outDir: resolve(out ?? defaultFolder),
    ...(executables === undefined ? {} : { executables: resolve(executables) }),
  };
}

function parse(args) {
  const text = { type: 'string' };
  try {
    return parseArgs({
      args: [...args],
      options: { target: { ...text, multiple: true }, out: text, executables: text, 'make-key': text },
    }).values;
  } catch (error) {
    throw new WrongOption(`${error.message}\n${USAGE}`);
  }
}
