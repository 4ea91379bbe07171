import { forTerminal } from './terminal.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

const RANK: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** Writes one line per event to standard error, never to standard output, which belongs to stdio clients. */
export interface Log {
  readonly level: LogLevel;
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

export function createLog(level: LogLevel, write: (line: string) => void = writeToStderr): Log {
  const at = (rank: LogLevel, label: string) => (message: string) => {
    if (RANK[rank] > RANK[level]) return;
    write(`${new Date().toTimeString().slice(0, 8)} ${label}${forTerminal(message)}\n`);
  };
  return {
    level,
    error: at('error', 'error: '),
    warn: at('warn', 'warning: '),
    info: at('info', ''),
    debug: at('debug', 'debug: '),
  };
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}
