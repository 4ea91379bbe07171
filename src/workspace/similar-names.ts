import { closestName } from '../runtime/closest.ts';

const MAX_CANDIDATES = 10_000;

/** The names that a mistyped file name most likely meant, best first; at most three, none when nothing is close. */
export function similarNames(wanted: string, names: readonly string[]): string[] {
  const candidates = names.slice(0, MAX_CANDIDATES);
  const closest = closestName(wanted, candidates);
  const stem = stemOf(wanted);
  const sameStem = stem.length > 1 ? candidates.filter((name) => stemOf(name) === stem) : [];
  return [...new Set([...(closest === undefined ? [] : [closest]), ...sameStem.sort()])].slice(0, 3);
}

/** `Button.tsx` and `button.ts` differ only in what is easily mistaken. */
function stemOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return (dot > 0 ? name.slice(0, dot) : name).toLowerCase();
}
