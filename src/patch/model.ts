/** The two notations that models write. */
export type PatchFormat = 'codex' | 'unified';

export interface HunkLine {
  readonly kind: 'context' | 'remove' | 'add';
  /** The line without its prefix and without its terminator. */
  readonly text: string;
  /** The line stood in the patch with CR LF although the patch itself is an LF text: the CR is the file's. */
  readonly carriageReturn: boolean;
  /** `\ No newline at end of file` followed. */
  readonly noNewline: boolean;
}

/** The numbers of `@@ -oldStart,oldCount +newStart,newCount @@`: hints, never an authority. */
export interface StatedPlace {
  readonly oldStart: number;
  readonly oldCount: number;
  readonly newStart: number;
  readonly newCount: number;
}

export interface Hunk {
  /** Line of the text as it was sent (1-based) where the hunk begins. */
  readonly patchLine: number;
  /** Texts of `@@ …` context headers, outermost first. */
  readonly headers: readonly string[];
  readonly stated: StatedPlace | undefined;
  readonly lines: readonly HunkLine[];
  /** `*** End of File`: the block ends where the file ends. */
  readonly endOfFile: boolean;
}

export type PatchOperation = 'add' | 'delete' | 'update' | 'rename' | 'copy';

/** One section of a patch: what it does to one file. A mode change is an update with `newMode`. */
export interface PatchFile {
  readonly format: PatchFormat;
  readonly operation: PatchOperation;
  /** The name in the patch, `./` removed; `..` is kept for whoever checks paths. Empty: the patch names no file. */
  readonly path: string;
  /** Target of a rename or copy. */
  readonly newPath: string | undefined;
  /** The name with its `a/` or `b/`, for a section whose other side is /dev/null: used if `path` does not exist. */
  readonly unstrippedPath: string | undefined;
  /** Six octal digits as git writes them. */
  readonly newMode: string | undefined;
  /** Mode that says what the file is when git gives it (120000 is a symbolic link). */
  readonly fileMode: string | undefined;
  readonly binary: boolean;
  readonly hunks: readonly Hunk[];
  /** Line of the text as it was sent (1-based) where the section begins. */
  readonly patchLine: number;
  /** Counts the commits of a mail or log with several patches: names and copies refer to the state before each. */
  readonly stage: number;
}

export function oldSide(hunk: Hunk): HunkLine[] {
  return hunk.lines.filter((line) => line.kind !== 'add');
}

export function newSide(hunk: Hunk): HunkLine[] {
  return hunk.lines.filter((line) => line.kind !== 'remove');
}

export function changesSomething(hunk: Hunk): boolean {
  return hunk.lines.some((line) => line.kind !== 'context');
}
