import { randomBytes } from 'node:crypto';
import { chmod, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../runtime/errors.ts';
import { isWindows } from '../../runtime/platform.ts';
import { TunnelError } from '../types.ts';
import type { StoredCredentials } from './credentials.ts';

/** In the state folder, which the file tools refuse (access.md, "Access modes"). */
export function credentialsFile(stateDir: string): string {
  return join(stateDir, 'openai-tunnel.json');
}

/** Stores what `tunnel init openai` was given, readable by its owner alone; what was stored before is replaced whole. */
export async function storeCredentials(stateDir: string, credentials: StoredCredentials): Promise<void> {
  const file = credentialsFile(stateDir);
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const content = {
    tunnel_id: credentials.tunnelId,
    api_key: credentials.apiKey,
    organization_id: credentials.organizationId,
  };
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(content, undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new TunnelError(
      'failed',
      `${file} cannot be written (${systemCode(error) ?? String(error)}).`,
      'Make its folder writable, or name another with --state-dir.',
    );
  }
}

/**
 * @returns undefined when nothing was stored
 * @throws {TunnelError} not-configured for a file that cannot be read
 */
export async function loadCredentials(stateDir: string): Promise<StoredCredentials | undefined> {
  const file = credentialsFile(stateDir);
  try {
    const text = await readFile(file, 'utf8');
    // A copy or a backup may have opened it to others.
    if (!isWindows && ((await stat(file)).mode & 0o077) !== 0) await chmod(file, 0o600).catch(() => {});
    const { tunnel_id, api_key, organization_id } = JSON.parse(text) as Record<string, unknown>;
    if (typeof tunnel_id === 'string' && typeof api_key === 'string') {
      return {
        tunnelId: tunnel_id,
        apiKey: api_key,
        organizationId: typeof organization_id === 'string' ? organization_id : undefined,
      };
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError) && systemCode(error) !== undefined) {
      throw unreadable(file, String(systemCode(error)));
    }
  }
  throw unreadable(file, 'it does not hold a tunnel id and a key');
}

function unreadable(file: string, why: string): TunnelError {
  return new TunnelError(
    'not-configured',
    `${file} cannot be used (${why}).`,
    'Run local-coder tunnel init openai again.',
  );
}
