/** What the thread is started with. */
export interface ThreadTask {
  readonly source: string;
  readonly flags: string;
  readonly mode: 'lines' | 'files' | 'counts';
  readonly multiline: boolean;
  readonly before: number;
  readonly after: number;
  /** One file that was named: searched although it is binary. */
  readonly isExplicit: boolean;
  /** Real folders that a file must lie in when it is opened; undefined: any. */
  readonly roots: readonly string[] | undefined;
}

/** A line as it is in the file; the receiver cuts it. */
export interface ThreadLine {
  readonly number: number;
  readonly isMatch: boolean;
  readonly bytes: Uint8Array;
  /** Where the match begins, in bytes. */
  readonly offset: number;
}

export type ThreadMessage =
  | { readonly path: string; readonly lines: readonly ThreadLine[] }
  | { readonly path: string; readonly count: number }
  | { readonly path: string; readonly binary: true }
  | { readonly path: string; readonly problem: string }
  /** The files of one request are done. */
  | { readonly done: true };

/**
 * Runs in the thread: searches the files that it is sent. Synchronous, and a pattern that backtracks for ever hangs
 * nothing but this thread, which is ended from outside. Self-contained, because its source text is all that the thread
 * gets: in the single executable there is no file to load it from.
 */
export function matchThread(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  const fs = process.getBuiltinModule('node:fs');
  const { Buffer } = process.getBuiltinModule('node:buffer');
  const task = workerData as ThreadTask;
  const separator = process.platform === 'win32' ? '\\' : '/';
  const regex = new RegExp(task.source, task.flags);
  const global = new RegExp(task.source, `${task.flags}g`);
  /** ripgrep looks for a NUL in the first buffer of this size before it searches a file at all. */
  const SNIFF_BYTES = 65536;
  const MAX_BYTES = 256 * 1024 * 1024;
  const LINES_PER_MESSAGE = 500;
  const post = (message: ThreadMessage): void => parentPort?.postMessage(message);

  parentPort?.on('message', ({ files }: { files: { path: string; absolute: string }[] }) => {
    for (const { path, absolute } of files) {
      try {
        searchFile(path, read(absolute));
      } catch (error) {
        const { code } = error as { code?: unknown };
        post({ path, problem: typeof code === 'string' ? code : String(error) });
      }
    }
    post({ done: true });
  });

  /** What was opened is asked where it is before it is read: its name may lead elsewhere by now. */
  function read(path: string): Buffer {
    if (!task.roots) return fs.readFileSync(path);
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
    try {
      const real =
        process.platform === 'linux' && !('Deno' in globalThis)
          ? fs.readlinkSync(`/proc/self/fd/${descriptor}`)
          : fs.realpathSync(path);
      const [opened, there] = [fs.fstatSync(descriptor), fs.statSync(real)];
      const isInside = task.roots.some((root) =>
        real.startsWith(root.endsWith(separator) ? root : root + separator),
      );
      if (!isInside || opened.ino !== there.ino) throw new Error('it leads out of the workspace');
      return fs.readFileSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  function searchFile(path: string, raw: Buffer): void {
    if (raw.length > MAX_BYTES) {
      post({ path, problem: 'larger than 256 MB' });
      return;
    }
    let content = decode(raw);
    const nul = content.indexOf(0);
    const isBinary = nul >= 0;
    if (isBinary && task.isExplicit) {
      content = Buffer.from(content);
      for (let at = nul; at >= 0; at = content.indexOf(0, at + 1)) content[at] = 10;
    } else if (isBinary) {
      if (nul < SNIFF_BYTES) return;
      content = content.subarray(0, searchedBefore(content, nul));
    }
    const { starts, matching, total } = task.multiline ? acrossLines(content) : lineByLine(content);
    if (matching.size === 0) return;
    if (task.mode === 'files') post({ path, count: 0 });
    else if (task.mode === 'counts') {
      if (!isBinary || task.isExplicit) post({ path, count: total });
    } else {
      if (!(isBinary && task.isExplicit)) postLines(path, content, starts, matching);
      if (isBinary) post({ path, binary: true });
    }
  }

  /**
   * ripgrep reads by buffers that begin where the last whole line ended, and does not search the one in which it finds
   * the NUL.
   */
  function searchedBefore(content: Buffer, nul: number): number {
    let start = 0;
    while (start + SNIFF_BYTES <= nul) {
      const lastLine = content.lastIndexOf(10, start + SNIFF_BYTES - 1);
      start = (lastLine >= start ? lastLine : content.indexOf(10, start)) + 1;
      if (start === 0) return 0;
    }
    return start;
  }

  /** UTF-16 with a byte order mark becomes UTF-8, and a mark is no part of the first line. */
  function decode(raw: Buffer): Buffer {
    if (raw[0] === 0xff && raw[1] === 0xfe) return Buffer.from(new TextDecoder('utf-16le').decode(raw));
    if (raw[0] === 0xfe && raw[1] === 0xff) return Buffer.from(new TextDecoder('utf-16be').decode(raw));
    return raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? raw.subarray(3) : raw;
  }

  /** Where lines start, and the matching ones (index → offset of the match in bytes). */
  function lineByLine(content: Buffer) {
    const starts: number[] = [];
    const matching = new Map<number, number>();
    for (let start = 0; start < content.length; ) {
      let end = content.indexOf(10, start);
      if (end < 0) end = content.length;
      const text = content.toString('utf8', start, end);
      const found = regex.exec(text);
      if (found) {
        matching.set(starts.length, Buffer.byteLength(text.slice(0, found.index)));
        if (task.mode === 'files') break;
      }
      starts.push(start);
      start = end + 1;
    }
    return { starts, matching, total: matching.size };
  }

  function acrossLines(content: Buffer) {
    const starts: number[] = [];
    for (let start = 0; start < content.length; ) {
      starts.push(start);
      const end = content.indexOf(10, start);
      start = end < 0 ? content.length : end + 1;
    }
    const text = content.toString('utf8');
    const matching = new Map<number, number>();
    let total = 0;
    let line = 0;
    let lineStart = 0;
    for (const found of text.matchAll(global)) {
      // An empty match after the last newline lies on no line.
      if (found.index >= text.length && (found[0] === '' || text.length === 0) && text.endsWith('\n')) break;
      for (
        let end = text.indexOf('\n', lineStart);
        end >= 0 && end < found.index;
        end = text.indexOf('\n', lineStart)
      ) {
        line++;
        lineStart = end + 1;
      }
      total++;
      const last = line + newlines(found[0].slice(0, -1));
      for (let each = line; each <= last; each++) {
        if (matching.has(each)) continue;
        matching.set(each, each === line ? Buffer.byteLength(text.slice(lineStart, found.index)) : 0);
      }
    }
    return { starts, matching, total };
  }

  function newlines(text: string): number {
    let count = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
    return count;
  }

  function postLines(path: string, content: Buffer, starts: number[], matching: Map<number, number>): void {
    let lines: ThreadLine[] = [];
    let next = 0;
    const push = (index: number) => {
      const end = (starts[index + 1] ?? content.length + (content[content.length - 1] === 10 ? 0 : 1)) - 1;
      const offset = matching.get(index);
      const bytes = new Uint8Array(content.subarray(starts[index], end));
      lines.push({ number: index + 1, isMatch: offset !== undefined, bytes, offset: offset ?? 0 });
      next = index + 1;
      if (lines.length < LINES_PER_MESSAGE) return;
      post({ path, lines });
      lines = [];
    };
    for (const index of matching.keys()) {
      const last = Math.min(index + task.after, starts.length - 1);
      for (let each = Math.max(next, index - task.before); each <= last; each++) push(each);
    }
    if (lines.length > 0) post({ path, lines });
  }
}
