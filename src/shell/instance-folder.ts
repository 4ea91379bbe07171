import { hash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive, startTicks } from '../runtime/process-tree.ts';

const STALE_AGE_MS = 24 * 60 * 60 * 1000;

/**
 * Where one running server keeps its output logs and the files that shells load:
 * `processes/<pid>-<ticks>-<random>-<machine>` in the state folder, mode 0700. Several servers share the state folder; each cleans up after those that are gone.
 */
export interface InstanceFolder {
  readonly path: string;
  /** What all markers of this server's processes begin with; ends in ".". */
  readonly markerPrefix: string;
}

/** @param random twelve hexadecimal digits that no other server has */
export async function createInstanceFolder(
  stateDir: string,
  random = randomInstanceName(),
): Promise<InstanceFolder> {
  const ticks = (await startTicks(process.pid)) ?? '0';
  const parent = join(stateDir, 'processes');
  const path = join(parent, `${process.pid}-${ticks}-${random}-${machineName()}`);
  await mkdir(path, { recursive: true, mode: 0o700 });
  // Nobody waits for this: the folders of others take nothing but space.
  removeStaleFolders(parent, path).catch(() => {});
  return { path, markerPrefix: `${random}.` };
}

export function randomInstanceName(): string {
  return randomBytes(6).toString('hex');
}

/** Whose pid it is: a stick, or a home folder on a network, is used by several machines. */
function machineName(): string {
  return hash('sha256', hostname(), 'hex').slice(0, 12);
}

async function removeStaleFolders(parent: string, own: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const match = /^(\d+)-(\d+)-[0-9a-f]{12}(?:-([0-9a-f]{12}))?$/.exec(name);
    if (!match || path === own) continue;
    if (match[3] !== undefined && match[3] !== machineName()) {
      // Another machine's processes cannot be looked up here; then only age decides.
      if (Date.now() - (await stat(path)).mtimeMs < STALE_AGE_MS) continue;
      await rm(path, { recursive: true, force: true });
      continue;
    }
    const pid = Number(match[1]);
    const ticks = match[2];
    if (isAlive(pid)) {
      const current = await startTicks(pid);
      // Without start times a number that is alive may be another program's; then only age decides.
      if (current === undefined || ticks === '0') {
        if (Date.now() - (await stat(path)).mtimeMs < STALE_AGE_MS) continue;
      } else if (current === ticks) continue;
    }
    await rm(path, { recursive: true, force: true });
  }
}
