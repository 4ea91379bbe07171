/**
 * Programs whose simple commands "always" may cover, and what may follow their words. An option that is not named here
 * makes a command one that is asked for each time: there is hardly a program without one that names another program to
 * run, a file to write or a server to ask, most take abbreviations of their options, and new ones come every year.
 */
export interface SimpleProgram {
  /** Its subcommands; `run:*` stands for `run` and any one name. Undefined where it has none. */
  readonly sub?: string;
  /** Options as they are written, `=` and what follows aside. None of them takes a program or a file to write. */
  readonly options?: string;
  /** Letters of short options, which may stand together (`-la`); `#` stands for a number (`-5`). */
  readonly letters?: string;
  /** Options after `--` for what the program itself runs; without it the same as before it. */
  readonly passedOn?: string;
  /** What else may follow: names without a path in them, or nothing. Undefined: anything. */
  readonly words?: 'names' | 'none';
}

/** What runners of tests take, and scripts that lead to them. */
const TESTS =
  '--bail --check --ci --coverage --exact --filter --grep --ignored --include-ignored --nocapture --noEmit --only --quiet ' +
  '--run --runInBand --show-output --silent --skip --test-threads --testNamePattern --update --updateSnapshot --verbose ' +
  '--watch -g -i -k -q -t -u -v -x';

const GIT =
  '--abbrev-commit --abbrev-ref --all --author --branch --cached --color --date --decorate --diff-filter --dry-run ' +
  '--find-renames --first-parent --follow --format --graph --grep --ignore-all-space --ignore-space-change --ignored ' +
  '--is-inside-work-tree --long --max-count --merges --message --minimal --name-only --name-status --no-color ' +
  '--no-decorate --no-edit --no-ext-diff --no-merges --no-patch --no-renames --no-textconv --numbered --numstat --oneline ' +
  '--others --patch --porcelain --pretty --quiet --reverse --short --shortstat --show-toplevel --since --staged --stat ' +
  '--summary --tags --unified --until --untracked-files --update --verbose --verify --word-diff -U';

const CARGO =
  '--all --all-features --all-targets --benches --bin --bins --check --color --depth --doc --duplicates --edges --example ' +
  '--examples --features --format-version --frozen --invert --jobs --keep-going --lib --locked --message-format ' +
  '--no-default-features --no-deps --no-fail-fast --no-run --offline --package --quiet --release --test --tests --verbose ' +
  '--workspace -F -j -p';

const NPM =
  '--all --depth --if-present --include-workspace-root --json --long --silent --workspace --workspaces -ws';

