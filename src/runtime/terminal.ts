/**
 * Text of unknown origin made safe for a terminal: control characters (escape sequences among them) and
 * bidirectional overrides are shown as \u escapes, line ends as a space. A client's name or a file's name must not
 * be able to move the cursor or reorder what the user reads (access.md, "Secrets").
 */
export function forTerminal(text: string): string {
  return text
    .replace(/\r?\n/g, ' ')
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
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
