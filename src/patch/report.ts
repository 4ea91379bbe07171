import type { MatchLevel } from './levels.ts';
import { newSide, type PatchFile } from './model.ts';
import type { Placed } from './place-hunks.ts';

/** Where one hunk landed. */
export interface HunkReport {
  /** Line (1-based) of its first line in the file after the patch. */
  readonly line: number;
  /** How closely its lines equalled those of the file. */
  readonly level: MatchLevel;
}

/** What one section of a patch does. */
export interface FileReport {
  readonly path: string;
  readonly newPath: string | undefined;
  readonly status: 'created' | 'updated' | 'deleted' | 'renamed' | 'copied' | 'mode-changed' | 'unchanged';
  readonly mode: string | undefined;
  readonly hunks: readonly HunkReport[];
  readonly addedLines: number;
  readonly removedLines: number;
  /** Hunks of a unified diff, without file names; empty where no text changes. */
  readonly diff: string;
}

/** A report without hunks. */
export function reportOf(section: PatchFile, status: FileReport['status']): FileReport {
  return {
    path: section.path,
    newPath: section.newPath,
    status,
    mode: section.newMode,
    hunks: [],
    addedLines: 0,
    removedLines: 0,
    diff: '',
  };
}

/** Where the hunks of a section landed, in the order of the patch. */
export function hunkReports(placed: readonly Placed[]): HunkReport[] {
  const shifts = new Map<Placed, number>();
  let shift = 0;
  for (const one of placed.toSorted((a, b) => a.start - b.start || a.count - b.count)) {
    shifts.set(one, shift);
    shift += newSide(one.hunk).length - (one.phantomLine ? 1 : 0) - one.count;
  }
  return placed.map((one) => ({ line: one.start + 1 + (shifts.get(one) ?? 0), level: one.level }));
}

export function countLines(placed: readonly Placed[], kind: 'add' | 'remove'): number {
  return placed.reduce((sum, { hunk }) => sum + hunk.lines.filter((line) => line.kind === kind).length, 0);
}
