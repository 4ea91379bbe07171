/** Files of a top folder that say what kind of project it is, and the language that goes with it. */
const MARKERS: readonly (readonly [file: RegExp, marker: string, language?: string])[] = [
  [/^package\.json$/, 'node-package', 'JavaScript'],
  [/^tsconfig(\..+)?\.json$/, 'typescript-project', 'TypeScript'],
  [/^deno\.jsonc?$/, 'deno-project', 'TypeScript'],
  [/^(pyproject\.toml|setup\.py|setup\.cfg|requirements\.txt|Pipfile)$/, 'python-project', 'Python'],
  [/^pom\.xml$/, 'maven', 'Java'],
  [/^(build|settings)\.gradle(\.kts)?$/, 'gradle', 'Java'],
  [/^Cargo\.toml$/, 'cargo', 'Rust'],
  [/^go\.mod$/, 'go-module', 'Go'],
  [/^(Gemfile|.+\.gemspec)$/, 'ruby-gem', 'Ruby'],
  [/^composer\.json$/, 'php-composer', 'PHP'],
  [/\.(sln|slnx|csproj)$/, 'dotnet', 'C#'],
  [/^CMakeLists\.txt$/, 'cmake', 'C++'],
  [/^Package\.swift$/, 'swift-package', 'Swift'],
  [/^mix\.exs$/, 'mix', 'Elixir'],
  [/^(GNUmakefile|[Mm]akefile)$/, 'make'],
  [/^(Dockerfile|(docker-)?compose\.ya?ml)$/, 'docker'],
];

/**
 * @param names entries of the top folder
 * @returns markers and languages, each once, in the order of the table
 */
export function projectMarkers(names: Iterable<string>): { markers: string[]; languages: string[] } {
  const all = [...names];
  const found = MARKERS.filter(([file]) => all.some((name) => file.test(name)));
  const markers = found.map(([, marker]) => marker);
  const languages = [...new Set(found.flatMap(([, , language]) => language ?? []))];
  if (all.includes('.git')) markers.push('git-repository');
  return { markers, languages };
}

const LANGUAGES: Readonly<Record<string, string>> = {
  c: 'c',
  cc: 'cpp',
  cjs: 'javascript',
  cpp: 'cpp',
  cs: 'csharp',
  css: 'css',
  cts: 'typescript',
  cxx: 'cpp',
  dart: 'dart',
  ex: 'elixir',
  exs: 'elixir',
  go: 'go',
  gradle: 'groovy',
  groovy: 'groovy',
  h: 'c',
  hpp: 'cpp',
  hs: 'haskell',
  htm: 'html',
  html: 'html',
  java: 'java',
  js: 'javascript',
  json: 'json',
  jsonc: 'jsonc',
  jsx: 'javascriptreact',
  kt: 'kotlin',
  kts: 'kotlin',
  less: 'less',
  lua: 'lua',
  m: 'objective-c',
  md: 'markdown',
  mjs: 'javascript',
  mts: 'typescript',
  php: 'php',
  pl: 'perl',
  ps1: 'powershell',
  py: 'python',
  r: 'r',
  rb: 'ruby',
  rs: 'rust',
  sass: 'sass',
  scala: 'scala',
  scss: 'scss',
  sh: 'shellscript',
  sql: 'sql',
  svelte: 'svelte',
  swift: 'swift',
  tf: 'terraform',
  toml: 'toml',
  ts: 'typescript',
  tsx: 'typescriptreact',
  vue: 'vue',
  xml: 'xml',
  yaml: 'yaml',
  yml: 'yaml',
  zig: 'zig',
};
const LANGUAGES_BY_NAME: Readonly<Record<string, string>> = {
  dockerfile: 'dockerfile',
  makefile: 'makefile',
  gnumakefile: 'makefile',
  'cmakelists.txt': 'cmake',
};

/** The language of a file by its name (identifiers of the Language Server Protocol), undefined for unknown ones. */
export function languageOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const extension = name.slice(name.lastIndexOf('.') + 1);
  const known = (table: Readonly<Record<string, string>>, key: string) =>
    Object.hasOwn(table, key) ? table[key] : undefined;
  return known(LANGUAGES_BY_NAME, name) ?? (name.includes('.') ? known(LANGUAGES, extension) : undefined);
}
