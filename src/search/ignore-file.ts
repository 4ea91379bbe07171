import { compileGlob, type GlobPattern } from './glob-pattern.ts';

export type Verdict = 'ignore' | 'include' | undefined;

interface Rule {
  readonly glob: GlobPattern;
  readonly negated: boolean;
  readonly foldersOnly: boolean;
}

/** The rules of one ignore file (.gitignore syntax). Paths are relative to the folder that the file speaks of. */
export class IgnoreFile {
  readonly #rules: readonly Rule[];

  constructor(content: string) {
    this.#rules = content
      .replace(/^\ufeff/, '')
      .split(/\r?\n/)
      .flatMap((line) => parseRule(line) ?? []);
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** What the last rule that matches says. A folder's contents are not asked about: nobody enters an ignored one. */
  verdict(path: string, isFolder: boolean): Verdict {
    for (let index = this.#rules.length - 1; index >= 0; index--) {
      const rule = this.#rules[index]!;
      if ((isFolder || !rule.foldersOnly) && rule.glob.matches(path))
        return rule.negated ? 'include' : 'ignore';
    }
    return undefined;
  }
}

/**
 * ripgrep's --glob: files that match are included whatever the ignore rules say, and all others are not; with `!`
 * the other way round, and the ignore rules go on to hold for the rest.
 */
export class GlobOverride {
  readonly #excludes: boolean;
  readonly #rule: Rule | undefined;

  /** @throws {CodedError} INVALID_PATTERN */
  constructor(glob: string) {
    this.#excludes = glob.startsWith('!');
    this.#rule = makeRule(this.#excludes ? glob.slice(1) : glob);
  }

  verdict(path: string, isFolder: boolean): Verdict {
    if (!this.#rule) return undefined;
    const matches = (isFolder || !this.#rule.foldersOnly) && this.#rule.glob.matches(path);
    if (matches) return this.#excludes ? 'ignore' : 'include';
    return this.#excludes || isFolder ? undefined : 'ignore';
  }
}

/** A rule of an ignore file. One that cannot be understood is left out, as git and ripgrep do. */
function parseRule(line: string): Rule | undefined {
  if (line.startsWith('#')) return undefined;
  const text = line.replace(/(\\\s)?\s*$/, '$1');
  if (text === '' || text === '!') return undefined;
  try {
    return makeRule(text);
  } catch {
    return undefined;
  }
}

function makeRule(line: string): Rule | undefined {
  const negated = line.startsWith('!');
  let text = negated ? line.slice(1) : line;
  const foldersOnly = text.endsWith('/') && !text.endsWith('\\/');
  if (foldersOnly) text = text.replace(/\/+$/, '');
  if (text === '') return undefined;
  // Without a slash inside, a rule holds at every depth.
  if (text.startsWith('/')) text = text.replace(/^\/+/, '');
  else if (!text.includes('/')) text = `**/${text}`;
  return { glob: compileGlob(text, { dot: true }), negated, foldersOnly };
}
