/** A directory tree drawn in few lines. */
export interface Sketch {
  readonly text: string;
  /** How deep it goes; less than asked for where that would be too many lines. */
  readonly depth: number;
  /** Folders left out because there are too many even at that depth. */
  readonly omittedFolders: number;
}

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: string[];
  fileCount: number;
}

const MAX_LINES = 250;
const MAX_LINE_CHARACTERS = 160;

/**
 * One line per folder: its name, and the files that lie directly in it as far as they fit; at the deepest level the
 * number of files below.
 *
 * @param paths of the files, relative to the folder that is drawn, `/`-separated
 */
export function sketchTree(paths: readonly string[], maxDepth: number): Sketch {
  const root = treeOf(paths);
  let depth = Math.max(maxDepth, 0);
  while (depth > 1 && foldersDownTo(root, depth) > MAX_LINES) depth--;
  const lines: string[] = [];
  const omittedFolders = depth === 0 ? 0 : draw(root, '', depth, lines);
  const end = omittedFolders > 0 ? `… ${omittedFolders} more folders\n` : '';
  return { text: `${lines.join('\n')}${lines.length > 0 ? '\n' : ''}${end}`, depth, omittedFolders };
}

function treeOf(paths: readonly string[]): Folder {
  const root: Folder = { folders: new Map(), files: [], fileCount: 0 };
  for (const path of paths) {
    const names = path.split('/');
    const file = names.pop()!;
    let folder = root;
    folder.fileCount++;
    for (const name of names) {
      let next = folder.folders.get(name);
      if (next === undefined) {
        next = { folders: new Map(), files: [], fileCount: 0 };
        folder.folders.set(name, next);
      }
      folder = next;
      folder.fileCount++;
    }
    folder.files.push(file);
  }
  return root;
}

function foldersDownTo(folder: Folder, depth: number): number {
  if (depth <= 1) return folder.folders.size;
  let count = folder.folders.size;
  for (const inner of folder.folders.values()) count += foldersDownTo(inner, depth - 1);
  return count;
}

/** Draws the content of a folder; returns how many folders found no line. */
function draw(folder: Folder, indent: string, depth: number, lines: string[]): number {
  if (indent === '' && folder.files.length > 0) lines.push(namesThatFit(folder.files, 0));
  let omitted = 0;
  for (const [name, inner] of sorted(folder.folders)) {
    if (lines.length >= MAX_LINES) {
      omitted++;
      continue;
    }
    // A chain of folders with nothing else in them is one line: src/main/java/org/example.
    let label = shownName(name);
    let current = inner;
    while (current.files.length === 0 && current.folders.size === 1) {
      const [[onlyName, only]] = [...current.folders] as [[string, Folder]];
      label += `/${shownName(onlyName)}`;
      current = only;
    }
    const head = `${indent}${label}/`;
    if (depth <= 1 && current.folders.size > 0) {
      lines.push(`${head} (${current.fileCount} files)`);
    } else {
      const names = namesThatFit(current.files, head.length);
      lines.push(names === '' ? head : `${head} ${names}`);
      omitted += draw(current, `${indent}  `, depth - 1, lines);
    }
  }
  return omitted;
}

function namesThatFit(files: string[], used: number): string {
  const names = files.map(shownName).sort();
  const room = Math.max(MAX_LINE_CHARACTERS - used, 24);
  let text = '';
  for (const [index, name] of names.entries()) {
    const longer = text === '' ? name : `${text}, ${name}`;
    if (index > 0 && longer.length > room) return `${text}, … ${names.length - index} more`;
    text = longer;
  }
  return text;
}

function sorted(folders: Map<string, Folder>): [string, Folder][] {
  return [...folders].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A name may hold line breaks and what would change how a line is read. */
function shownName(name: string): string {
  return /[\p{Cc}\p{Cf}]/u.test(name) ? JSON.stringify(name) : name;
}
