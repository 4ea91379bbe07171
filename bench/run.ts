/**
 *     npm run bench -- [options]
 *
 * Compares local-coder's executable with the bare means (fs, ripgrep, git, bash), with a bare HTTP server on the same
 * Node, and with other MCP servers: in one run, taking turns, every answer checked. Measure on a quiet machine.
 *
 *     --ops a,b            only these operations (names: operations.ts)
 *     --adapters a,b       only these of raw, bare, http, stdio, filesystem, commander
 *     --iterations N       counted rounds (default 30)
 *     --quick              5 rounds, few starts
 *     --executable FILE    default dist/local-coder; npm run build makes it
 *     --json FILE          writes all samples
 *     --readme             rewrites docs/speed.md, which the README names
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { withPart } from '../build/readme.ts';
import type { Adapter } from './adapters/adapter.ts';
import { bare } from './adapters/bare.ts';
import { desktopCommander } from './adapters/desktop-commander.ts';
import { localCoder } from './adapters/local-coder.ts';
import { LOCAL_CODER } from './adapters/names.ts';
import { raw } from './adapters/raw.ts';
import { serverFilesystem } from './adapters/server-filesystem.ts';
import { Contestant, measureColdStarts, measureOperations } from './compare.ts';
import { openFixture } from './fixture.ts';
import { measureLarge } from './large.ts';
import { OPERATIONS, type OperationName } from './operations.ts';
import { markdown } from './report.ts';
import type { Connects, Results } from './results.ts';

const ROOT = resolve(import.meta.dirname, '..');
const CONNECTS = 300;
const SETTLE_MS = 2_000;

const ADAPTERS: Readonly<Record<string, (executable: string) => Adapter>> = {
  raw: () => raw,
  bare: () => bare(ROOT),
  http: (executable) => localCoder(executable, 'http'),
  stdio: (executable) => localCoder(executable, 'stdio'),
  filesystem: () => serverFilesystem(ROOT),
  commander: () => desktopCommander(ROOT),
};

class WrongOption extends Error {}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ops: { type: 'string' },
      adapters: { type: 'string' },
      iterations: { type: 'string' },
      quick: { type: 'boolean', default: false },
      executable: {
        type: 'string',
        default: join(ROOT, 'dist', `local-coder${process.platform === 'win32' ? '.exe' : ''}`),
      },
      json: { type: 'string' },
      readme: { type: 'boolean', default: false },
    },
  });
  const iterations = Number(values.iterations ?? (values.quick ? 5 : 30));
  if (!Number.isInteger(iterations) || iterations < 1)
    throw new WrongOption('--iterations must be a number from 1');
  const names = chosen(values.ops, Object.keys(OPERATIONS), '--ops') as OperationName[]; // keys of the table
  const adapters = chosen(values.adapters, Object.keys(ADAPTERS), '--adapters');
  const complete = values.ops === undefined && values.adapters === undefined;
  if (values.readme && !complete)
    throw new WrongOption('--readme wants a whole run, without --ops and --adapters');
  const executable = resolve(values.executable);

  const before = loadavg()[0] ?? 0;
  const fixture = openFixture(join(tmpdir(), 'local-coder-bench'), log);
  const contestants: Contestant[] = [];
  try {
    for (const name of adapters) {
      const adapter = ADAPTERS[name]?.(executable);
      if (adapter !== undefined) contestants.push(await Contestant.prepare(adapter, fixture));
    }
    log('cold starts');
    await measureColdStarts(
      contestants,
      values.quick ? { quick: 5, slow: 2, idle: 1 } : { quick: 30, slow: 4, idle: 3 },
    );
    log('operations');
    for (const contestant of contestants) await contestant.start();
    await measureOperations(contestants, names, iterations, log);
    for (const contestant of contestants) await contestant.end();
    log('connects, large things');
    const connects = complete ? await measureConnects(contestants) : undefined;
    const results: Results = {
      date: new Date().toISOString(),
      machine: {
        cpu: cpus()[0]?.model.trim() ?? 'unknown',
        cores: cpus().length,
        platform: `${process.platform} ${process.arch}`,
        node: process.version,
      },
      load: { before, after: loadavg()[0] ?? 0 },
      iterations,
      fixture: { files: fixture.files, bytes: fixture.bytes },
      contestants: contestants.map(({ adapter, facts, cells }) => ({
        name: adapter.name,
        description: adapter.description,
        facts,
        cells: Object.fromEntries(cells),
      })),
      connects,
      large: complete ? await measureLarge(executable) : undefined,
    };
    const text = markdown(results);
    process.stdout.write(`${text}\n`);
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
    if (values.readme) {
      const document = join(ROOT, 'docs', 'speed.md');
      await writeFile(document, withPart(await readFile(document, 'utf8'), 'bench', text));
    }
  } finally {
    for (const contestant of contestants) await contestant.dispose();
  }
}

function chosen(given: string | undefined, known: readonly string[], option: string): string[] {
  const names = given === undefined ? [...known] : given.split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new WrongOption(`${option}: "${unknown}" is none of ${known.join(', ')}`);
  return names;
}

/** Clients that connect and leave, twice as many as are asked after. */
async function measureConnects(contestants: readonly Contestant[]): Promise<Connects | undefined> {
  const contestant = contestants.find(({ adapter }) => adapter.name === LOCAL_CODER);
  if (contestant === undefined) return undefined;
  await contestant.start();
  const { server } = contestant;
  if (server === undefined) return undefined;
  const settled = async () => {
    await delay(SETTLE_MS);
    return server.residentMb();
  };
  const connectAll = async () => {
    for (let n = 0; n < CONNECTS; n++) await server.connectAndLeave();
    return settled();
  };
  const beforeMb = await settled();
  const result = { count: CONNECTS, beforeMb, afterMb: await connectAll(), afterAgainMb: await connectAll() };
  await server.stop();
  contestant.server = undefined;
  return result;
}

function log(message: string): void {
  process.stderr.write(`bench: ${message} (${Math.round(process.uptime())} s)\n`);
}

try {
  await main();
} catch (error) {
  const known = error instanceof WrongOption;
  log(error instanceof Error ? ((known ? undefined : error.stack) ?? error.message) : String(error));
  process.exitCode = 1;
}
