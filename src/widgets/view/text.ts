/** Text that a reader can trust: what would be invisible or reorder a line is shown as what it is. */

const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Control characters as their pictures (␛), direction marks by number; tabs and line feeds stay. */
export function visible(text: string): string {
  return text.replace(CONTROLS, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return '\u2421';
    return `\u2039U+${code.toString(16).toUpperCase().padStart(4, '0')}\u203a`;
  });
}

/** The first characters of a text, and how many more there are; no surrogate pair is split. */
export function cut(text: string, maxChars: number): { text: string; more: number } {
  if (text.length <= maxChars) return { text, more: 0 };
  const kept = text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, '');
  return { text: kept, more: text.length - kept.length };
}
