/**
 * "Always what begins with these words." A command is more than its words to a shell, so that a prefix is offered and
 * matched for simple commands alone: one program and its words, of plain characters, split at spaces. What a shell of
 * any kind (sh, PowerShell, cmd) could take for anything else (quotes, `;`, `|`, `&`, `<`, `>`, `$`, `%`, backticks,
 * globs, `~`, line ends, an assignment before the program) makes a command one that is asked for each time.
 */

/** Subcommands after which further words do not name another program to run, for programs that have subcommands. */
const SUBCOMMANDS: Readonly<Record<string, string>> = {
  git: 'status diff log show blame add commit ls-files rev-parse describe shortlog',
  npm: 'test ci ls outdated audit view run:*',
  pnpm: 'test ls outdated audit why run:*',
  yarn: 'test why run:*',
  bun: 'test run:*',
  deno: 'test check lint fmt task:*',
  cargo: 'build check test clippy fmt doc tree metadata bench',
  go: 'build test vet fmt list mod:tidy mod:verify mod:graph',
  dotnet: 'build test restore format',
  mvn: 'test compile verify package',
  gradle: 'build test check tasks',
  swift: 'build test',
  mix: 'compile test format',
  flutter: 'analyze test',
  dart: 'analyze test format',
  composer: 'validate show',
  pip: 'list show check freeze',
  uv: 'lock tree sync',
  terraform: 'validate fmt plan',
  docker: 'ps images logs inspect',
  kubectl: 'get describe logs',
  ruff: 'check format',
  biome: 'check lint format',
};

/** Programs without subcommands that look, or run a project's own tests. */
const ALONE = new Set(
  'ls pwd wc tree du df tsc pytest vitest jest mypy pyright phpunit rspec eslint prettier'.split(' '),
);

/** Options of these programs that name something else to run, or somewhere else to work or write. */
const STRAY_OPTION =
  /^(-exec|-toolexec|-vettool|-overlay|-modfile|-C|-c|-D.*|-I.*|-p|-o|--(exec|exec-path|eval|config|config-env|config-file|script-shell|node-options|prefix|shell|plugin|init-script|build-file|settings|upload-pack|receive-pack|ext-diff|textconv|open-files-in-pager|output|runner|manifest-path|require|import|loader|rsh|kubeconfig|cwd|dir|directory|globalsetup|setupfiles|resolver|parser|rulesdir|rootdir|resolve-plugins-relative-to|template|file|chdir|git-dir|work-tree|target-dir)(=.*)?)$/i;

const MAX_CHARACTERS = 1_000;
const SIMPLE = /^[A-Za-z0-9_./:+-][A-Za-z0-9_./:=+@-]*( +[A-Za-z0-9_./:+-][A-Za-z0-9_./:=+@-]*)*$/;
const PROGRAM = /^[a-z][a-z0-9-]*$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9:._-]*$/;

/**
 * The leading words of a command that "always" may cover, such as `npm test` or `git status`.
 * @returns undefined where none can be offered safely; this very command can still be allowed for good
 */
export function commandPrefix(command: string): string | undefined {
  const words = simpleWords(command);
  const [program = '', second, third] = words ?? [];
  if (words === undefined || !PROGRAM.test(program) || words.some((word) => STRAY_OPTION.test(word))) {
    return undefined;
  }
  if (ALONE.has(program)) return program;
  const known = Object.hasOwn(SUBCOMMANDS, program) ? SUBCOMMANDS[program]?.split(' ') : undefined;
  if (known === undefined || second === undefined) return undefined;
  if (known.includes(second)) return `${program} ${second}`;
  if (third === undefined || !NAME.test(third)) return undefined;
  const isKnown = known.includes(`${second}:*`) || known.includes(`${second}:${third}`);
  return isKnown ? `${program} ${second} ${third}` : undefined;
}

/** The words of a simple command; undefined for any other. */
function simpleWords(command: string): string[] | undefined {
  if (command.length > MAX_CHARACTERS || !SIMPLE.test(command)) return undefined;
  return command.split(/ +/);
}
