/** What the highlighter knows of a family of languages. */
export interface Language {
  /** Begin a comment to the line's end. */
  readonly line?: readonly string[];
  /** Comments and strings that may run over lines: what opens, what closes. */
  readonly blocks?: readonly Block[];
  /** Characters that open and close a string within a line. */
  readonly quotes: string;
  readonly words: ReadonlySet<string>;
}

export interface Block {
  readonly open: string;
  readonly close: string;
  readonly kind: 'comment' | 'string';
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const block = (open: string, close: string, kind: Block['kind'] = 'comment'): Block => ({
  open,
  close,
  kind,
});

const SLASHES: Language = {
  line: ['//'],
  blocks: [block('/*', '*/'), block('`', '`', 'string')],
  quotes: `"'`,
  words: words(
    'abstract as async await break case catch class const continue debugger declare def default defer delete do else enum export extends extern false final finally fn for foreach from func function get go goto if impl implements import in infer instanceof interface internal is let loop match mod mut namespace native new nil null object of operator override package private protected pub public readonly ref return sealed select self set static struct super switch synchronized template this throw throws trait true try type typedef typename typeof undefined union unsafe use using val var virtual void volatile when where while with yield bool boolean byte char double float int long number short signed string unsigned any never unknown',
  ),
};

const HASHES: Language = {
  line: ['#'],
  blocks: [block('"""', '"""', 'string'), block("'''", "'''", 'string')],
  quotes: `"'`,
  words: words(
    'False None True and as assert async await begin break case class continue def del do done elif else elsif end ensure esac except export false fi finally for from function global if import in is lambda let local match module new nil nonlocal not null or pass raise readonly rescue return self set source then true try unless unset until when while with yield',
  ),
};

const DASHES: Language = {
  line: ['--'],
  blocks: [block('/*', '*/')],
  quotes: `"'`,
  words: words(
    'add all alter and as asc begin between by case column commit constraint create cross data default delete desc distinct do drop else elseif end exists foreign from full function group having if in index inner insert instance into is join key left let like limit local module nil not null of offset on or order outer primary references repeat returning return right select set table then true type union unique until update values view when where while with',
  ),
};

const MARKUP: Language = { blocks: [block('<!--', '-->')], quotes: `"`, words: words('') };

const STYLES: Language = {
  line: [],
  blocks: [block('/*', '*/')],
  quotes: `"'`,
  words: words('important media supports import layer container keyframes font-face from to and not only'),
};

const DATA: Language = { quotes: '"', words: words('true false null') };

const SETTINGS: Language = {
  line: ['#', ';'],
  quotes: `"'`,
  words: words('true false null yes no on off'),
};

const FAMILIES: readonly (readonly [Language, string])[] = [
  [
    SLASHES,
    'js mjs cjs jsx ts mts cts tsx java c h cc cpp cxx hpp hh m mm cs go rs swift kt kts scala dart zig php groovy gradle proto vue svelte jsonc json5 sol v glsl wgsl',
  ],
  [
    HASHES,
    'py pyi rb sh bash zsh fish ksh ps1 psm1 pl pm r jl ex exs nim cmake mk makefile dockerfile containerfile tf hcl nix awk rake gemfile',
  ],
  [DASHES, 'sql lua hs elm adb ads vhd vhdl'],
  [MARKUP, 'html htm xml svg xhtml plist xsl'],
  [STYLES, 'css scss sass less'],
  [DATA, 'json map ipynb webmanifest'],
  [SETTINGS, 'yaml yml toml ini cfg conf env properties editorconfig gitignore gitattributes'],
];

let byExtension: Map<string, Language> | undefined;

/** The family of a file, by its name; undefined for prose and for what is not known. */
export function languageOf(path: string): Language | undefined {
  byExtension ??= new Map(
    FAMILIES.flatMap(([language, names]) => names.split(' ').map((name) => [name, language] as const)),
  );
  const name = path.split(/[\\/]/).at(-1)?.toLowerCase() ?? '';
  return byExtension.get(name.slice(name.lastIndexOf('.') + 1));
}
