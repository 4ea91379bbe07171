import { delimiter, isAbsolute } from 'node:path';
import { isWithin } from './paths.ts';

/**
 * Variables that confined programs get: what says who and where one is, how to talk, and where tool chains are. The
 * rest stays outside, because it holds the user's credentials (tokens, agents, sockets) as often as not. Whoever
 * needs another variable sets it in the command.
 */
const KEPT = new RegExp(
  `^(?:${[
    'PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|COLORTERM|NO_COLOR|COLUMNS|LINES|PWD|OLDPWD|SHLVL',
    'PAGER|GIT_PAGER|GIT_TERMINAL_PROMPT|GIT_OPTIONAL_LOCKS|GIT_(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL|DATE)',
    'GIT_ASKPASS|SSH_ASKPASS_REQUIRE|GCM_INTERACTIVE|GIT_EDITOR|GIT_SEQUENCE_EDITOR|GIT_MERGE_AUTOEDIT|GIT_SSH_COMMAND',
    'CI|DEBIAN_FRONTEND|EDITOR|VISUAL|MAKEFLAGS|CC|CXX|CFLAGS|CXXFLAGS|CPPFLAGS|LDFLAGS|PKG_CONFIG_PATH|LD_LIBRARY_PATH',
    'NODE_(?:ENV|OPTIONS|PATH|EXTRA_CA_CERTS)|NVM_(?:DIR|BIN|INC)|COREPACK_[A-Z_]+|VOLTA_HOME|BUN_INSTALL|DENO_(?:DIR|INSTALL)',
    'PYTHON[A-Z]+|PYENV_[A-Z_]+|VIRTUAL_ENV|CONDA_(?:PREFIX|DEFAULT_ENV|EXE|SHLVL)|UV_PYTHON',
    'GOROOT|GOPATH|GOFLAGS|GO111MODULE|CARGO_HOME|RUSTUP_HOME|RUSTUP_TOOLCHAIN|RUSTFLAGS|JAVA_HOME|MAVEN_HOME|GRADLE_HOME',
    'GEM_(?:HOME|PATH)|RBENV_(?:ROOT|VERSION)|ANDROID_HOME|DOTNET_ROOT|DOTNET_CLI_TELEMETRY_OPTOUT|SSL_CERT_(?:FILE|DIR)',
    'https?_proxy|HTTPS?_PROXY|NO_PROXY|no_proxy|ALL_PROXY|all_proxy|LOCAL_CODER_PROCESS',
  ].join('|')})$`,
);

/** What confined programs get of an environment. */
export function cleanEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && KEPT.test(name)) kept[name] = value;
  }
  return kept;
}

/**
 * Variables by which a program is made to load or run something else before its own first line: those that the dynamic
 * linker of a set-user-id program ignores (ld.so(8)), and those that a shell obeys as it starts.
 */
const LOADS_CODE =
  /^(?:(?:LD|DYLD|GLIBC|MALLOC|BASH|KSH)_?.*|GCONV_PATH|GETCONF_DIR|HOSTALIASES|LOCALDOMAIN|LOCPATH|NIS_PATH|NLSPATH|RESOLV_HOST_CONF|RES_OPTIONS|TMPDIR|TZDIR|ENV|FPATH|IFS|POSIXLY_CORRECT|PS4|SHELLOPTS|ZDOTDIR)$/;

/**
 * Parts an environment in two: what the program that builds the sandbox, itself unconfined, may be started with, and
 * what is set only once one is inside. A confined shell hands its variables on to the next call, so anything can be in it.
 */
export function forLauncher(env: Readonly<Record<string, string>>): {
  readonly env: Record<string, string>;
  readonly inside: Record<string, string>;
} {
  const [outside, inside]: [Record<string, string>, Record<string, string>] = [{}, {}];
  for (const [name, value] of Object.entries(env)) (LOADS_CODE.test(name) ? inside : outside)[name] = value;
  return { env: outside, inside };
}

export function defined(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}

/**
 * PATH without what lies in some folders: a program that runs unconfined is never taken from where a confined one can
 * write.
 */
export function withoutFolders<Env extends NodeJS.ProcessEnv>(env: Env, folders: readonly string[]): Env {
  const path = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((entry) => isAbsolute(entry) && !folders.some((folder) => isWithin(entry, folder)))
    .join(delimiter);
  return { ...env, PATH: path };
}
