import { mkdtempSync, readFileSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isDeno, isLinux, sea } from '../runtime/platform.ts';

/** Credentials that the product itself reads; everything else of the environment is the user's own business. */
const SECRETS = [
  'OPENAI_TUNNEL_API_KEY',
  'CONTROL_PLANE_API_KEY',
  'TUNNEL_TOKEN',
  'NGROK_AUTHTOKEN',
  'NGROK_API_KEY',
  'TS_AUTHKEY',
] as const;

const FILE_NAME = 'local-coder-environment.json';

/** Names the private file with the secrets, and marks the second run: a process with it never executes itself again. */
const HAND_OVER = 'LOCAL_CODER_HAND_OVER_FILE';

/**
 * Takes the product's credentials out of this process's visible environment. Deleting a variable leaves it in
 * /proc/PID/environ, where every process of the same user can read it; so on Linux the program replaces itself once
 * (execve: same process, same files), with the credentials in a private file that the second run reads and removes.
 * Does nothing when there are no credentials. Synchronous on purpose: nothing may run before it.
 */
export function cleanEnvironment(warn: (message: string) => void): void {
  const handedOver = process.env[HAND_OVER];
  if (handedOver !== undefined) {
    delete process.env[HAND_OVER];
    takeOver(handedOver, warn);
    return;
  }
  const secrets = Object.fromEntries(
    SECRETS.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  // Deno and older systems cannot replace a process; there the variables stay as visible as the user made them.
  if (Object.keys(secrets).length === 0 || !isLinux || isDeno || typeof process.execve !== 'function') return;
  const folder = mkdtempSync(join(tmpdir(), 'local-coder-'));
  const file = join(folder, FILE_NAME);
  try {
    writeFileSync(file, JSON.stringify(secrets), { mode: 0o600, flag: 'wx' });
    const environment: NodeJS.ProcessEnv = { ...process.env, [HAND_OVER]: file };
    for (const name of SECRETS) delete environment[name];
    const script = sea === null ? process.argv.slice(1, 2) : [];
    const args = [process.execPath, ...process.execArgv, ...script, ...process.argv.slice(2)];
    // Node announces this stable-enough function as experimental on every use.
    process.removeAllListeners('warning');
    process.execve(process.execPath, args, environment);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    warn(
      `tunnel credentials stay visible in this process's environment: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function takeOver(file: string, warn: (message: string) => void): void {
  try {
    Object.assign(process.env, JSON.parse(readFileSync(file, 'utf8')));
    // Only what the first run made is removed, whatever somebody put into the variable.
    if (basename(file) === FILE_NAME) unlinkSync(file);
    rmdirSync(dirname(file));
  } catch {
    warn('the tunnel credentials of the environment may have been lost while starting; if so, start again');
  }
}
