import { Readable } from 'node:stream';

/** Bytes that wait for a slow reader; past this nothing more is put in, and it is told to ask for everything anew. */
const MAX_WAITING_BYTES = 1024 * 1024;
const HEARTBEAT_MS = 15_000;
/** How often it is looked whether a slow reader has caught up. */
const LOOK_MS = 250;

/** One open stream of server-sent events. */
export class EventStream {
  readonly body: Readable;
  readonly #heartbeat: NodeJS.Timeout;
  /** Runs while the reader misses what happens. */
  #missing: NodeJS.Timeout | undefined;

  /** @param onClose called once, when the reader has gone or the stream was ended */
  constructor(onClose: () => void) {
    this.body = new Readable({ highWaterMark: MAX_WAITING_BYTES, read() {} });
    this.body.push(': \n\n'); // the browser has its headers, and the page knows that it is connected
    this.#heartbeat = setInterval(() => this.#put(': \n\n'), HEARTBEAT_MS);
    this.#heartbeat.unref();
    this.body.once('close', () => {
      clearInterval(this.#heartbeat);
      clearInterval(this.#missing);
      onClose();
    });
  }

  /** @param data any text: line ends become further data lines, which the reader joins again */
  send(event: string, data: string): void {
    const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
    this.#put(`event: ${event}\n${lines.join('')}\n`);
  }

  end(): void {
    this.body.push(null);
    // Whoever does not read would never see the end.
    setTimeout(() => this.body.destroy(), 200).unref();
  }

  #put(text: string): void {
    if (this.body.readableEnded || this.body.destroyed) return;
    if (this.#missing !== undefined) return;
    if (this.body.readableLength <= MAX_WAITING_BYTES) this.body.push(text);
    else this.#missing = setInterval(() => this.#catchUp(), LOOK_MS).unref();
  }

  /** The reader has taken what waited: it is told that it missed what came meanwhile. */
  #catchUp(): void {
    if (this.body.readableLength > 0) return;
    clearInterval(this.#missing);
    this.#missing = undefined;
    this.#put('event: resync\ndata: 1\n\n');
  }
}
