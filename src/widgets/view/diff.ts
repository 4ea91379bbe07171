export interface DiffRow {
  /** A header of a hunk and whatever else is no line of a file are notes. */
  readonly kind: 'added' | 'removed' | 'same' | 'note';
  readonly text: string;
  readonly oldLine?: number;
  readonly newLine?: number;
}

export interface DiffFile {
  path: string;
  /** Where the file was before, when that is another name. */
  oldPath?: string;
  /** updated, created, deleted, renamed, and what else the result calls it. */
  status: string;
  added: number;
  removed: number;
  readonly rows: DiffRow[];
}

/**
 * The files of a unified diff, git's or plain. Lines that belong to no file and no hunk ("the diffs of 3 files are not
 * shown") are kept as notes, so that everything in the text is shown.
 */
export function parseDiff(text: string): { files: DiffFile[]; notes: string[] } {
  const files: DiffFile[] = [];
  const notes: string[] = [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  let file: DiffFile | undefined;
  /** Between "diff --git" and the names. */
  let inHeader = false;
  /** Lines that the hunk still has to have, by its header: "--- x" may be a removed line. */
  let left = { old: 0, new: 0 };
  let at = { old: 0, new: 0 };
  const open = (path: string) => {
    file = { path, status: 'updated', added: 0, removed: 0, rows: [] };
    files.push(file);
  };

  for (const [index, line] of lines.entries()) {
    if (file !== undefined && (left.old > 0 || left.new > 0)) {
      const sign = line[0] ?? ' ';
      if (sign === '+' && left.new > 0) {
        file.rows.push({ kind: 'added', text: line.slice(1), newLine: at.new++ });
        file.added++;
        left.new--;
        continue;
      }
      if (sign === '-' && left.old > 0) {
        file.rows.push({ kind: 'removed', text: line.slice(1), oldLine: at.old++ });
        file.removed++;
        left.old--;
        continue;
      }
      if (sign === ' ' && left.old > 0 && left.new > 0) {
        file.rows.push({ kind: 'same', text: line.slice(1), oldLine: at.old++, newLine: at.new++ });
        left.old--;
        left.new--;
        continue;
      }
      if (sign !== '\\') left = { old: 0, new: 0 }; // cut in the middle
    }
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk) {
      if (file === undefined) open('');
      inHeader = false;
      at = { old: Number(hunk[1]), new: Number(hunk[3]) };
      left = { old: Number(hunk[2] ?? 1), new: Number(hunk[4] ?? 1) };
      file?.rows.push({ kind: 'note', text: line });
    } else if (/^diff --(git|cc|combined) /.test(line)) {
      open(pathOfHeader(line));
      inHeader = true;
    } else if (line.startsWith('--- ') && lines[index + 1]?.startsWith('+++ ')) {
      const names = namesOf(line.slice(4), lines[index + 1]?.slice(4) ?? '');
      if (!inHeader) open('');
      if (file !== undefined) {
        const { status } = file;
        Object.assign(file, names, status === 'updated' ? {} : { status });
      }
      inHeader = false;
    } else if (line.startsWith('+++ ') && lines[index - 1]?.startsWith('--- ')) {
      // taken with the line before
    } else if (file !== undefined && inHeader && EXTENDED.test(line)) {
      extend(file, line);
    } else if (file !== undefined && (line.startsWith('\\') || inHeader)) {
      file.rows.push({ kind: 'note', text: line });
    } else if (line !== '') {
      notes.push(line);
    }
  }
  return { files, notes };
}

/** git's lines between "diff --git" and the hunks. */
const EXTENDED =
  /^(index |new file mode |deleted file mode |old mode |new mode |similarity index |dissimilarity index |rename |copy )/;

function extend(file: DiffFile, line: string): void {
  const name = /^(?:rename|copy) (from|to) (.*)$/.exec(line);
  if (name?.[1] === 'from') file.oldPath = name[2];
  if (name?.[1] === 'to') Object.assign(file, { path: name[2], status: 'renamed' });
  if (line.startsWith('new file')) file.status = 'created';
  if (line.startsWith('deleted file')) file.status = 'deleted';
  if (/^(old|new) mode /.test(line)) file.rows.push({ kind: 'note', text: line });
}

/** `diff --git a/x b/x`: both names are the same but for renames, which say so in lines of their own. */
function pathOfHeader(line: string): string {
  const both = line.replace(/^diff --\w+ /, '');
  const half = (both.length - 1) / 2;
  const [first, second] = [both.slice(0, half), both.slice(half + 1)];
  return first.slice(2) === second.slice(2) && first.startsWith('a/') ? second.slice(2) : both;
}

function namesOf(from: string, to: string): Partial<DiffFile> {
  const [before, after] = [from, to].map((name) => name.replace(/\t.*$/, ''));
  if (before === undefined || after === undefined) return {};
  const plain = (name: string) => name.replace(/^[abciow]\//, '');
  if (before === '/dev/null') return { path: after.replace(/^b\//, ''), status: 'created' };
  if (after === '/dev/null') return { path: before.replace(/^a\//, ''), status: 'deleted' };
  if (before === after) return { path: after };
  if (plain(before) === plain(after)) return { path: plain(after) };
  return { path: plain(after), oldPath: plain(before), status: 'renamed' };
}
