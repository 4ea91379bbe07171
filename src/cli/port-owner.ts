import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';

/**
 * Who listens on a TCP port of this machine, as "name (pid N)"; undefined where that cannot be told: on other
 * systems than Linux, or for another user's process.
 */
export async function portOwner(port: number): Promise<string | undefined> {
  try {
    const inodes = new Set<string>();
    for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
      for (const line of (await readFile(table, 'utf8').catch(() => '')).split('\n').slice(1)) {
        const fields = line.trim().split(/\s+/);
        const listening = fields[3] === '0A';
        if (listening && Number.parseInt(fields[1]?.split(':')[1] ?? '', 16) === port)
          inodes.add(`socket:[${fields[9]}]`);
      }
    }
    if (inodes.size === 0) return undefined;
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
        if (inodes.has(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))) {
          return `${await programName(pid)} (pid ${pid})`;
        }
      }
    }
  } catch {
    // No /proc: the message does without the name.
  }
  return undefined;
}

/** By its file, because a program may call its threads what it likes (Node: "MainThread"). */
async function programName(pid: string): Promise<string> {
  const file = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  if (file !== undefined) return basename(file.replace(/ \(deleted\)$/, ''));
  return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
}
