/** Takes the samples: every server in turn, the turns rotating, so that noise falls on all of them alike. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Adapter, Call } from './adapters/adapter.ts';
import { coldStart } from './cold-start.ts';
import type { Fixture } from './fixture.ts';
import { type Launch, McpServer } from './mcp-server.ts';
import {
  OPERATIONS,
  type Operation,
  type OperationName,
  type ReadRequest,
  WrongAnswer,
} from './operations.ts';

const WARM_UP_ROUNDS = 3;
const MAX_FAILURES = 3;
/** One server is sampled on one operation no longer than this, but at least MIN_SAMPLES times. */
const MAX_SAMPLING_MS = 4_000;
const MIN_SAMPLES = 5;

export interface Cell {
  readonly samplesMs: number[];
  failures: number;
  error?: string | undefined;
  remark?: string | undefined;
}

export interface ProcessFacts {
  readonly coldStartsMs: number[];
  readonly idleMb: number[];
  tools?: number;
  toolsListBytes?: number;
  afterRunMb?: number;
}

/** One adapter with its running server, or with none when it does its work in this process. */
export class Contestant {
  readonly adapter: Adapter;
  readonly cells = new Map<OperationName, Cell>();
  readonly facts: ProcessFacts = { coldStartsMs: [], idleMb: [] };
  readonly #fixture: Fixture;
  readonly #home: string;
  readonly launch: Launch | undefined;
  server: McpServer | undefined;

  private constructor(adapter: Adapter, fixture: Fixture, home: string, launch: Launch | undefined) {
    this.adapter = adapter;
    this.#fixture = fixture;
    this.#home = home;
    this.launch = launch;
  }

  static async prepare(adapter: Adapter, fixture: Fixture): Promise<Contestant> {
    const home = await mkdtemp(join(tmpdir(), 'local-coder-bench-home-'));
    return new Contestant(adapter, fixture, home, await adapter.launch?.(fixture, home));
  }

  async start(): Promise<void> {
    if (this.launch === undefined) return;
    this.server = await McpServer.start(this.launch);
    this.facts.tools = this.server.toolCount;
    this.facts.toolsListBytes = this.server.toolsListBytes;
  }

  async end(): Promise<void> {
    if (this.server !== undefined) this.facts.afterRunMb = await this.server.residentMb();
    await this.server?.stop();
    this.server = undefined;
  }

  async dispose(): Promise<void> {
    await this.server?.stop();
    await rm(this.#home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  can(name: OperationName): boolean {
    if (name === 'tools_list') return this.launch !== undefined;
    return (name === 'read_x32' ? 'read' : name) in this.adapter.operations;
  }

  async sample(name: OperationName, iteration: number, counted: boolean): Promise<void> {
    if (!this.can(name)) return;
    const cell = this.cells.get(name) ?? { samplesMs: [], failures: 0 };
    this.cells.set(name, cell);
    if (isDone(cell)) return;
    // The table ties each request to its name; the compiler cannot follow that through a variable name.
    const operation = OPERATIONS[name] as Operation<unknown>;
    const request = operation.request(this.#fixture, iteration, this.adapter.name.replaceAll(' ', '-'));
    operation.prepare?.(request);
    try {
      const started = performance.now();
      const answer = await this.#perform(name, request);
      const tookMs = performance.now() - started;
      const remark = operation.verify(answer, request, this.#fixture);
      if (remark !== undefined) cell.remark = remark;
      if (counted) cell.samplesMs.push(tookMs);
    } catch (error) {
      cell.failures++;
      const what = error instanceof WrongAnswer ? 'wrong answer' : 'failed';
      cell.error = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async #perform(name: OperationName, request: unknown): Promise<string> {
    const { operations } = this.adapter;
    if (name === 'tools_list') return (await this.server?.listTools()) ?? '';
    const call: Call = (tool, args) => {
      if (this.server === undefined) throw new Error(`${this.adapter.name} has no server`);
      return this.server.call(tool, args);
    };
    if (name === 'read_x32') {
      const requests = request as readonly ReadRequest[]; // see `sample`
      const answers = await Promise.all(requests.map((each) => operations.read?.(each, call, this.#fixture)));
      return JSON.stringify(answers);
    }
    const operation = operations[name] as (request: unknown, call: Call, fixture: Fixture) => Promise<string>;
    return operation(request, call, this.#fixture);
  }
}

function isDone({ samplesMs, failures }: Cell): boolean {
  const spentMs = samplesMs.reduce((sum, ms) => sum + ms, 0);
  return failures >= MAX_FAILURES || (samplesMs.length >= MIN_SAMPLES && spentMs > MAX_SAMPLING_MS);
}

function rotated<T>(list: readonly T[], turn: number): T[] {
  const at = list.length === 0 ? 0 : turn % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

/**
 * Starts and ends every server again and again.
 * @param slowRounds after which only those go on that start within a quarter of a second
 */
export async function measureColdStarts(
  contestants: readonly Contestant[],
  rounds: { readonly quick: number; readonly slow: number; readonly idle: number },
): Promise<void> {
  for (const { launch } of contestants) if (launch) await coldStart(launch, { thenIdle: false }); // fills the disk cache
  for (let round = 0; round < rounds.quick; round++) {
    for (const { launch, facts } of rotated(contestants, round)) {
      if (launch === undefined) continue;
      if (round >= rounds.slow && (facts.coldStartsMs[0] ?? 0) > 250) continue;
      const { startMs, idleMb } = await coldStart(launch, { thenIdle: round < rounds.idle });
      facts.coldStartsMs.push(startMs);
      if (idleMb !== undefined) facts.idleMb.push(idleMb);
    }
  }
}

export async function measureOperations(
  contestants: readonly Contestant[],
  names: readonly OperationName[],
  iterations: number,
  log: (message: string) => void,
): Promise<void> {
  for (let n = 0; n < WARM_UP_ROUNDS + iterations; n++) {
    for (const name of names) {
      for (const contestant of rotated(contestants, n)) {
        await contestant.sample(name, n, n >= WARM_UP_ROUNDS);
      }
    }
    if (n % 10 === 9) log(`round ${n + 1} of ${WARM_UP_ROUNDS + iterations}`);
  }
}
