import type { OutlineSymbol } from './symbols.ts';

/** One line for each symbol, `first-last kind name`, children indented. */
export function outlineLines(symbols: readonly OutlineSymbol[], maxDepth: number): string[] {
  const lines: string[] = [];
  const draw = (level: readonly OutlineSymbol[], indent: string, depth: number) => {
    for (const { startLine, endLine, kind, name, children } of level) {
      const range = startLine === endLine ? `${startLine}` : `${startLine}-${endLine}`;
      lines.push(`${indent}${range} ${kind} ${name}`);
      if (depth > 1) draw(children, `${indent}  `, depth - 1);
    }
  };
  draw(symbols, '', maxDepth);
  return lines;
}

export function countSymbols(symbols: readonly OutlineSymbol[]): number {
  return symbols.reduce((sum, symbol) => sum + 1 + countSymbols(symbol.children), 0);
}
