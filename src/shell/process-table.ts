import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../runtime/errors.ts';
import type { HelperWatch } from '../runtime/long-helpers.ts';
import { isAlive, stopTree } from '../runtime/process-tree.ts';
import { Guard } from './guard.ts';
import { createInstanceFolder, type InstanceFolder, randomInstanceName } from './instance-folder.ts';
import type { LaunchRequest, ManagedProcess } from './managed-process.ts';

/** Running at once; beyond it a call is refused and nothing that runs suffers. */
const MAX_RUNNING = 512;
/** Finished processes whose output can still be read; the oldest go first. */
const MAX_FINISHED = 100;
const MAX_FINISHED_BYTES = 1024 * 1024 * 1024;
const WATCH_INTERVAL_MS = 500;
/** No 0/o, 1/l/i: ids are read and typed by people too. */
const ID_LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';

/** What the table decides about a process that is to be started. */
export type Slot = Pick<LaunchRequest, 'id' | 'logPath' | 'markerPrefix'>;

/** Every process that this server started and has not forgotten, and the end of all of them. */
export class ProcessTable {
  readonly #stateDir: string;
  readonly #processes = new Map<string, ManagedProcess>();
  #folder: Promise<InstanceFolder> | undefined;
  #givenName: string | undefined;
  readonly #guard = new Guard(() => this.#name);
  #watcher: ReturnType<typeof setInterval> | undefined;
  #starting = 0;
  #closed = false;
  #startedAny = false;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /** What the markers of this server begin with; made when something is started, since node:crypto takes 4 ms to load. */
  get #name(): string {
    this.#givenName ??= randomInstanceName();
    return this.#givenName;
  }

  /** This server's private folder; created with the first process. */
  folder(): Promise<InstanceFolder> {
    this.#folder ??= createInstanceFolder(this.#stateDir, this.#name).catch((error) => {
      this.#folder = undefined;
      throw error;
    });
    return this.#folder;
  }

  get guardPid(): number | undefined {
    return this.#guard.pid;
  }

  /**
   * Starts a process through `launch` and keeps it.
   * @throws {CodedError} BUSY above the limit or while the server ends
   */
  async start(launch: (slot: Slot) => Promise<ManagedProcess>): Promise<ManagedProcess> {
    const folder = await this.folder();
    if (this.#closed) throw new CodedError('BUSY', 'The server is ending.', 'Call again when it runs again.');
    if (this.runningCount + this.#starting >= MAX_RUNNING) {
      throw new CodedError(
        'BUSY',
        `${MAX_RUNNING} processes are running already.`,
        'Stop some with stop_process (process_status lists them), then try again.',
      );
    }
    const id = this.#newId();
    this.#starting++;
    this.#startedAny = true;
    try {
      const process = await launch({ id, logPath: join(folder.path, id), markerPrefix: folder.markerPrefix });
      this.#processes.set(id, process);
      const pid = process.pid;
      if (pid !== undefined) this.#guard.watch(pid);
      process.ended.then(() => this.#afterEnd(process)).catch(() => {});
      // close() came while it was being started.
      if (this.#closed) await process.stop({ graceMs: 0 });
      this.#watch();
      return process;
    } finally {
      this.#starting--;
    }
  }

  /** Programs that the server runs for itself, watched by the same guard. */
  get helpers(): HelperWatch {
    return {
      // No part of what close() stops: a commit that runs when the server ends in an orderly way is finished.
      marker: () => `${this.#name}-helper`,
      begin: () => {
        if (!this.#closed) this.#guard.begin();
      },
      watch: (pid) => {
        if (!this.#closed && isAlive(pid)) this.#guard.watch(pid);
      },
      unwatch: (pid) => this.#guard.unwatch(pid),
    };
  }

  /** @throws {CodedError} PROCESS_NOT_FOUND */
  get(idOrName: string): ManagedProcess {
    // Of several with one name the newest that still runs is meant.
    const named = [...this.#processes.values()].reverse().filter(({ name }) => name === idOrName);
    const found = this.#processes.get(idOrName) ?? named.find(({ running }) => running) ?? named[0];
    if (found) return found;
    const known = [...this.#processes.values()].slice(-8).map((candidate) => candidate.id);
    throw new CodedError(
      'PROCESS_NOT_FOUND',
      `There is no process "${idOrName}".`,
      known.length > 0
        ? `Known: ${known.join(', ')}. process_status lists all; finished ones are forgotten after a while, and with the server.`
        : 'No process is known: short commands are done when they answer, and a restart of the server ends all.',
    );
  }

  list(): ManagedProcess[] {
    return [...this.#processes.values()];
  }

  get runningCount(): number {
    let count = 0;
    for (const process of this.#processes.values()) if (process.running) count++;
    return count;
  }

  /** Forgets a finished process and removes its logs. */
  async forget(process: ManagedProcess): Promise<void> {
    this.#processes.delete(process.id);
    if (!process.leftBackground && process.pid !== undefined) this.#guard.unwatch(process.pid);
    await Promise.all([process.stdout.remove(), process.stderr?.remove()]);
  }

  /** Ends everything that this server started, also what left its group; then nothing can be started any more. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watcher);
    if (!this.#startedAny) return this.#guard.close();
    const folder = await this.folder();
    const pids = this.list().filter((process) => process.running || process.leftBackground);
    await Promise.all([
      ...pids.map((process) => process.stop({ graceMs })),
      // Daemons of commands that are long forgotten.
      stopTree({ marker: folder.markerPrefix }, { graceMs }),
    ]);
    this.#guard.close();
    await rm(folder.path, { recursive: true, force: true });
  }

  #afterEnd(process: ManagedProcess): void {
    if (process.pid !== undefined && !process.leftBackground) this.#guard.unwatch(process.pid);
    if (this.#processes.size > MAX_FINISHED) this.#forgetOldest().catch(() => {});
  }

  async #forgetOldest(): Promise<void> {
    const finished = this.list().filter((process) => !process.running && !process.leftBackground);
    let bytes = 0;
    let count = 0;
    for (const process of finished.reverse()) {
      const size = (await process.stdout.size()) + ((await process.stderr?.size()) ?? 0);
      bytes += size;
      count++;
      if (count > MAX_FINISHED || (bytes > MAX_FINISHED_BYTES && count > 1)) await this.forget(process);
    }
  }

  /** One timer for all: logs that outgrow their limit are cut, background groups that ended are let go. */
  #watch(): void {
    if (this.#watcher) return;
    let busy = false;
    this.#watcher = setInterval(() => {
      const active: ManagedProcess[] = [];
      for (const process of this.list()) {
        if (process.running || process.leftBackground) active.push(process);
        else if (process.pid !== undefined) this.#guard.unwatch(process.pid);
      }
      if (active.length === 0) {
        clearInterval(this.#watcher);
        this.#watcher = undefined;
        this.#forgetOldest().catch(() => {});
      }
      if (busy) return;
      busy = true;
      const work = active.flatMap((process) => [
        process.stdout.enforceLimit(),
        process.stderr?.enforceLimit(),
        process.refreshBackground(),
      ]);
      Promise.all(work)
        .catch(() => {})
        .finally(() => {
          busy = false;
        });
    }, WATCH_INTERVAL_MS);
    this.#watcher.unref();
  }

  #newId(): string {
    for (;;) {
      let id = 'p';
      for (let i = 0; i < 5; i++) id += ID_LETTERS[randomInt(ID_LETTERS.length)];
      if (!this.#processes.has(id)) return id;
    }
  }
}
