/**
 * The beginning of a text as bytes of its own. A string that was cut out of a large one keeps the large one in memory;
 * bytes that were copied do not.
 */
export interface KeptText {
  readonly bytes: Buffer;
  /** Characters of the text that are not kept. */
  readonly hiddenCharacters: number;
}

/** @param maxCharacters of which more are left out */
export function keepText(text: string, maxCharacters: number): KeptText {
  const isWhole = text.length <= maxCharacters;
  const shown = isWhole ? text : text.slice(0, maxCharacters).replace(/[\ud800-\udbff]$/, '');
  // Not from the pool, of which one kept piece holds all.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(shown));
  bytes.write(shown);
  return { bytes, hiddenCharacters: text.length - shown.length };
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
    const rest = value.length - limits.maxValueCharacters;
    hidden += rest;
    return `${value.slice(0, limits.maxValueCharacters).replace(/[\ud800-\udbff]$/, '')}… [${rest} more characters]`;
  };
  const kept = keepText(JSON.stringify(args, cut) ?? 'null', limits.maxCharacters);
  return { bytes: kept.bytes, hiddenCharacters: kept.hiddenCharacters + hidden };
}
