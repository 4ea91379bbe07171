/**
 * Enough of TOML for the tables that define scripts: the plain keys of one table with what stands after "=".
 * Arrays and inline tables stay text; multi-line strings are joined.
 */
export function tomlTable(text: string, table: string): Map<string, string> {
  const entries = new Map<string, string>();
  let inside = false;
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const header = /^\s*\[{1,2}([^\]]+)\]{1,2}\s*(?:#.*)?$/.exec(line)?.[1];
    if (header !== undefined) inside = header.replaceAll(/["'\s]/g, '') === table;
    const match = inside ? /^\s*(?:"([^"]+)"|'([^']+)'|([\w.-]+))\s*=\s*(.*)$/.exec(line) : null;
    if (!match) continue;
    let value = match[4] ?? '';
    const quotes = /^("""|''')/.exec(value)?.[1];
    while (quotes !== undefined && !value.slice(3).includes(quotes) && i + 1 < lines.length)
      value += `\n${lines[++i]}`;
    entries.set(match[1] ?? match[2] ?? match[3] ?? '', unquote(value.trim()));
  }
  return entries;
}

/** Names of the tables that begin with a prefix, without it: "tool.poe.tasks.x" gives "x". */
export function tomlTablesBelow(text: string, prefix: string): string[] {
  return [...text.matchAll(/^\s*\[([^[\]]+)\]/gm)]
    .map((match) => (match[1] ?? '').replaceAll(/["'\s]/g, ''))
    .filter((name) => name.startsWith(`${prefix}.`))
    .map((name) => name.slice(prefix.length + 1))
    .filter((name) => !name.includes('.'));
}

export function hasTomlTable(text: string, table: string): boolean {
  return [...text.matchAll(/^\s*\[{1,2}([^[\]]+)\]/gm)].some((match) => {
    const name = (match[1] ?? '').replaceAll(/["'\s]/g, '');
    return name === table || name.startsWith(`${table}.`);
  });
}

function unquote(value: string): string {
  const match = /^("""|'''|"|')([\s\S]*?)\1/.exec(value);
  return match?.[2]?.trim() ?? value.replace(/\s+#.*$/, '');
}
