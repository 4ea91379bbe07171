import { delimiter, dirname, join } from 'node:path';
import { isMac, isWindows } from '../runtime/platform.ts';

/** The product's own settings and every tunnel credential: no command has a use for them, `env` would print them. */
const OWN_VARIABLES =
  /^(LOCAL_CODER_.*|OPENAI_TUNNEL_.*|CONTROL_PLANE_.*|TUNNEL_(TOKEN|CRED_FILE|CRED_CONTENTS|ORIGIN_CERT)|NGROK_(AUTHTOKEN|API_KEY)|TS_AUTHKEY|WORKSPACE_PATH|FULL_DISK_ACCESS|CHATGPT_AUTO_APPROVE|MCP_SESSION_RECOVERY|AUDIT_LOG_PATH|SHELL_TIMEOUT)$/i;

/** Colour on a stream that is no terminal: only when the command itself asks for it. */
const FORCED_COLOUR = /^(FORCE_COLOR|CLICOLOR_FORCE)$/;

export function isOwnVariable(name: string): boolean {
  return OWN_VARIABLES.test(name);
}

/**
 * The environment that commands start from: the user's own, without what belongs to this program, and with what
 * keeps programs from waiting for a person who is not there.
 */
export function childEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const result: Record<string, string> = {};
  const startedByNpm = environment['npm_package_name'] === 'local-coder';
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || isOwnVariable(name) || FORCED_COLOUR.test(name)) continue;
    // `npm start` of this program is not the user's own environment.
    if (startedByNpm && /^(npm_.*|INIT_CWD|NODE)$/.test(name)) continue;
    result[name] = value;
  }
  const packageFile = environment['npm_package_json'];
  if (startedByNpm && packageFile !== undefined && result['PATH'] !== undefined) {
    result['PATH'] = withoutNpmFolders(result['PATH'], dirname(packageFile));
  }
  result['PAGER'] = 'cat';
  result['GIT_PAGER'] = 'cat';
  result['GIT_TERMINAL_PROMPT'] = '0';
  if (!isWindows) {
    result['TERM'] = 'dumb';
    // Without any locale, programs mangle every character beyond ASCII.
    if (!result['LC_ALL'] && !result['LC_CTYPE'] && !result['LANG']) {
      result['LANG'] = isMac ? 'en_US.UTF-8' : 'C.UTF-8';
    }
  }
  return result;
}

/** PATH without the folders that npm puts in front of it for a script of the package in `packageFolder`. */
function withoutNpmFolders(path: string, packageFolder: string): string {
  const added = new Set<string>();
  for (let folder = packageFolder; ; folder = dirname(folder)) {
    added.add(join(folder, 'node_modules', '.bin'));
    if (dirname(folder) === folder) break;
  }
  return path
    .split(delimiter)
    .filter((entry) => !added.has(entry) && !/[\\/]node-gyp-bin$/.test(entry))
    .join(delimiter);
}
