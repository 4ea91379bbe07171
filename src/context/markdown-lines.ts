/** A line of Markdown and where it begins in the text. */
export interface MarkdownLine {
  /** Without its line end. */
  readonly text: string;
  readonly start: number;
}

/** The lines of a Markdown text that are in no fenced code block. */
export function* linesOutsideOfFences(markdown: string): Generator<MarkdownLine> {
  let fence: string | undefined;
  for (let start = 0; start < markdown.length; ) {
    const newline = markdown.indexOf('\n', start);
    const end = newline === -1 ? markdown.length : newline;
    const text = markdown.slice(start, markdown[end - 1] === '\r' ? end - 1 : end);
    const mark = /^\s*(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})/.exec(text)?.[1];
    if (fence !== undefined) {
      // A closing fence is at least as long as the opening one and stands alone.
      if (mark?.startsWith(fence) && text.trim() === mark) fence = undefined;
    } else if (mark !== undefined) {
      fence = mark;
    } else {
      yield { text, start };
    }
    start = end + 1;
  }
}
