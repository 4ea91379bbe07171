import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { processStartTime } from '../../runtime/process-identity.ts';
import { writeWhole } from './definition-file.ts';

/** A process by pid and start time, so that it is told from a later one with the same pid. */
export interface ProcessId {
  readonly pid: number;
  readonly startTime: string;
}

/** Who runs a service where the system does not say it: what watches over the server, and the server. */
export interface RunRecord {
  readonly watcher: ProcessId;
  readonly server: ProcessId | undefined;
}

export function serviceFolder(stateDir: string): string {
  return join(stateDir, 'services');
}

export function logFile(stateDir: string, name: string): string {
  return join(serviceFolder(stateDir), `${name}.log`);
}

export async function writeRecord(stateDir: string, name: string, record: RunRecord): Promise<void> {
  await mkdir(serviceFolder(stateDir), { recursive: true });
  await writeWhole(recordFile(stateDir, name), JSON.stringify(record));
}

export async function removeRecord(stateDir: string, name: string): Promise<void> {
  await rm(recordFile(stateDir, name), { force: true });
}

/** The processes of a service that still run. */
export async function readRecord(stateDir: string, name: string): Promise<Partial<RunRecord>> {
  try {
    const { watcher, server } = JSON.parse(
      await readFile(recordFile(stateDir, name), 'utf8'),
    ) as Partial<RunRecord>;
    return { ...(await alive('watcher', watcher)), ...(await alive('server', server)) };
  } catch {
    return {};
  }
}

async function alive(key: keyof RunRecord, id: ProcessId | undefined): Promise<Partial<RunRecord>> {
  const runs = id !== undefined && (await processStartTime(id.pid)) === id.startTime;
  return runs ? { [key]: id } : {};
}

function recordFile(stateDir: string, name: string): string {
  return join(serviceFolder(stateDir), `${name}.json`);
}
