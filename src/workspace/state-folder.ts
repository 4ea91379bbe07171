import { statfs } from 'node:fs/promises';
import { CodedError, systemCode } from '../runtime/errors.ts';

/** Results of SQLite: the disk is full; reading or writing failed; a file cannot be opened. */
const SQLITE_FULL = 13;
const SQLITE_IOERR = 10;
const SQLITE_CANTOPEN = 14;
/** With less than this SQLite cannot make its shared memory, and calls that an input/output error. */
const HARDLY_ANY_BYTES = 128 * 1024;

/**
 * The clear sentence for a state folder that cannot take what a change needs there first; nothing has changed then.
 * @param what cannot be done, for "The change cannot be …": recorded, prepared
 */
export async function stateFolderError(error: unknown, stateDir: string, what: string): Promise<unknown> {
  if (error instanceof CodedError) return error;
  if (await isFull(error, stateDir)) {
    return new CodedError(
      'DISK_FULL',
      `The change cannot be ${what}: no space is left in the state folder. Nothing was changed.`,
      'Free some space on the disk of the state folder (agent_status names it), or have the user start local-coder with --state-dir on another disk.',
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new CodedError(
    'NOT_AVAILABLE',
    `The change cannot be ${what} (${reason}). Nothing was changed.`,
    'Check that the state folder (agent_status names it) is writable, or name another one with --state-dir.',
  );
}

async function isFull(error: unknown, stateDir: string): Promise<boolean> {
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  const result = sqliteResult(error);
  if (result !== SQLITE_IOERR && result !== SQLITE_CANTOPEN) return result === SQLITE_FULL;
  const { bavail, bsize } = await statfs(stateDir).catch(() => ({
    bavail: Number.MAX_SAFE_INTEGER,
    bsize: 1,
  }));
  return bavail * bsize < HARDLY_ANY_BYTES;
}

/** The primary result code of an error of node:sqlite. */
function sqliteResult(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff;
}
