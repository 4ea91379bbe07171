import { close, open, read } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MARKER_VARIABLE } from './marker.ts';
import { isLinux, isWindows } from './platform.ts';
import { runProgram } from './run-program.ts';

const openFile = promisify(open);
const readFrom = promisify(read);

export { MARKER_VARIABLE };

export interface TreeTarget {
  /**
   * The process that was started, as a leader of its own session. Undefined once it was reaped and its group is
   * empty: the number may belong to somebody else by then.
   */
  readonly pid?: number;
  /** Value of MARKER_VARIABLE; one ending in "." stands for every value that begins with it. */
  readonly marker?: string;
}

interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly group: number;
  readonly session: number;
  /** Value of MARKER_VARIABLE in its environment; Linux only. */
  readonly marker: string | undefined;
}

/** Living processes (zombies are not) that belong to the target, in no particular order. Never this process. */
export async function listTree(target: TreeTarget): Promise<number[]> {
  const rows = await processTable();
  const found = new Set<number>();
  for (const row of rows) {
    const { pid, marker } = target;
    if (pid !== undefined && (row.pid === pid || row.group === pid || row.session === pid))
      found.add(row.pid);
    if (marker !== undefined && row.marker !== undefined) {
      if (marker.endsWith('.') ? row.marker.startsWith(marker) : row.marker === marker) found.add(row.pid);
    }
  }
  // Children of what was found, however deep: one that cleaned its environment is still somebody's child.
  for (let grown = found.size > 0; grown; ) {
    grown = false;
    for (const row of rows) {
      if (!found.has(row.pid) && found.has(row.ppid)) {
        found.add(row.pid);
        grown = true;
      }
    }
  }
  found.delete(process.pid);
  return [...found];
}

let reading: Promise<ProcessRow[]> | undefined;
let nextReading: Promise<ProcessRow[]> | undefined;

/**
 * The system's processes, read after this call. Two hundred stops at once share a reading instead of making two
 * hundred: whoever comes while one is under way gets the one after it.
 */
function processTable(): Promise<ProcessRow[]> {
  const read = () => {
    const rows = isLinux ? linuxProcesses() : psProcesses();
    reading = rows;
    const done = () => {
      if (reading === rows) reading = undefined;
    };
    rows.then(done, done);
    return rows;
  };
  if (!reading) return read();
  nextReading ??= reading
    .catch(() => [])
    .then(() => {
      nextReading = undefined;
      return read();
    });
  return nextReading;
}

export interface StopOptions {
  /** How long SIGTERM may take before SIGKILL; 0 kills at once. */
  readonly graceMs: number;
}

/**
 * Ends a whole tree: SIGTERM, the grace period, then SIGKILL until a look at the process table finds nothing more.
 * Resolves when nothing is left, or with the pids that cannot be killed (another user's, stuck in the kernel).
 */
export async function stopTree(target: TreeTarget, options: StopOptions): Promise<number[]> {
  if (isWindows) return stopTreeOnWindows(target, options);
  // The group goes at once, without a look at the whole system.
  if (options.graceMs === 0 && target.pid !== undefined) send([-target.pid], 'SIGKILL');
  let left = await listTree(target);
  if (left.length > 0 && options.graceMs > 0) {
    send(left, 'SIGTERM');
    // A stopped process acts on SIGTERM only once it continues.
    send(left, 'SIGCONT');
    const deadline = performance.now() + options.graceMs;
    for (let pauseMs = 10; performance.now() < deadline; pauseMs = Math.min(pauseMs * 2, 100)) {
      await pause(Math.min(pauseMs, Math.max(1, deadline - performance.now())));
      if (await anyRuns(left)) continue;
      left = await listTree(target);
      if (left.length === 0) return [];
      send(left, 'SIGTERM');
    }
    left = await listTree(target);
  }
  // A tree that forks while it dies needs another look; ten are enough unless it outruns us on purpose.
  for (let round = 0; round < 10 && left.length > 0; round++) {
    send(left, 'SIGKILL');
    for (let waited = 0; waited < 40 && (await anyRuns(left)); waited++) await pause(5);
    left = await listTree(target);
  }
  return left;
}

/** True while the process exists (a zombie does). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** True while any process is left in the group that `leaderPid` leads; always false on Windows. */
export function groupIsAlive(leaderPid: number): boolean {
  return !isWindows && isAlive(-leaderPid);
}

/**
 * Clock ticks since boot at which a process started (Linux): tells a process from a later one with the same
 * number. Undefined elsewhere and for a process that is gone.
 */
export async function startTicks(pid: number): Promise<string | undefined> {
  if (!isLinux) return undefined;
  return (await readStat(pid))?.[19];
}

