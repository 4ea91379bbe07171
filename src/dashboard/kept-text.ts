/**
 * The beginning of a text as bytes of its own. A string that was cut out of a large one keeps the large one in memory;
 * bytes that were copied do not.
 */
export interface KeptText {
  readonly bytes: Buffer;
  /** Characters of the text that are not kept. */
  readonly hiddenCharacters: number;
}

/** Up to this size bytes come from Node's pool: cheaper by far, and what they hold on to is of this order. */
const POOLED_CHARACTERS = 1_000;

/** @param maxCharacters of which more are left out */
export function keepText(text: string, maxCharacters: number): KeptText {
  const shown = firstCharacters(text, maxCharacters);
  return { bytes: bytesOf(shown), hiddenCharacters: text.length - shown.length };
}

/**
 * Arguments of a call as JSON whose strings are cut one by one, so that it can be read as JSON again.
 * @returns undefined for what is no JSON
 */
export function keepArguments(
  args: unknown,
  limits: { readonly maxValueCharacters: number; readonly maxCharacters: number },
): KeptText | undefined {
  if (args === undefined) return undefined;
  let hidden = 0;
  const cut = (_name: string, value: unknown) => {
    if (typeof value !== 'string' || value.length <= limits.maxValueCharacters) return value;
    const shown = firstCharacters(value, limits.maxValueCharacters);
    hidden += value.length - shown.length;
    return `${shown}… [${value.length - shown.length} more characters]`;
  };
  const kept = keepText(jsonOf(args, cut), limits.maxCharacters);
  return { bytes: kept.bytes, hiddenCharacters: kept.hiddenCharacters + hidden };
}

/** A request may nest its values deeper than they can be walked through. */
function jsonOf(value: unknown, replacer: (name: string, value: unknown) => unknown): string {
  try {
    return JSON.stringify(value, replacer) ?? 'null';
  } catch {
    return '"[nested too deeply to be shown]"';
  }
}

/** Not ending in half of a character. */
function firstCharacters(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const last = text.charCodeAt(maxCharacters - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? maxCharacters - 1 : maxCharacters);
}

function bytesOf(text: string): Buffer {
  if (text.length <= POOLED_CHARACTERS) return Buffer.from(text);
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
