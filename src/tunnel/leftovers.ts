import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { processStartTime } from '../runtime/process-identity.ts';
import { stopTree } from '../runtime/process-tree.ts';
import { writePrivateFile } from './private-file.ts';

const NAME = /^running-\d+-\d+\.json$/;

interface Entry {
  readonly pid: number;
  /** See processStartTime: with it the pid means one process for good. */
  readonly startTime: string;
  readonly marker: string;
  readonly owner: number;
  readonly ownerStartTime: string;
}

/**
 * Notes a tunnel program, so that it can be ended by the next start when this process is killed before it could.
 * @returns the function that takes the note away
 */
export async function noteProgram(
  folder: string,
  program: { readonly pid: number; readonly marker: string },
): Promise<() => Promise<void>> {
  const file = join(folder, `running-${process.pid}-${program.pid}.json`);
  const [startTime, ownerStartTime] = await Promise.all([
    processStartTime(program.pid),
    processStartTime(process.pid),
  ]);
  if (startTime === undefined || ownerStartTime === undefined) return async () => {};
  const entry: Entry = { ...program, startTime, owner: process.pid, ownerStartTime };
  await writePrivateFile(file, `${JSON.stringify(entry)}\n`);
  return () => rm(file, { force: true });
}

/** Ends the tunnel programs of processes that are gone, and nobody else's. */
export async function endLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((name) => NAME.test(name))) {
    const file = join(folder, name);
    const entry = await readEntry(file);
    if (entry !== undefined) {
      if ((await processStartTime(entry.owner)) === entry.ownerStartTime) continue;
      if ((await processStartTime(entry.pid)) === entry.startTime) {
        await stopTree({ pid: entry.pid, marker: entry.marker }, { graceMs: 1_000 });
      }
    }
    await rm(file, { force: true });
  }
}

async function readEntry(file: string): Promise<Entry | undefined> {
  try {
    const { pid, startTime, marker, owner, ownerStartTime } = JSON.parse(
      await readFile(file, 'utf8'),
    ) as Entry;
    const valid = Number.isSafeInteger(pid) && pid > 1 && Number.isSafeInteger(owner);
    return valid && typeof startTime === 'string' && typeof marker === 'string'
      ? { pid, startTime, marker, owner, ownerStartTime }
      : undefined;
  } catch {
    return undefined;
  }
}
