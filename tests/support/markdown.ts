/** As much of Markdown as the project's own documents use. */

export interface Chapter {
  /** 1 to 6. */
  readonly level: number;
  readonly title: string;
  /** Text between this heading and the next, code blocks taken out. */
  readonly prose: string;
  /** Fenced and indented blocks, with the language in front of the text. */
  readonly codeBlocks: readonly string[];
  /** Tables, by rows and cells; the row of dashes left out. */
  readonly tables: readonly (readonly (readonly string[])[])[];
}

/** The headings of a document, each with what stands below it alone. */
export function chaptersOf(text: string): Chapter[] {
  const chapters: { level: number; title: string; lines: string[]; codeBlocks: string[] }[] = [];
  let fenced: string[] | undefined;
  let indented: string[] | undefined;
  let afterEmpty = true;
  for (const line of text.replaceAll(/<!--.*?-->/gs, '').split('\n')) {
    const current = chapters.at(-1);
    if (fenced !== undefined) {
      if (line !== '```') fenced.push(line);
      else {
        current?.codeBlocks.push(fenced.join('\n'));
        fenced = undefined;
      }
      continue;
    }
    // Further lines of a list item are indented less, or follow its first line.
    if (line.startsWith('    ') && (afterEmpty || indented !== undefined)) {
      indented = [...(indented ?? []), line.slice(4)];
      continue;
    }
    if (indented !== undefined) current?.codeBlocks.push(['', ...indented].join('\n'));
    indented = undefined;
    afterEmpty = line === '';
    const heading = /^(#{1,6}) (.*)$/.exec(line);
    if (line.startsWith('```')) fenced = [line.slice(3)];
    else if (heading !== null)
      chapters.push({ level: heading[1]?.length ?? 0, title: heading[2] ?? '', lines: [], codeBlocks: [] });
    else current?.lines.push(line);
  }
  return chapters.map(({ lines, ...chapter }) => ({
    ...chapter,
    prose: lines.join('\n'),
    tables: tablesOf(lines),
  }));
}

function tablesOf(lines: readonly string[]): string[][][] {
  const tables: string[][][] = [];
  let open = false;
  for (const line of lines) {
    const row = /^\s*\|(.*)\|$/.exec(line)?.[1];
    if (row === undefined) {
      open = false;
    } else if (!/^[-|]+$/.test(row)) {
      const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
      if (!open) tables.push([]);
      tables.at(-1)?.push(cells);
      open = true;
    }
  }
  return tables;
}

/** Code within the text, in its order. */
export function codeIn(prose: string): string[] {
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => (code ?? '').replaceAll(/\s+/g, ' '));
}

/** The targets of `[text](target)`, in their order. */
export function linksIn(prose: string): string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(text: string): Set<string> {
  return new Set(
    chaptersOf(text).map(({ title }) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
