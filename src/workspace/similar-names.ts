const MAX_SUGGESTIONS = 3;
const MAX_CANDIDATES = 10_000;

/** The names that a mistyped name most likely meant, best first; at most three, none when nothing is close. */
export function similarNames(wanted: string, names: readonly string[]): string[] {
  const key = wanted.toLowerCase();
  const stem = stemOf(key);
  const allowed = Math.max(1, Math.floor(key.length / 4));
  const scored: { name: string; distance: number }[] = [];
  for (const name of names.slice(0, MAX_CANDIDATES)) {
    const other = name.toLowerCase();
    if (name.startsWith('.local-coder-')) continue;
    const distance =
      other === key ? 0 : stem.length > 1 && stemOf(other) === stem ? 0.5 : editDistance(key, other, allowed);
    if (distance <= allowed) scored.push({ name, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return scored.slice(0, MAX_SUGGESTIONS).map(({ name }) => name);
}

function stemOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(0, dot) : name;
}

/** Levenshtein distance, or Infinity as soon as it must exceed `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const value = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
      current.push(value);
      if (value < best) best = value;
    }
    if (best > limit) return Number.POSITIVE_INFINITY;
    previous = current;
  }
  return previous[b.length]!;
}
