import { join } from 'node:path';
import { processStartTime } from '../runtime/process-identity.ts';
import { openDatabase } from '../runtime/sqlite.ts';

/** A running server, as the state database knows it. */
export interface Instance {
  readonly pid: number;
  /** Opaque, see processStartTime: proves that the pid still means the same process. */
  readonly startTime: string;
  readonly host: string;
  readonly port: number;
  readonly roots: readonly string[];
  readonly access: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
}

const TABLE = `CREATE TABLE IF NOT EXISTS instances (
  pid INTEGER NOT NULL, start_time TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL, roots TEXT NOT NULL,
  access TEXT NOT NULL, version TEXT NOT NULL, started_at_ms INTEGER NOT NULL, PRIMARY KEY (pid, start_time)) STRICT`;

/** The register of running servers in the state folder's database; how status, stop and --replace find them. */
export async function openInstances(stateDir: string) {
  const database = await openDatabase(join(stateDir, 'state.db'));
  database.exec(TABLE);

  return {
    add(instance: Instance): void {
      database
        .prepare('INSERT OR REPLACE INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
        .run(
          instance.pid,
          instance.startTime,
          instance.host,
          instance.port,
          JSON.stringify(instance.roots),
          instance.access,
          instance.version,
          instance.startedAtMs,
        );
    },

    remove(instance: Pick<Instance, 'pid' | 'startTime'>): void {
      database
        .prepare('DELETE FROM instances WHERE pid = ? AND start_time = ?')
        .run(instance.pid, instance.startTime);
    },

    /** The instances that still run, oldest first; rows of dead ones are removed on the way. */
    async running(): Promise<Instance[]> {
      const rows = database.prepare('SELECT * FROM instances ORDER BY started_at_ms').all().map(toInstance);
      const alive = await Promise.all(
        rows.map(async (row) => (await processStartTime(row.pid)) === row.startTime),
      );
      rows.forEach((row, index) => {
        if (!alive[index]) this.remove(row);
      });
      return rows.filter((_, index) => alive[index]);
    },

    close(): void {
      database.close();
    },
  };
}

export type Instances = Awaited<ReturnType<typeof openInstances>>;

function toInstance(row: Record<string, unknown>): Instance {
  return {
    pid: Number(row['pid']),
    startTime: String(row['start_time']),
    host: String(row['host']),
    port: Number(row['port']),
    roots: JSON.parse(String(row['roots'])) as string[],
    access: String(row['access']),
    version: String(row['version']),
    startedAtMs: Number(row['started_at_ms']),
  };
}
