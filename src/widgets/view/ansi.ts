/** How a run of terminal output looks: a palette index 0–15 or a CSS colour, and attributes. */
export interface TerminalStyle {
  readonly fg?: number | string | undefined;
  readonly bg?: number | string | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly strike?: boolean;
  readonly inverse?: boolean;
}

export interface TerminalSpan {
  readonly text: string;
  readonly style: TerminalStyle;
}

/**
 * What a program wrote to its terminal: text, line ends, and escape sequences. The parts are bounded, so that no input
 * makes the search slow; an unfinished sequence loses its first character alone.
 */
const TOKENS =
  /(?:\x1b\[|\x9b)([0-?]{0,64})[ -/]{0,4}([@-~])|\x1b[\]PX^_][^\x07\x1b]{0,8192}(?:\x07|\x1b\\)|\x1b[ -/]{0,4}[0-~]|\r*\n|[\r\b\x1b\x9b]|[^\r\n\b\x1b\x9b]+/g;
const PLAIN: TerminalStyle = {};

/**
 * The lines of a program's output with their colours. Only colours and attributes are kept of the escape sequences; a
 * carriage return starts the line anew, as progress bars want it.
 */
export function parseTerminal(output: string): TerminalSpan[][] {
  const lines: TerminalSpan[][] = [];
  let line: TerminalSpan[] = [];
  let style = PLAIN;
  let returned = false;
  for (const [token, parameters, final] of output.matchAll(TOKENS)) {
    if (token.endsWith('\n')) {
      lines.push(line);
      line = [];
      returned = false;
    } else if (token === '\r') {
      returned = true;
    } else if (token === '\b') {
      backspace(line);
    } else if (final === 'm') {
      if (/^[\d;:]*$/.test(parameters ?? '')) style = styled(style, parameters ?? '');
    } else if (final === 'K' && parameters === '2') {
      line = [];
    } else if (!/^[\x1b\x9b]/.test(token)) {
      if (returned) line = [];
      returned = false;
      line.push({ text: token, style });
    }
  }
  if (line.length > 0) lines.push(line);
  return lines;
}

function backspace(line: TerminalSpan[]): void {
  const last = line.pop();
  if (last === undefined) return;
  const text = last.text.slice(0, -1);
  if (text !== '') line.push({ text, style: last.style });
}

/** The style after "select graphic rendition" (ECMA-48, with the usual 256 and true colours). */
function styled(before: TerminalStyle, parameters: string): TerminalStyle {
  let style = before;
  // 38:2::R:G:B has a colour space that 38;2;R;G;B has not.
  const codes = parameters.replace(/([34]8:2):\d*:(?=\d*:\d*:\d)/g, '$1:').split(/[;:]/);
  for (let index = 0; index < codes.length; index++) {
    const code = Number(codes[index] || 0);
    if (code === 38 || code === 48) {
      const isTrueColour = codes[index + 1] === '2';
      const colour = isTrueColour
        ? rgb(codes.slice(index + 2, index + 5).map(Number))
        : indexed(Number(codes[index + 2]));
      style = { ...style, [code === 38 ? 'fg' : 'bg']: colour };
      index += isTrueColour ? 4 : 2;
    } else {
      style = { ...style, ...change(code) };
      if (code === 0) style = PLAIN;
    }
  }
  return style;
}

function change(code: number): TerminalStyle {
  if (code >= 30 && code <= 37) return { fg: code - 30 };
  if (code >= 40 && code <= 47) return { bg: code - 40 };
  if (code >= 90 && code <= 97) return { fg: code - 82 };
  if (code >= 100 && code <= 107) return { bg: code - 92 };
  switch (code) {
    case 1:
      return { bold: true };
    case 2:
      return { dim: true };
    case 3:
      return { italic: true };
    case 4:
    case 21:
      return { underline: true };
    case 7:
      return { inverse: true };
    case 9:
      return { strike: true };
    case 22:
      return { bold: false, dim: false };
    case 23:
      return { italic: false };
    case 24:
      return { underline: false };
    case 27:
      return { inverse: false };
    case 29:
      return { strike: false };
    case 39:
      return { fg: undefined };
    case 49:
      return { bg: undefined };
    default:
      return PLAIN;
  }
}

/** A colour of the table of 256; undefined for what is none. */
function indexed(index: number): number | string | undefined {
  if (!Number.isInteger(index) || index < 0 || index > 255) return undefined;
  if (index < 16) return index;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return rgb([grey, grey, grey]);
  }
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  return rgb([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]);
}

function rgb(parts: readonly number[]): string | undefined {
  const isColour =
    parts.length === 3 && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255);
  return isColour ? `rgb(${parts.join(' ')})` : undefined;
}
