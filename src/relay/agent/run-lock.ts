import { join } from 'node:path';
import { processStartTime } from '../../runtime/process-identity.ts';
import { openDatabase } from '../../runtime/sqlite.ts';

const TABLE = `CREATE TABLE IF NOT EXISTS agent_run_lock (
  id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER NOT NULL, start_time TEXT NOT NULL) STRICT`;
const ATTEMPTS = 5;

export interface RunLock {
  /** Gives it back; only what this process holds. */
  release(): void;
}

/**
 * Takes the right to be this machine's one agent. The lock of a process that runs no more is taken over, by comparing
 * and setting in one statement: of two that find it stale one gets it.
 * @returns the pid of the agent that runs already, or the lock
 */
export async function takeRunLock(stateDir: string): Promise<RunLock | { readonly heldBy: number }> {
  const database = await openDatabase(join(stateDir, 'state.db'));
  const own = { pid: process.pid, startTime: (await processStartTime(process.pid)) ?? '' };
  try {
    database.exec(TABLE);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const inserted = database
        .prepare('INSERT INTO agent_run_lock VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING')
        .run(own.pid, own.startTime);
      if (Number(inserted.changes) === 1) return held();
      const row = database.prepare('SELECT pid, start_time FROM agent_run_lock').get();
      if (row === undefined) continue;
      const [pid, startTime] = [Number(row['pid']), String(row['start_time'])];
      if ((await processStartTime(pid)) === startTime) {
        database.close();
        return { heldBy: pid };
      }
      const taken = database
        .prepare('UPDATE agent_run_lock SET pid = ?1, start_time = ?2 WHERE pid = ?3 AND start_time = ?4')
        .run(own.pid, own.startTime, pid, startTime);
      if (Number(taken.changes) === 1) return held();
    }
    throw new Error('the run lock changes hands all the time');
  } catch (error) {
    database.close();
    throw error;
  }

  function held(): RunLock {
    return {
      release() {
        database
          .prepare('DELETE FROM agent_run_lock WHERE pid = ?1 AND start_time = ?2')
          .run(own.pid, own.startTime);
        database.close();
      },
    };
  }
}
