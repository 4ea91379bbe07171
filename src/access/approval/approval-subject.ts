/** Characters of a text for a file; the owner can look at the rest in the file or the history. */
const MAX_TEXT_CHARACTERS = 4_000;
/** Parameters that hold texts for files. */
const TEXTS = new Set(['content', 'old_text', 'new_text', 'edits', 'replacement']);

/**
 * What the owner is asked to approve. Nothing that says what is done where is shortened, be it a command, a patch, a path
 * or a list of files: what is hidden would be approved unseen. Of a text for a file the beginning is shown and how much
 * follows. Of a value with several lines it is said how many they are, so that a line of it cannot pass for another
 * parameter. Secrets are not masked: it is shown to the owner alone.
 */
export function approvalSubject(args: Readonly<Record<string, unknown>>): string {
  return Object.entries(args)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const hidden = TEXTS.has(name) ? text.length - MAX_TEXT_CHARACTERS : 0;
      const shown = hidden > 0 ? `${text.slice(0, MAX_TEXT_CHARACTERS)}\n[${hidden} more characters]` : text;
      const lineCount = shown.split('\n').length;
      return lineCount > 1 ? `${name} (${lineCount} lines):\n${shown}` : `${name}: ${shown}`;
    })
    .join('\n');
}
