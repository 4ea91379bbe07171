/** What runs, as /proc shows it to every program of this user. */
import { readdirSync, readFileSync } from 'node:fs';

export interface SeenProcess {
  readonly pid: number;
  readonly commandLine: string;
  readonly environment: string;
}

/** Living processes whose environment or command line holds the text. */
export function processesWith(text: string): SeenProcess[] {
  const found: SeenProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [commandLine, environment, stat] = ['cmdline', 'environ', 'stat'].map((file) => read(name, file));
    if (/\) Z /.test(stat ?? '')) continue;
    if (commandLine?.includes(text) || environment?.includes(text)) {
      found.push({ pid: Number(name), commandLine: commandLine ?? '', environment: environment ?? '' });
    }
  }
  return found;
}

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Waits for a condition, looking often; fails with what it was after the limit. */
export async function until<T>(
  what: string | (() => string),
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (performance.now() > deadline)
      throw new Error(`not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
