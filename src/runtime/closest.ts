/**
 * The known name that is nearest to a mistyped one, or undefined when nothing is near.
 * Damerau-Levenshtein distance (adjacent transpositions count one), at most a third of the length.
 */
export function closestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = fold(name);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const distance = fold(candidate) === wanted ? 0 : editDistance(wanted, fold(candidate), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

const MAX_WORDS = 20;

/**
 * The known parameters or tools that a made-up name most likely meant, best first; at most three. Whoever makes up a
 * name takes the right words more often than the right letters: `read_file` is `read_text_file` and not `send_file`,
 * `filePath` is `path`, `process_id` is `id`.
 * @param byOneWord whether one word in common is enough where nothing else is near: `old_string` is `old_text`, but
 *   `git_commit` is not `git_status`
 */
export function closestIdentifiers(name: string, known: Iterable<string>, byOneWord = false): string[] {
  const wanted = wordsOf(name);
  const names = [...known];
  const candidates = names.map((candidate) => {
    const words = wordsOf(candidate);
    const shared = words.filter((word) => wanted.includes(word)).length;
    return { candidate, shared, other: words.length + wanted.length - 2 * shared, count: words.length };
  });
  const within = candidates.filter(
    ({ shared, count }) => shared > 0 && (shared === wanted.length || shared === count),
  );
  const least = Math.min(...within.map(({ other }) => other));
  if (within.length > 0) return named(within.filter(({ other }) => other === least));
  const closest = closestName(name, names);
  if (closest !== undefined) return [closest];
  if (!byOneWord) return [];
  const most = Math.max(1, ...candidates.map(({ shared }) => shared));
  return named(candidates.filter(({ shared }) => shared === most));
}

function named(candidates: readonly { candidate: string }[]): string[] {
  return candidates.slice(0, 3).map(({ candidate }) => candidate);
}

/** `maxResults`, `max-results` and `max_results` are the words max and results. */
function wordsOf(name: string): string[] {
  const words = name
    .slice(0, 200)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  return [...new Set(words)].slice(0, MAX_WORDS);
}

/** `"a"`, `"a" or "b"`. */
export function quotedNames(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' or ');
}

/** `filePath`, `file-path` and `file_path` are one name to a model. */
function fold(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '');
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || Math.max(a.length, b.length) > 200) return limit;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let value = Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        value = Math.min(value, beforePrevious[j - 2]! + 1);
      }
      current.push(value);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
