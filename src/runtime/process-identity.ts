import { readFile } from 'node:fs/promises';
import { isLinux, isWindows } from './platform.ts';
import { runProgram } from './run-program.ts';
import { which } from './which.ts';

/**
 * When a process started, in the system's own form: together with the pid it names one process for good, while a
 * pid alone may have been given to somebody else since.
 * @returns an opaque text, or undefined when no such process runs
 */
export async function processStartTime(pid: number): Promise<string | undefined> {
  if (isLinux) return linuxStartTime(pid);
  if (!isRunning(pid)) return undefined;
  const program = await which(isWindows ? 'powershell' : 'ps');
  if (program === undefined) return undefined;
  const args = isWindows
    ? ['-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`]
    : ['-o', 'lstart=', '-p', String(pid)];
  const result = await runProgram(program, args, { cwd: '/', timeoutMs: 5_000 });
  return result.exitCode === 0 ? result.stdout.toString('utf8').trim() || undefined : undefined;
}

/** True when a process with this pid exists, whoever owns it. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Clock ticks since boot, field 22 of /proc/PID/stat, with the boot's id: ticks begin anew after a reboot. */
async function linuxStartTime(pid: number): Promise<string | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    ]);
    // The name in field 2 may hold spaces and parentheses; the fields after it are counted from its last ")".
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined; // ended, not yet collected by its parent
    return `${boot.trim()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}
