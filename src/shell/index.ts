export { findShell } from './dialects/index.ts';
export { childEnvironment } from './environment.ts';
export { findScript, listScripts, type Script, scriptCommand } from './scripts/index.ts';
export { createShell, type Shell, type ShellOptions } from './shell.ts';
export { formatCount, formatDuration, oneLine } from './text.ts';
export type {
  CallLinks,
  CommandRequest,
  CommandResult,
  OutputRequest,
  OutputResult,
  ProcessInfo,
  ProgramRequest,
  ShellInfo,
  ShellStatus,
  StartRequest,
} from './types.ts';
