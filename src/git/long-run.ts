import { runProgram } from '../runtime/run-program.ts';

/** A program that may take longer than one answer: a push, a hook. */
export interface LongProgram {
  /** What a person sees in lists of processes, like `git push origin main`. */
  readonly title: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export type LongRunResult =
  | {
      readonly done: true;
      readonly exitCode: number | null;
      readonly stdout: string;
      readonly stderr: string;
    }
  | {
      readonly done: false;
      /** For process_output and stop_process. */
      readonly processId: string;
      /** What it printed so far, both streams. */
      readonly output: string;
    };

/**
 * Runs a program and either sees its end or hands it over as a background process, so that nothing is killed because
 * a client is impatient. The shell domain offers this; `runToTheEnd` is for when there is none.
 */
export interface LongRunner {
  run(program: LongProgram, signal: AbortSignal | undefined): Promise<LongRunResult>;
}

/** A hook or a network command that is not done after this long hangs. */
export const GIVE_UP_MS = 15 * 60_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** The first bytes of an output whose rest is read and dropped, so that the program is not held up. */
export class KeptOutput {
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #kept = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): undefined {
    if (this.#kept >= this.#maxBytes) return;
    this.#chunks.push(chunk.subarray(0, this.#maxBytes - this.#kept));
    this.#kept += chunk.length;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** Waits for the end, however long it takes; the server's own hand-over of slow calls covers the answer. */
export const runToTheEnd: LongRunner = {
  async run(program, signal) {
    const output = new KeptOutput(MAX_OUTPUT_BYTES);
    const result = await runProgram(program.file, program.args, {
      cwd: program.cwd,
      env: program.env,
      timeoutMs: GIVE_UP_MS,
      politeMs: 2_000,
      exitIsEnd: true,
      onStdout: (chunk) => output.push(chunk),
      ...(signal && { signal }),
    });
    const late = result.timedOut ? `\ntimed out after ${GIVE_UP_MS / 60_000} minutes` : '';
    return {
      done: true,
      exitCode: result.exitCode,
      stdout: output.bytes().toString('utf8'),
      stderr: result.stderr + late,
    };
  },
};
