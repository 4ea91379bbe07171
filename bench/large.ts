/** Single measures of local-coder on large things, each on files and a state folder of its own. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createHistory } from '../src/history/index.ts';
import { planPatch } from '../src/patch/index.ts';
import { openDatabase } from '../src/runtime/sqlite.ts';
import { changeFile, realTarget, Workspace } from '../src/workspace/index.ts';
import { moduleText, padded, seededRandom } from './generated-text.ts';
import { McpServer } from './mcp-server.ts';
import { WrongAnswer } from './operations.ts';
import { measurePageCost, type PageCost } from './page-cost.ts';
import { median } from './statistics.ts';

export interface LargeResults {
  /** Reading the patch, finding the place in 5,000 lines without a line number, making the new text; in this process. */
  readonly matchIn5000LinesMs: number;
  /** The same as a whole call of apply_patch. */
  readonly patchOf5000LinesMs: number;
  readonly patchOf1000FilesMs: number;
  readonly outlineFirstMs: number;
  readonly outlineLaterMs: number;
  readonly outputAfter100MbMs: number;
  readonly listOf10000CheckpointsMs: number;
  readonly restoreOf20MbMs: number;
  /** A small call while the local page is open, and while it is not. */
  readonly page: PageCost;
}

const REPEATS = 21;
const PATCH_FILES = 1_000;
const CHECKPOINTS = 10_000;
const RESTORED_BYTES = 20_000_000;
const OUTPUT_BYTES = 100_000_000;
const OUTPUT_LIMIT_MS = 60_000;
const PAGE_ROUNDS = 10;

