import { Readable } from 'node:stream';

/** Bytes that wait for a slow reader; past this nothing more is put in, and it is told to ask for everything anew. */
const MAX_WAITING_BYTES = 1024 * 1024;
const HEARTBEAT_MS = 15_000;

/** One open stream of server-sent events. */
export class EventStream {
  readonly body: Readable;
  readonly #heartbeat: NodeJS.Timeout;
  #missed = false;

  /** @param onClose called once, when the reader has gone or the stream was ended */
  constructor(onClose: () => void) {
    this.body = new Readable({ highWaterMark: MAX_WAITING_BYTES, read: () => this.#told() });
    this.body.push(': \n\n'); // the browser has its headers, and the page knows that it is connected
    this.#heartbeat = setInterval(() => this.#put(': \n\n'), HEARTBEAT_MS);
    this.#heartbeat.unref();
    this.body.once('close', () => {
      clearInterval(this.#heartbeat);
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
    if (this.#missed || this.body.readableLength > MAX_WAITING_BYTES) this.#missed = true;
    else this.body.push(text);
  }

  /** The reader wants more: what it missed is told once it has what waited. */
  #told(): void {
    if (!this.#missed || this.body.readableLength > 0) return;
    this.#missed = false;
    this.body.push('event: resync\ndata: 1\n\n');
  }
}
