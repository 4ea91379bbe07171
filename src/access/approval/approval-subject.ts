/** Characters of a value that is no command; the owner can look at the rest in the file or the history. */
const MAX_VALUE_CHARACTERS = 4_000;

/**
 * What the owner is asked to approve: a command or a patch is never shortened, because what is hidden would be approved
 * unseen; of file contents the beginning is shown and how much follows. Secrets are not masked: it is
 * shown to the owner alone.
 */
export function approvalSubject(args: Readonly<Record<string, unknown>>): string {
  return Object.entries(args)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const isWhole = name === 'command' || name === 'input' || name === 'args' || name === 'patch';
      const hidden = text.length - MAX_VALUE_CHARACTERS;
      const shown =
        isWhole || hidden <= 0 ? text : `${text.slice(0, MAX_VALUE_CHARACTERS)}\n[${hidden} more characters]`;
      return shown.includes('\n') ? `${name}:\n${shown}` : `${name}: ${shown}`;
    })
    .join('\n');
}
