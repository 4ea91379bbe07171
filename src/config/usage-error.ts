/** Exit codes of cli.md. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  portTaken: 3,
  nothingToServe: 4,
  refused: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the program with one sentence, a next step and an exit code; never with a stack trace. */
export class UsageError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.usage) {
    super(message);
    this.name = 'UsageError';
    this.exitCode = exitCode;
  }
}
