import { StringDecoder } from 'node:string_decoder';

/** A longer line is taken in parts: a program that prints garbage must not fill the memory. */
const MAX_LINE = 16 * 1024;

/** Cuts a program's output into lines, without colours and control characters. */
export class OutputLines {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#tell(line);
    if (this.#rest.length > MAX_LINE) this.end();
  }

  /** What has no line end yet is a line too. */
  end(): void {
    const rest = this.#rest;
    this.#rest = '';
    if (rest !== '') this.#tell(rest);
  }

  #tell(line: string): void {
    for (let start = 0; start === 0 || start < line.length; start += MAX_LINE) {
      this.#onLine(plain(line.slice(start, start + MAX_LINE)));
    }
  }
}

function plain(line: string): string {
  return line
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g, '')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffd]/g, '');
}
