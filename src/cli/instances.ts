import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { TunnelModel } from '../dashboard/models.ts';
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
  /** How its tunnel was when it last changed. */
  readonly tunnel?: TunnelModel | undefined;
}

const TABLE = `CREATE TABLE IF NOT EXISTS instances (
  pid INTEGER NOT NULL, start_time TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL, roots TEXT NOT NULL,
  access TEXT NOT NULL, version TEXT NOT NULL, started_at_ms INTEGER NOT NULL, PRIMARY KEY (pid, start_time)) STRICT`;
/** Whose pids they are: a stick, or a home folder on a network, is used by several machines. Empty: of an older version. */
const MACHINE_COLUMN = `ALTER TABLE instances ADD COLUMN machine TEXT NOT NULL DEFAULT ''`;
/** What another machine entered cannot be looked up here; after this time it is taken for ended. */
const OTHER_MACHINE_GONE_AFTER_MS = 30 * 24 * 3600_000;

/** Beside the instances: not every one has a tunnel, and its state changes while they run. */
const TUNNEL_TABLE = `CREATE TABLE IF NOT EXISTS instance_tunnels (
  pid INTEGER NOT NULL, start_time TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, message TEXT, address TEXT,
  PRIMARY KEY (pid, start_time)) STRICT`;

/** The register of running servers in the state folder's database; how status, stop and --replace find them. */
export async function openInstances(stateDir: string) {
  const database = await openDatabase(join(stateDir, 'state.db'));
  database.exec(TABLE);
  database.exec(TUNNEL_TABLE);
  if (!database.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get('instances', 'machine'))
    addColumn(database);
  const machine = hash('sha256', hostname(), 'hex').slice(0, 12);

  return {
    add(instance: Instance): void {
      database
        .prepare(
          'INSERT OR REPLACE INTO instances (pid, start_time, host, port, roots, access, version, started_at_ms, machine) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        )
        .run(
          instance.pid,
          instance.startTime,
          instance.host,
          instance.port,
          JSON.stringify(instance.roots),
          instance.access,
          instance.version,
          instance.startedAtMs,
          machine,
        );
    },

    /** Writes how an instance's tunnel is now. */
    setTunnel(instance: Pick<Instance, 'pid' | 'startTime'>, tunnel: TunnelModel): void {
      database
        .prepare('INSERT OR REPLACE INTO instance_tunnels VALUES (?, ?, ?, ?, ?, ?)')
        .run(
          instance.pid,
          instance.startTime,
          tunnel.name,
          tunnel.state,
          tunnel.message ?? null,
          tunnel.address ?? null,
        );
    },

    remove(instance: Pick<Instance, 'pid' | 'startTime'>): void {
      for (const table of ['instances', 'instance_tunnels']) {
        database
          .prepare(`DELETE FROM ${table} WHERE pid = ? AND start_time = ?`)
          .run(instance.pid, instance.startTime);
      }
    },

    /** The instances on this machine that still run, oldest first; rows of dead ones are removed on the way. */
    async running(): Promise<Instance[]> {
      database
        .prepare("DELETE FROM instances WHERE machine NOT IN (?, '') AND started_at_ms < ?")
        .run(machine, Date.now() - OTHER_MACHINE_GONE_AFTER_MS);
      const rows = database
        .prepare(
          `SELECT i.*, t.name AS tunnel_name, t.state AS tunnel_state, t.message AS tunnel_message,
             t.address AS tunnel_address FROM instances i
           LEFT JOIN instance_tunnels t ON t.pid = i.pid AND t.start_time = i.start_time
           WHERE i.machine IN (?, '') ORDER BY i.started_at_ms`,
        )
        .all(machine)
        .map(toInstance);
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

function addColumn(database: DatabaseSync): void {
  try {
    database.exec(MACHINE_COLUMN);
  } catch (error) {
    if (!String(error).includes('duplicate column')) throw error; // another instance was faster
  }
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
    tunnel: tunnelOf(row),
  };
}

const STATES: readonly TunnelModel['state'][] = ['starting', 'up', 'down', 'failed'];

function tunnelOf(row: Record<string, unknown>): TunnelModel | undefined {
  const state = STATES.find((known) => known === row['tunnel_state']);
  if (state === undefined) return undefined;
  const text = (name: string) => (typeof row[name] === 'string' ? row[name] : undefined);
  return {
    name: text('tunnel_name') ?? '',
    state,
    message: text('tunnel_message'),
    address: text('tunnel_address'),
  };
}
