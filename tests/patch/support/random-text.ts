import type { Random } from './prng.ts';

const WORDS = [
  'alpha',
  'beta',
  'return',
  'x',
  'if (a < b) {',
  '}',
  'größe',
  '日本',
  '😀',
  'a\u2028b',
  '\f',
  '"',
  "'",
  '--',
  '++',
  '@@',
  '***',
];

export interface RandomTextOptions {
  /** Few distinct lines: blocks occur many times. */
  readonly repetitive?: boolean;
  readonly eol?: 'lf' | 'crlf' | 'mixed';
  readonly maxLines?: number;
}

function randomLine(random: Random, repetitive: boolean): string {
  if (repetitive) return random.pick(['', 'a', 'b', '}', '-- a', '++ b']);
  const kind = random.int(10);
  if (kind === 0) return '';
  if (kind === 1)
    return random.pick([
      '-- a/x',
      '++ b/x',
      '-- ',
      '\\ No newline',
      '@@ -1 +1 @@',
      '\tlone\rreturn',
      'diff --git a/a b/b',
    ]);
  const indent = random.pick(['', '', '  ', '    ', '\t']);
  const words = Array.from({ length: 1 + random.int(4) }, () => random.pick(WORDS));
  const trailing = random.chance(0.05) ? '  ' : '';
  return `${indent}${words.join(' ')}${random.chance(0.7) ? ` ${random.int(1000)}` : ''}${trailing}`;
}

/** Lines that carry their terminators. */
export type RawLines = string[];

export function joinRaw(lines: readonly string[]): string {
  return lines.join('');
}

function terminated(random: Random, text: string, eol: RandomTextOptions['eol']): string {
  // A CR at the end of a line's own text would be read as part of its terminator, and rightly so.
  const clean = text.replace(/\r+$/, '');
  return clean + (eol === 'crlf' || (eol === 'mixed' && random.chance(0.5)) ? '\r\n' : '\n');
}

export function randomLines(random: Random, options: RandomTextOptions): RawLines {
  const count = random.int(options.maxLines ?? 40);
  const lines = Array.from({ length: count }, () =>
    terminated(random, randomLine(random, options.repetitive === true), options.eol),
  );
  return withRandomEnd(random, lines);
}

function withRandomEnd(random: Random, lines: RawLines): RawLines {
  const last = lines.at(-1);
  if (last !== undefined && random.chance(0.2)) {
    const bare = last.replace(/\r?\n$/, '');
    // An empty last line without terminator is no line.
    if (bare === '') lines.pop();
    else lines[lines.length - 1] = bare;
  }
  return lines;
}

/** The same lines with some removed, replaced, inserted, moved; at least one difference. */
export function randomEdit(random: Random, lines: RawLines, options: RandomTextOptions): RawLines {
  const before = joinRaw(lines);
  for (;;) {
    const end = options.eol === 'crlf' ? '\r\n' : '\n';
    const edited = lines.map((line) => (line.endsWith('\n') ? line : line + end));
    for (let edits = 1 + random.int(4); edits > 0; edits--) {
      const at = random.int(edited.length + 1);
      const fresh = (): string =>
        terminated(random, randomLine(random, options.repetitive === true), options.eol);
      const kind = random.int(5);
      if (kind === 0) edited.splice(at, 1 + random.int(3));
      else if (kind === 1) edited.splice(at, 0, ...Array.from({ length: 1 + random.int(3) }, fresh));
      else if (kind === 2) edited.splice(at, 1, fresh());
      else if (kind === 3) edited.splice(random.int(edited.length + 1), 0, ...edited.splice(at, 2));
      else edited.splice(at, 2, fresh(), fresh(), fresh());
    }
    const keepsEnd = random.chance(0.7) && !(lines.at(-1) ?? '\n').endsWith('\n');
    const result = keepsEnd ? dropLastTerminator(edited) : withRandomEnd(random, edited);
    if (joinRaw(result) !== before) return result;
  }
}

function dropLastTerminator(lines: RawLines): RawLines {
  const bare = lines.at(-1)?.replace(/\r?\n$/, '');
  if (bare === undefined) return lines;
  return bare === '' ? lines.slice(0, -1) : [...lines.slice(0, -1), bare];
}