/** A zombie does not run: whoever inherited it (a container's first process) may never collect it. */
async function anyRuns(pids: readonly number[]): Promise<boolean> {
  for (const pid of pids) {
    if (!isAlive(pid)) continue;
    if (!isLinux) return true;
    const state = (await readStat(pid))?.[0];
    if (state !== undefined && state !== 'Z' && state !== 'X') return true;
  }
  return false;
}

function send(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself, or belongs to another user (sudo); the next look decides.
    }
  }
}

async function linuxProcesses(): Promise<ProcessRow[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const rows: ProcessRow[] = [];
  const readOne = async () => {
    // Files in /proc have no size to go by: one buffer for all, or each read would allocate its 64 KiB.
    const scratch = { buffer: Buffer.allocUnsafe(16 * 1024) };
    for (let name = pids.pop(); name !== undefined; name = pids.pop()) {
      const pid = Number(name);
      const fields = await readStat(pid, scratch);
      if (!fields || fields[0] === 'Z' || fields[0] === 'X') continue;
      const [, ppid, group, session] = fields.map(Number);
      const marker = await readMarker(pid, scratch);
      rows.push({ pid, ppid: ppid ?? 0, group: group ?? 0, session: session ?? 0, marker });
    }
  };
  // As many at a time as the thread pool works on.
  await Promise.all([readOne(), readOne(), readOne(), readOne()]);
  return rows;
}

interface Scratch {
  buffer: Buffer;
}

/** Fields of /proc/PID/stat from the third on: the second, the name, may hold spaces and parentheses. */
async function readStat(
  pid: number,
  scratch: Scratch = { buffer: Buffer.allocUnsafe(1024) },
): Promise<string[] | undefined> {
  const text = (await readProcFile(`/proc/${pid}/stat`, scratch))?.toString('latin1');
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

const MARKER_START = `${MARKER_VARIABLE}=`;

async function readMarker(pid: number, scratch: Scratch): Promise<string | undefined> {
  // Undefined for another user's, and for one that is gone.
  const environment = await readProcFile(`/proc/${pid}/environ`, scratch);
  if (!environment) return undefined;
  let start = environment.indexOf(MARKER_START);
  // Not inside of another variable's name or value.
  while (start > 0 && environment[start - 1] !== 0) start = environment.indexOf(MARKER_START, start + 1);
  if (start < 0) return undefined;
  const end = environment.indexOf(0, start);
  return environment.toString('latin1', start + MARKER_START.length, end < 0 ? undefined : end);
}

/** What the file holds, in the scratch buffer: good until the next call with it. */
async function readProcFile(path: string, scratch: Scratch): Promise<Buffer | undefined> {
  let file: number;
  try {
    file = await openFile(path, 'r');
  } catch {
    return undefined;
  }
  try {
    for (let filled = 0; ; ) {
      const { bytesRead } = await readFrom(
        file,
        scratch.buffer,
        filled,
        scratch.buffer.length - filled,
        null,
      );
      filled += bytesRead;
      if (bytesRead === 0) return scratch.buffer.subarray(0, filled);
      if (filled === scratch.buffer.length) scratch.buffer = Buffer.concat([scratch.buffer], filled * 2);
    }
  } catch {
    return undefined;
  } finally {
    close(file, () => {});
  }
}

/** macOS and the BSDs: no environment of others to read, so ancestry and process group must do. */
async function psProcesses(): Promise<ProcessRow[]> {
  const result = await runProgram('/bin/ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='], { cwd: '/' });
  const rows: ProcessRow[] = [];
  for (const line of result.stdout.toString('latin1').split('\n')) {
    const [pid, ppid, group, state] = line.trim().split(/\s+/);
    if (pid === undefined || group === undefined || state?.startsWith('Z')) continue;
    rows.push({ pid: Number(pid), ppid: Number(ppid), group: Number(group), session: -1, marker: undefined });
  }
  return rows;
}

/**
 * taskkill walks the tree by parent ids. Without /F it only asks programs that have a window or listen for it, so
 * force follows after the grace period.
 */
async function stopTreeOnWindows(target: TreeTarget, options: StopOptions): Promise<number[]> {
  const pid = target.pid;
  if (pid === undefined) return [];
  const taskkill = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'taskkill.exe');
  const run = (args: string[]) =>
    runProgram(taskkill, [...args, '/T', '/PID', String(pid)], { cwd: 'C:\\', timeoutMs: 10_000 }).catch(
      () => {},
    );
  if (options.graceMs > 0) {
    await run([]);
    const deadline = performance.now() + options.graceMs;
    while (isAlive(pid) && performance.now() < deadline) await pause(50);
  }
  await run(['/F']);
  return isAlive(pid) ? [pid] : [];
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
