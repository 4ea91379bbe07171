import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly residentKb: number;
}

/** Resident memory of a process and of everything below it, in MB (10^6 bytes). */
export async function residentMb(pid: number): Promise<number> {
  const rows = process.platform === 'linux' ? await procRows() : await psRows();
  let residentKb = 0;
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const row of rows) {
      if (row.pid === next) residentKb += row.residentKb;
      else if (row.parent === next) waiting.push(row.pid);
    }
  }
  return (residentKb * 1024) / 1e6;
}

async function procRows(): Promise<Row[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(
    names.map(async (name) => {
      const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => ''); // it may have ended
      const field = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
      return { pid: Number(name), parent: field('PPid'), residentKb: field('VmRSS') };
    }),
  );
  return rows;
}

async function psRows(): Promise<Row[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,ppid=,rss=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [pid = 0, parent = 0, residentKb = 0] = line.trim().split(/\s+/).map(Number);
      return { pid, parent, residentKb };
    });
}
