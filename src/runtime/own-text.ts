/**
 * The beginning of a text as a string of its own. A string that is cut out of a large one keeps the large one in memory for
 * as long as it lives itself; what is kept beyond its call must not.
 */
export function ownBeginning(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : Buffer.from(text.slice(0, maxCharacters)).toString();
}
