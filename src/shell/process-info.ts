import { sizes } from './answer.ts';
import type { ManagedProcess } from './managed-process.ts';
import { listeningPorts } from './ports.ts';
import type { ProcessInfo } from './types.ts';

/** @param withPorts looks for listening ports as well, which reads the process table */
export async function describe(process: ManagedProcess, withPorts: boolean): Promise<ProcessInfo> {
  const background = process.leftBackground;
  const [outSize, errSize] = await sizes(process);
  return {
    id: process.id,
    name: process.name,
    command: process.command,
    cwd: process.cwd,
    shell: process.shellName,
    pid: process.pid,
    state: process.running ? 'running' : background ? 'background' : 'exited',
    exitCode: process.exit?.code ?? null,
    signal: process.exit?.signal ?? null,
    timedOut: process.timedOut,
    startedAt: new Date(process.startedAtMs).toISOString(),
    durationMs: process.durationMs,
    outputBytes: outSize + errSize,
    ports: withPorts && (process.running || background) ? await listeningPorts(process) : [],
    readsInput: process.running && process.acceptsInput,
  };
}