export const SIMPLE_PROGRAMS: Readonly<Record<string, SimpleProgram>> = {
  git: {
    sub: 'status diff log show blame add commit ls-files rev-parse describe shortlog',
    options: GIT,
    letters: 'abhlmnpqrsuvwzMANU#',
    passedOn: '',
  },
  npm: { sub: 'test ci ls outdated view run:*', options: NPM, letters: 'lsw', passedOn: TESTS },
  pnpm: { sub: 'test ls outdated audit why run:*', options: NPM, letters: 's', passedOn: TESTS },
  yarn: { sub: 'test why run:*', options: '--silent', letters: 's', passedOn: TESTS },
  bun: { sub: 'test run:*', options: '--silent --bail --coverage --watch --timeout -t', passedOn: TESTS },
  deno: {
    sub: 'test check lint fmt task:*',
    options: '--check --fail-fast --filter --json --no-run --parallel --quiet --watch',
    letters: 'q',
    passedOn: TESTS,
  },
  cargo: {
    sub: 'build check test clippy fmt doc tree metadata bench',
    options: CARGO,
    letters: 'deiqrv',
    passedOn: `${TESTS} -D -W`,
  },
  go: {
    sub: 'build test vet fmt list mod:tidy mod:verify mod:graph',
    options:
      '-bench -benchmem -benchtime -count -cover -failfast -json -m -parallel -race -run -short -shuffle -skip -tags -timeout -v -x',
  },
  dotnet: {
    sub: 'build test restore format',
    options:
      '--configuration --filter --framework --no-build --no-incremental --no-restore --nologo --verbosity --verify-no-changes',
    letters: 'cfv',
    words: 'names',
  },
  mvn: {
    sub: 'test compile verify package',
    options: '--batch-mode --errors --no-transfer-progress --offline --quiet -ntp',
    letters: 'BXeoq',
    words: 'none',
  },
  gradle: {
    sub: 'test build check tasks',
    options:
      '--console --continue --info --no-daemon --offline --parallel --quiet --rerun-tasks --stacktrace --tests',
    letters: 'iqs',
    words: 'none',
  },
  swift: {
    sub: 'build test',
    options: '--configuration --enable-code-coverage --filter --parallel --skip --verbose',
    letters: 'cv',
    words: 'names',
  },
  mix: {
    sub: 'compile test format',
    options:
      '--check-formatted --cover --exclude --failed --force --include --max-failures --only --seed --stale --trace --warnings-as-errors',
  },
  flutter: { sub: 'analyze test', options: '--concurrency --coverage --name --no-pub --plain-name' },
  dart: {
    sub: 'analyze test format',
    options: '--concurrency --fatal-infos --fatal-warnings --name --plain-name --set-exit-if-changed',
  },
  composer: {
    sub: 'validate show',
    options: '--direct --format --latest --no-interaction --outdated --strict',
    letters: 'Dlno',
  },
  pip: {
    sub: 'list show check freeze',
    options: '--files --format --local --outdated --uptodate --user --verbose',
    letters: 'louv',
  },
  uv: {
    sub: 'lock tree sync',
    options: '--all-groups --check --depth --frozen --locked --no-dev --offline --quiet --verbose',
    letters: 'qv',
  },
  terraform: {
    sub: 'validate fmt plan',
    options:
      '-check -compact-warnings -detailed-exitcode -diff -input -json -lock -no-color -recursive -refresh',
    words: 'none',
  },
  docker: {
    sub: 'ps images logs inspect',
    options:
      '--all --details --filter --follow --format --no-trunc --quiet --since --size --tail --timestamps --until',
    letters: 'aflnqst',
  },
  kubectl: {
    sub: 'get describe logs',
    options:
      '--all-containers --all-namespaces --container --follow --namespace --output --previous --selector --show-labels --since --tail --watch',
    letters: 'Aclnopw',
  },
  ruff: {
    sub: 'check format',
    options:
      '--check --diff --exit-zero --ignore --no-cache --output-format --quiet --select --statistics --verbose',
    letters: 'nqv',
  },
  biome: {
    sub: 'check lint format',
    options:
      '--changed --colors --diagnostic-level --max-diagnostics --only --since --skip --staged --verbose',
  },
  ls: {
    options: '--all --almost-all --color --human-readable --recursive --reverse --sort',
    letters: 'aAdFGhilrRsStu#',
  },
  pwd: { letters: 'LP' },
  wc: { options: '--bytes --chars --lines --words', letters: 'clmw' },
  tree: { options: '--dirsfirst --noreport', letters: 'adfghilpstCDFLS' },
  du: { options: '--human-readable --max-depth --summarize --total', letters: 'abcdhkms' },
  df: { options: '--human-readable', letters: 'ahiklmPT' },
  tsc: {
    options:
      '--noEmit --build --incremental --listFiles --pretty --showConfig --skipLibCheck --watch -noEmit -b -w',
  },
  pytest: {
    options: `${TESTS} --co --collect-only --durations --exitfirst --failed-first --ff --last-failed --lf --maxfail --no-header --tb -m -n -s`,
    letters: 'lqsvx',
  },
  vitest: { options: `${TESTS} --changed --passWithNoTests --project` },
  jest: {
    options: `${TESTS} --detectOpenHandles --findRelatedTests --forceExit --json --listTests --maxWorkers --no-cache --onlyChanged --passWithNoTests --runTestsByPath --testPathPattern --testPathPatterns --watchAll -b -o -w`,
  },
  mypy: {
    options:
      '--ignore-missing-imports --no-error-summary --no-incremental --pretty --show-error-codes --strict',
  },
  pyright: { options: '--outputjson --stats --verbose --warnings' },
  phpunit: { options: '--colors --exclude-group --filter --group --no-coverage --stop-on-failure --testdox' },
  rspec: { options: '--example --fail-fast --next-failure --only-failures --tag -e -t' },
  eslint: { options: '--ext --max-warnings --no-error-on-unmatched-pattern --quiet' },
  prettier: { options: '--check --list-different', letters: 'cl' },
};
