import { linesOutsideOfFences } from './markdown-lines.ts';

/** The heading below which `remember` keeps its notes. */
export const MEMORY_HEADING = '## Memory';

/** Where the `## Memory` heading begins in a Markdown text; undefined where there is none. */
export function memoryStart(markdown: string): number | undefined {
  for (const { start, text } of linesOutsideOfFences(markdown)) {
    if (isMemoryHeading(text)) return start;
  }
  return undefined;
}

/**
 * Where the section ends: at the next heading of its own or a higher level, or at the end of the text.
 * @param start of the section's heading
 */
export function memoryEnd(markdown: string, start: number): number {
  for (const line of linesOutsideOfFences(markdown)) {
    if (line.start > start && /^#{1,2}(?:[ \t]|$)/.test(line.text)) return line.start;
  }
  return markdown.length;
}

function isMemoryHeading(line: string): boolean {
  return /^##[ \t]+Memory[ \t]*#*$/.test(line.trimEnd());
}
