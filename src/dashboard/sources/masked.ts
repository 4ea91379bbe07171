import { maskSecrets } from '../../access/index.ts';
import type { KeptText } from '../kept-text.ts';
import type { CutText } from '../models.ts';

const MASK = '***';

/** Arguments with their secrets masked, value by value: in JSON text a quotation mark ends no secret. */
export function maskedJson({ bytes, hiddenCharacters }: KeptText): CutText {
  return { text: maskedJsonText(bytes.toString()), hiddenCharacters };
}

/** The text of an answer: its first line is JSON, what follows is as the tool found it. */
export function maskedResult({ bytes, hiddenCharacters }: KeptText): CutText {
  const text = bytes.toString();
  const end = text.startsWith('{') ? text.indexOf('\n') : -1;
  const head = end < 0 ? text : text.slice(0, end);
  if (!head.startsWith('{')) return { text: maskSecrets(text), hiddenCharacters };
  return { text: maskedJsonText(head, false) + maskSecrets(text.slice(head.length)), hiddenCharacters };
}

function maskedJsonText(json: string, isIndented = true): string {
  try {
    return JSON.stringify(masked(JSON.parse(json)), undefined, isIndented ? 2 : undefined);
  } catch {
    // It was cut: no JSON any more. A quotation mark of a value inside of a string is one all the same.
    return maskSecrets(json.replaceAll('\\"', '"'));
  }
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return maskSecrets(value);
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const isSecret = (typeof item === 'string' || typeof item === 'number') && namesSecret(name);
      return [name, isSecret ? MASK : masked(item)];
    }),
  );
}

/** A name after which maskSecrets would mask what stands there. */
function namesSecret(name: string): boolean {
  return maskSecrets(`${name.slice(0, 100)}=x`).endsWith(MASK);
}
