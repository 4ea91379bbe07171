const TYPOGRAPHIC: Readonly<Record<string, string>> = {
  '\u2018': "'",
  '\u2019': "'",
  '\u201A': "'",
  '\u201B': "'",
  '\u201C': '"',
  '\u201D': '"',
  '\u201E': '"',
  '\u2010': '-',
  '\u2011': '-',
  '\u2012': '-',
  '\u2013': '-',
  '\u2014': '-',
  '\u2212': '-',
  '\u2026': '...',
};

/** Typographic quotes, dashes and dots as the ASCII that a model writes instead. */
export function foldTypography(line: string): string {
  return /[\u2010-\u2212]/.test(line)
    ? line.replace(/[\u2010-\u2212]/g, (char) => TYPOGRAPHIC[char] ?? char)
    : line;
}

/** The same for all lines that differ only in whitespace, letter case, the kind of quotes, or typography. */
export function lineKey(line: string): string {
  return foldTypography(line).replace(/\s+/g, '').replace(/["`]/g, "'");
}

/** What differs between a line of the file and the line that was wanted instead, in words. */
export function describeDifference(inFile: string, wanted: string): string {
  if (inFile.trimEnd() === wanted.trimEnd()) return 'trailing whitespace differs';
  if (inFile.trim() === wanted.trim()) {
    return `indentation differs: the file has ${indentation(inFile)}, old_text has ${indentation(wanted)}`;
  }
  if (inFile.replace(/\s+/g, '') === wanted.replace(/\s+/g, '')) return 'whitespace inside the line differs';
  if (inFile.toLowerCase().trim() === wanted.toLowerCase().trim()) return 'upper and lower case differ';
  if (lineKey(inFile) === lineKey(wanted)) return 'quotes, dashes or whitespace differ';
  return 'the text differs';
}

function indentation(line: string): string {
  const indent = line.slice(0, line.length - line.trimStart().length);
  if (indent === '') return 'none';
  const tabs = indent.split('\t').length - 1;
  const spaces = indent.length - tabs;
  const parts = [tabs > 0 ? count(tabs, 'tab') : '', spaces > 0 ? count(spaces, 'space') : ''];
  return parts.filter(Boolean).join(' and ');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
