/**
 * How closely a block of a patch equals the lines of a file, from exact to loose. Each level includes the ones before.
 */
export type MatchLevel =
  | 'exact'
  | 'trailing-whitespace'
  | 'surrounding-whitespace'
  | 'typography'
  | 'all-whitespace';

export const LEVELS: readonly MatchLevel[] = [
  'exact',
  'trailing-whitespace',
  'surrounding-whitespace',
  'typography',
  'all-whitespace',
];

const NOT_ASCII = /[^\x00-\x7f]/;
const TYPOGRAPHY: readonly (readonly [RegExp, string])[] = [
  [/[\u2018\u2019\u201a\u201b\u2032\u02bc]/g, "'"],
  [/[\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb]/g, '"'],
  [/[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/g, '-'],
  [/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, ' '],
  [/\u2026/g, '...'],
  [/[\u200b\u2060\ufeff\u00ad]/g, ''],
];

/** Typographic quotes, dashes and spaces as their ASCII forms; the ends are not trimmed. */
export function foldTypography(line: string): string {
  if (!NOT_ASCII.test(line)) return line;
  return TYPOGRAPHY.reduce((folded, [pattern, replacement]) => folded.replace(pattern, replacement), line);
}

/** The form of a line in which two lines that are equal at `level` are the same string. */
export function foldLine(line: string, level: MatchLevel): string {
  switch (level) {
    case 'exact':
      return line;
    case 'trailing-whitespace':
      return line.trimEnd();
    case 'surrounding-whitespace':
      return line.trim();
    case 'typography':
      return foldTypography(line).trim();
    case 'all-whitespace':
      return foldTypography(line).replace(/\s+/g, '');
  }
}
