import { createInterface } from 'node:readline/promises';
import { UsageError } from '../config/usage-error.ts';

/** Where a command asks and answers; tests put others in. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: { readonly isTTY?: boolean; write(text: string): unknown };
}

export const TERMINAL: Terminal = { input: process.stdin, output: process.stdout };

/**
 * Asks a question that only a yes answers with yes; the end of the input is a no.
 * @param yes the answer was given on the command line
 * @throws {UsageError} when there is no terminal to ask on and no --yes
 */
export async function confirm(
  question: string,
  { yes, terminal }: { readonly yes: boolean; readonly terminal: Terminal },
): Promise<boolean> {
  if (yes) return true;
  if (!terminal.input.isTTY) {
    throw new UsageError(
      'There is no terminal to ask on, so nothing was done. Say --yes to do what is shown above.',
    );
  }
  const lines = createInterface({ input: terminal.input, terminal: false });
  terminal.output.write(`${question} [y/N] `);
  try {
    for await (const line of lines) return /^\s*(y|yes)\s*$/i.test(line);
    return false;
  } finally {
    lines.close();
  }
}
