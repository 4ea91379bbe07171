import { stat } from 'node:fs/promises';
import { join, posix } from 'node:path';

export interface LanguageShare {
  readonly language: string;
  readonly bytes: number;
  readonly files: number;
}

export interface LanguageCount {
  /** Most bytes first. */
  readonly languages: readonly LanguageShare[];
  /** False when time or the number of files ran out: the shares are then those of a part of the files. */
  readonly complete: boolean;
}

/** Programming languages only: what a lock file or a data file weighs says nothing about a project. */
const EXTENSIONS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    TypeScript: 'ts mts cts tsx',
    JavaScript: 'js mjs cjs jsx',
    Python: 'py pyi pyw',
    Go: 'go',
    Rust: 'rs',
    Java: 'java',
    Kotlin: 'kt kts',
    Scala: 'scala sc',
    Groovy: 'groovy gradle',
    Clojure: 'clj cljs cljc',
    C: 'c',
    'C/C++ headers': 'h',
    'C++': 'cc cpp cxx hh hpp hxx ipp',
    'C#': 'cs',
    'F#': 'fs fsi fsx',
    'Visual Basic': 'vb',
    PHP: 'php phtml',
    Ruby: 'rb rake gemspec',
    Swift: 'swift',
    'Objective-C': 'm mm',
    Dart: 'dart',
    Elixir: 'ex exs',
    Erlang: 'erl hrl',
    Haskell: 'hs lhs',
    OCaml: 'ml mli',
    Lua: 'lua',
    Perl: 'pl pm',
    R: 'r',
    Julia: 'jl',
    Zig: 'zig',
    Nim: 'nim',
    Fortran: 'f f90 f95',
    Shell: 'sh bash zsh fish',
    PowerShell: 'ps1 psm1',
    SQL: 'sql',
    HTML: 'html htm xhtml',
    CSS: 'css scss sass less',
    Vue: 'vue',
    Svelte: 'svelte',
    Astro: 'astro',
    Solidity: 'sol',
    'Protocol Buffers': 'proto',
    GraphQL: 'graphql gql',
    Terraform: 'tf',
    Nix: 'nix',
    Assembly: 's asm',
    CUDA: 'cu cuh',
    'Jupyter Notebook': 'ipynb',
    Markdown: 'md mdx',
  }).flatMap(([language, extensions]) => extensions.split(' ').map((extension) => [extension, language])),
);

/** Prose is counted, but never the language of a project: it comes last. */
const PROSE = new Set(['Markdown', 'HTML']);
const MAX_FILES = 50_000;
/** Pending at once; the file system's own threads are few, more would only cost memory. */
const CONCURRENCY = 64;

/** The language of a file by its name; undefined for what is no source text. */
export function languageOf(path: string): string | undefined {
  return EXTENSIONS[posix.extname(path).slice(1).toLowerCase()];
}

/**
 * How many bytes of source text each language has.
 * @param paths relative to `folder`, `/`-separated
 * @param deadlineMs `performance.now()` by which it ends with what it has
 */
export async function countLanguages(
  folder: string,
  paths: readonly string[],
  deadlineMs: number,
  signal: AbortSignal,
): Promise<LanguageCount> {
  const sources = paths.filter((path) => languageOf(path) !== undefined);
  const counts = new Map<string, { bytes: number; files: number }>();
  const end = Math.min(sources.length, MAX_FILES);
  let next = 0;
  let late = false;
  const work = async () => {
    while (next < end && !late) {
      const path = sources[next++]!;
      const size = await stat(join(folder, path)).then(
        (stats) => stats.size,
        // Gone since it was listed.
        () => undefined,
      );
      signal.throwIfAborted();
      if (size !== undefined) add(counts, languageOf(path)!, size);
      late = performance.now() > deadlineMs;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const languages = [...counts]
    .map(([language, count]) => ({ language, ...count }))
    .sort((a, b) => Number(PROSE.has(a.language)) - Number(PROSE.has(b.language)) || b.bytes - a.bytes);
  return { languages, complete: next >= sources.length };
}

function add(counts: Map<string, { bytes: number; files: number }>, language: string, bytes: number): void {
  const count = counts.get(language) ?? { bytes: 0, files: 0 };
  counts.set(language, { bytes: count.bytes + bytes, files: count.files + 1 });
}
