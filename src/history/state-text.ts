import { decodeText } from '../workspace/index.ts';
import type { EntryState } from './types.ts';

/**
 * The text of a state; empty for one where nothing is there.
 * @param read gives the bytes of a file, where they are to be had
 * @returns undefined for what is no text
 */
export async function stateText(
  state: EntryState | undefined,
  read: () => Promise<Buffer | undefined>,
): Promise<string | undefined> {
  if (state?.type === 'none') return '';
  if (state?.type !== 'file') return undefined;
  const bytes = await read();
  return bytes && decodeText(bytes)?.text;
}

/** A state in a few words, where it cannot be shown as text. */
export function describeState(state: EntryState | undefined): string {
  switch (state?.type) {
    case 'none':
      return 'not there';
    case 'file':
      return `file of ${state.sizeBytes} byte${state.sizeBytes === 1 ? '' : 's'}`;
    case 'link':
      return `link to ${state.target}`;
    case 'folder':
      return 'folder';
    default:
      return 'special file';
  }
}
