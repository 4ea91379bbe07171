/** Languages that can be outlined by a grammar. */
export type GrammarName =
  | 'bash'
  | 'c-sharp'
  | 'cpp'
  | 'css'
  | 'go'
  | 'java'
  | 'javascript'
  | 'php'
  | 'powershell'
  | 'python'
  | 'ruby'
  | 'rust'
  | 'tsx'
  | 'typescript';

/** File name extensions of each grammar. The grammar of C++ serves C, too. */
const EXTENSIONS: Readonly<Record<GrammarName, string>> = {
  bash: 'sh bash zsh bats',
  'c-sharp': 'cs csx',
  cpp: 'c h cc cpp cxx c++ hh hpp hxx h++ ipp inl cu cuh',
  css: 'css',
  go: 'go',
  java: 'java',
  javascript: 'js mjs cjs jsx',
  php: 'php phtml',
  powershell: 'ps1 psm1',
  python: 'py pyi pyw',
  ruby: 'rb rake gemspec ru',
  rust: 'rs',
  tsx: 'tsx',
  typescript: 'ts mts cts',
};

/** What a person calls the language of a grammar. Its keys are the grammars that build.mjs embeds. */
export const LANGUAGE_NAMES: Readonly<Record<GrammarName, string>> = {
  bash: 'Bash',
  'c-sharp': 'C#',
  cpp: 'C/C++',
  css: 'CSS',
  go: 'Go',
  java: 'Java',
  javascript: 'JavaScript',
  php: 'PHP',
  powershell: 'PowerShell',
  python: 'Python',
  ruby: 'Ruby',
  rust: 'Rust',
  tsx: 'TSX',
  typescript: 'TypeScript',
};

const BY_EXTENSION = new Map(
  Object.entries(EXTENSIONS).flatMap(([grammar, extensions]) =>
    // Keys of the record above.
    extensions.split(' ').map((extension) => [extension, grammar as GrammarName] as const),
  ),
);

const BY_NAME: ReadonlyMap<string, GrammarName> = new Map([
  ['gemfile', 'ruby'],
  ['rakefile', 'ruby'],
  ['.bashrc', 'bash'],
  ['.profile', 'bash'],
  ['.zshrc', 'bash'],
]);

/** The grammar for a file by its name; undefined when there is none. */
export function grammarOf(fileName: string): GrammarName | undefined {
  const name = fileName.toLowerCase();
  const dot = name.lastIndexOf('.');
  return BY_NAME.get(name) ?? (dot > 0 ? BY_EXTENSION.get(name.slice(dot + 1)) : undefined);
}
