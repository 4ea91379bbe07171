import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AuditEntry, auditFiles, parseEntry, readAuditTail } from '../access/index.ts';
import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { EXIT, type ExitCode } from '../config/usage-error.ts';
import { colours, forTerminal } from '../runtime/terminal.ts';

/** Entries shown at the start; --json shows them all. */
const SHOWN = 50;
const TAIL_BYTES = 512 * 1024;
const POLL_MS = 200;

/** `local-coder log [--follow] [--json]`: the audit log, every tool call of every instance. */
export async function showLog(
  flags: ReadonlyMap<SettingName, unknown>,
  options: { follow: boolean; json: boolean },
): Promise<ExitCode> {
  const settings = await loadSettings(flags, process.env, process.cwd());
  const file = settings['audit-log'] ?? join(settings['state-dir'], 'audit', 'audit.jsonl');
  const print = options.json ? printJson : printLine;
  let position = await sizeOf(file);
  if (options.json) for (const path of await auditFiles(file)) await printFile(path, 0, print);
  else
    for (const entry of (await readAuditTail(file, TAIL_BYTES).catch(() => [])).slice(-SHOWN)) print(entry);
  if (position === 0 && !options.follow && !options.json)
    process.stdout.write(`No calls are recorded in ${file}.\n`);
  while (options.follow) {
    await delay(POLL_MS);
    const size = await sizeOf(file);
    if (size < position) position = 0; // rotated
    if (size > position) position = await printFile(file, position, print);
  }
  return EXIT.ok;
}

/** Prints the whole lines from a position on; returns where the next one begins. */
async function printFile(file: string, from: number, print: (entry: AuditEntry) => void): Promise<number> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(Math.max(0, size - from)),
      0,
      size - from,
      from,
    );
    const end = buffer.lastIndexOf(0x0a, bytesRead - 1) + 1;
    for (const line of buffer.toString('utf8', 0, end).split('\n'))
      for (const entry of parseEntry(line)) print(entry);
    return from + end;
  } finally {
    await handle.close();
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

function printJson(entry: AuditEntry): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

function printLine(entry: AuditEntry): void {
  const { red, dim } = colours(process.stdout);
  const outcome = entry.code ?? entry.outcome;
  const shown = entry.outcome === 'ok' ? outcome : red(forTerminal(outcome));
  const when = new Date(entry.time);
  const time = `${when.toLocaleDateString('sv-SE')} ${when.toLocaleTimeString('sv-SE')}`;
  const client = entry.client === undefined ? '' : dim(` · ${forTerminal(entry.client)}`);
  process.stdout.write(
    `${time} ${forTerminal(entry.tool)} ${shown} ${entry.duration_ms} ms ${forTerminal(entry.target)}${client}\n`,
  );
}