export async function measureLarge(executable: string): Promise<LargeResults> {
  const base = await mkdtemp(join(tmpdir(), 'local-coder-bench-large-'));
  const [root, stateDir] = [join(base, 'work'), join(base, 'state')];
  await Promise.all([mkdir(root), mkdir(stateDir, { mode: 0o700 })]);
  try {
    const bigCheckpoint = await makeHistory(root, stateDir);
    await writeFile(join(root, 'outline.ts'), outlineText());
    const server = await McpServer.start({
      transport: 'http',
      command: executable,
      args: ['--port', '0', '--workspace', root, '--shell', 'bash', '--state-dir', stateDir],
      cwd: root,
      env: { HOME: base },
    });
    try {
      return {
        ...(await outlines(server)),
        ...(await history(server, root, bigCheckpoint)),
        ...(await output(server)),
        ...(await patches(server, root)),
        page: await page(server, root, stateDir),
      };
    } finally {
      await server.stop();
    }
  } finally {
    await rm(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

async function page(server: McpServer, root: string, stateDir: string): Promise<PageCost> {
  await writeFile(join(root, 'small.txt'), 'one\ntwo\n');
  const origin = new URL(server.url ?? '').origin;
  return measurePageCost({ origin, pid: server.pid, stateDir, file: 'small.txt', rounds: PAGE_ROUNDS });
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new WrongAnswer(otherwise);
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function medianOf(times: number, work: (n: number) => Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  for (let n = 0; n < times; n++) samples.push(await timeOf(() => work(n)));
  return median(samples) ?? Number.NaN;
}

/** 5,000 lines of functions. */
function outlineText(): string {
  return moduleText(seededRandom(5), 'outline', 714).split('\n').slice(0, 5_000).join('\n');
}

async function outlines(server: McpServer): Promise<Pick<LargeResults, 'outlineFirstMs' | 'outlineLaterMs'>> {
  const outline = async () => {
    const answer = await server.call('outline', { path: 'outline.ts' });
    check(/on\w+Changed0\b/.test(answer) && /on\w+Changed600\b/.test(answer), 'the outline lacks functions');
  };
  return { outlineFirstMs: await timeOf(outline), outlineLaterMs: await medianOf(REPEATS, outline) };
}

/** A recorded change of 20 MB, and after it 10,000 checkpoints of three files each. @returns the former's id */
async function makeHistory(root: string, stateDir: string): Promise<string> {
  const workspace = new Workspace({ roots: [root], accessMode: 'full', protectedPaths: [stateDir] });
  const history = createHistory({ stateDir, workspace });
  const path = join(root, 'big.bin');
  await writeFile(path, randomBytes(RESTORED_BYTES));
  const recorder = history.recorder({ tool: 'write_file', conversation: undefined });
  const target = await realTarget({ path, shown: 'big.bin' });
  await changeFile(target, { recorder }, async () => ({
    bytes: randomBytes(RESTORED_BYTES),
    outcome: undefined,
  }));
  const { checkpointId } = await recorder.outcome();
  await history.close();
  if (checkpointId === undefined) throw new Error('the change of 20 MB was not recorded');

  const database = await openDatabase(join(stateDir, 'state.db'));
  database.exec('BEGIN');
  const head = database.prepare('INSERT INTO checkpoints (tool, at_ms, root) VALUES (?, ?, ?)');
  const file = database.prepare(
    "INSERT INTO checkpoint_files VALUES (?, ?, 'none', NULL, NULL, NULL, 'none', NULL, NULL, NULL, 0)",
  );
  for (let n = 0; n < CHECKPOINTS; n++) {
    const { lastInsertRowid } = head.run('write_file', Date.now(), root);
    for (const name of ['x', 'y', 'z']) file.run(lastInsertRowid, join(root, `${n % 700}/${name}.txt`));
  }
  database.exec('COMMIT');
  database.close();
  return checkpointId;
}

async function history(
  server: McpServer,
  root: string,
  checkpointId: string,
): Promise<Pick<LargeResults, 'listOf10000CheckpointsMs' | 'restoreOf20MbMs'>> {
  const list = async () => {
    const answer = await server.call('rewind', { action: 'list', limit: 20 });
    check((answer.match(/"c\d+"/g)?.length ?? 0) >= 20, `not 20 checkpoints: ${answer.slice(0, 200)}`);
  };
  await list();
  const listOf10000CheckpointsMs = await medianOf(REPEATS, list);
  const before = await readFile(join(root, 'big.bin'));
  const restoreOf20MbMs = await medianOf(3, async (n) => {
    await server.call(
      'rewind',
      n % 2 === 0 ? { action: 'restore', checkpoint_id: checkpointId } : { action: 'redo' },
    );
  });
  const after = await readFile(join(root, 'big.bin'));
  check(after.length === RESTORED_BYTES && !after.equals(before), 'the file was not restored');
  return { listOf10000CheckpointsMs, restoreOf20MbMs };
}

async function output(server: McpServer): Promise<Pick<LargeResults, 'outputAfter100MbMs'>> {
  const command = `head -c ${OUTPUT_BYTES} /dev/zero | tr '\\0' 'x' | fold -w 99; echo; echo the end`;
  const started = await server.call('start_process', { command });
  const id = /"(?:process_)?id":"([^"]+)"/.exec(started)?.[1];
  check(id !== undefined, `no process id: ${started.slice(0, 200)}`);
  const untilMs = performance.now() + OUTPUT_LIMIT_MS;
  while (!/"exit_code":0/.test(await server.call('process_status', { id }))) {
    check(performance.now() < untilMs, '100 MB of output take more than a minute');
    await delay(50);
  }
  const read = async () => {
    const answer = await server.call('process_output', { id, tail_chars: 2_000 });
    check(/the end\s*$/.test(answer), `the end of the output is missing: ${answer.slice(-200)}`);
  };
  await read();
  return { outputAfter100MbMs: await medianOf(REPEATS, read) };
}

async function patches(
  server: McpServer,
  root: string,
): Promise<Pick<LargeResults, 'matchIn5000LinesMs' | 'patchOf5000LinesMs' | 'patchOf1000FilesMs'>> {
  const text = Array.from({ length: 5_000 }, (_, n) => `${patchLine(n)}\n`).join('');
  const path = join(root, 'lines.ts');
  const [matchMs, callMs]: [number[], number[]] = [[], []];
  for (let n = 0; n < REPEATS; n++) {
    const at = 4_000 + n;
    const after = text.replace(patchLine(at), `changed ${n}`);
    const hunk = `@@\n ${patchLine(at - 1)}\n-${patchLine(at)}\n+changed ${n}\n`;
    const patch = `*** Begin Patch\n*** Update File: lines.ts\n${hunk}*** End Patch\n`;
    await writeFile(path, text);
    callMs.push(await timeOf(() => server.call('apply_patch', { patch })));
    check((await readFile(path, 'utf8')) === after, 'the file of 5,000 lines was not patched');

    const started = performance.now();
    const { changes } = await planPatch(patch, async () => ({ kind: 'text', text }));
    matchMs.push(performance.now() - started);
    const planned = changes[0]?.after;
    check(planned?.kind === 'text' && planned.text === after, 'the patch was planned wrongly');
  }
  return {
    matchIn5000LinesMs: median(matchMs) ?? Number.NaN,
    patchOf5000LinesMs: median(callMs) ?? Number.NaN,
    patchOf1000FilesMs: await patchOfManyFiles(server, root),
  };
}

function patchLine(n: number): string {
  return `const value_${n} = compute(${n}, 'a line of the usual length');`;
}

async function patchOfManyFiles(server: McpServer, root: string): Promise<number> {
  const [first, second, third] = [1, 2, 3].map(patchLine);
  await mkdir(join(root, 'many'));
  const names = Array.from({ length: PATCH_FILES }, (_, n) => `many/file-${padded(n, 4)}.ts`);
  await Promise.all(names.map((name) => writeFile(join(root, name), `${first}\n${second}\n${third}\n`)));
  const hunk = `@@ -1,3 +1,3 @@\n ${first}\n-${second}\n+changed\n ${third}\n`;
  const patch = names.map((name) => `--- a/${name}\n+++ b/${name}\n${hunk}`).join('');
  const tookMs = await timeOf(() => server.call('apply_patch', { patch }));
  for (const name of names) {
    check((await readFile(join(root, name), 'utf8')).includes('\nchanged\n'), `${name} was not patched`);
  }
  return tookMs;
}
