/** Files that say what a project is made of and how it is built, by the ecosystem that reads them. */
const MANIFESTS: readonly (readonly [ecosystem: string, name: RegExp])[] = [
  ['npm', /^(package\.json|pnpm-workspace\.yaml|lerna\.json|turbo\.json|nx\.json)$/],
  ['deno', /^deno\.jsonc?$/],
  [
    'python',
    /^(pyproject\.toml|setup\.(py|cfg)|requirements\.txt|pipfile|tox\.ini|noxfile\.py|environment\.ya?ml)$/,
  ],
  ['cargo', /^cargo\.toml$/],
  ['go', /^go\.(mod|work)$/],
  ['maven', /^pom\.xml$/],
  ['gradle', /^(build|settings)\.gradle(\.kts)?$/],
  ['dotnet', /^(.+\.(sln|slnx|csproj|fsproj|vbproj)|directory\.(build|packages)\.props|global\.json)$/],
  ['php', /^composer\.json$/],
  ['ruby', /^(gemfile|rakefile|.+\.gemspec)$/],
  ['elixir', /^mix\.exs$/],
  ['swift', /^package\.swift$/],
  ['dart', /^pubspec\.yaml$/],
  ['make', /^(gnumakefile|makefile)$/],
  ['cmake', /^(cmakelists\.txt|cmakepresets\.json)$/],
  ['just', /^\.?justfile$/],
  ['task', /^taskfile(\.dist)?\.ya?ml$/],
  ['bazel', /^(module\.bazel|workspace(\.bazel)?)$/],
  ['nix', /^flake\.nix$/],
  ['docker', /^(dockerfile|(docker-)?compose\.ya?ml)$/],
];

/** The ecosystem whose manifest a file is by its name; undefined for any other file. */
export function ecosystemOf(name: string): string | undefined {
  const lower = name.toLowerCase();
  return MANIFESTS.find(([, pattern]) => pattern.test(lower))?.[0];
}

/** The README of a folder, by the names in it: Markdown before anything else. */
export function readmeAmong(names: readonly string[]): string | undefined {
  const readmes = names.filter((name) => /^readme(\.(md|markdown|mdx|rst|txt|adoc|org))?$/i.test(name));
  return readmes.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))[0];
}

function rank(name: string): number {
  return /\.(md|markdown)$/i.test(name) ? 0 : 1;
}
