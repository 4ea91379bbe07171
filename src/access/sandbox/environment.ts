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
