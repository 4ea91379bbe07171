/** The public face of the edit domain: replacing parts of a text, and saying what changed. Knows no files. */
export { type DiffHunk, type DiffHunkLine, type DiffHunks, diffHunks } from './diff-hunks.ts';
export { type LiteralEdit, type Replaced, replaceLiteral } from './literal-replace.ts';
export { replaceInOrder } from './multi-edit.ts';
export { REGEX_DEADLINE_MS, type RegexEdit, replaceRegex } from './regex-replace.ts';
export type { Region } from './regions.ts';
export { type UnifiedDiff, unifiedDiff } from './unified-diff.ts';
