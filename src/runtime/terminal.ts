/**
 * For a character class with the flag `u`: characters that a reader would not see, or that change the order of what he
 * reads: soft hyphen, joiners, fillers, directional marks and overrides, separators that end no line, variants for
 * ideographs, tags. Emoji are not made of any of these but the joiner U+200D.
 */
export const UNSEEN_CHARACTERS = String.raw`\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}`;

const UNSAFE = new RegExp(`[\\u0000-\\u001f\\u007f-\\u009f\\u200d${UNSEEN_CHARACTERS}]`, 'gu');

/**
 * Text of unknown origin made safe for a terminal: control characters (escape sequences among them), bidirectional
 * overrides and what cannot be seen are shown as \u escapes, line ends as a space. A client's name or a file's name must
 * not be able to move the cursor or reorder what the user reads (access.md, "Secrets").
 */
export function forTerminal(text: string): string {
  return text.replace(/\r?\n/g, ' ').replace(UNSAFE, escaped);
}

/** The character as it is written in source code. */
export function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Colours for a stream, or none where it is no terminal or the user asked for none (no-color.org). */
export function colours(
  stream: { isTTY?: boolean },
  env: NodeJS.ProcessEnv = process.env,
): {
  red: (text: string) => string;
  bold: (text: string) => string;
  dim: (text: string) => string;
} {
  const on = stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const paint = (code: number) => (text: string) => (on ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { red: paint(31), bold: paint(1), dim: paint(2) };
}
