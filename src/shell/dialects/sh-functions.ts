/**
 * Finds function definitions in shell text. dash and busybox cannot print a function once it is defined, so a
 * definition is taken from the text that made it: the command, and files that the command sources.
 */
export function findFunctions(script: string): Record<string, string> {
  const functions: Record<string, string> = {};
  const lexer = new Lexer(script);
  let previous: Token | undefined;
  for (let token = lexer.next(); token; previous = token, token = lexer.next()) {
    if (token.text !== '(' || previous?.kind !== 'word' || !/^[A-Za-z_]\w*$/.test(previous.text)) continue;
    const name = previous;
    const close = lexer.next();
    if (close?.text !== ')') continue;
    const end = bodyEnd(lexer);
    if (end !== undefined) functions[name.text] = script.slice(name.start, end);
    token = { kind: 'operator', text: ';', start: lexer.at, commandPosition: false };
  }
  return functions;
}

/** Literal names of files that a command reads in with `.` or `source`. */
export function sourcedFiles(command: string): string[] {
  return [
    ...command.matchAll(
      /(?:^|[\n;&|({]\s*)(?:\.|source)[ \t]+(?:"([^"$`\\]+)"|'([^']+)'|([^\s;&|<>()'"$`\\]+))/g,
    ),
  ].map(([, double, single, bare]) => double ?? single ?? bare ?? '');
}

interface Token {
  readonly kind: 'word' | 'operator' | 'newline';
  readonly text: string;
  readonly start: number;
  /** A reserved word would be one here. */
  readonly commandPosition: boolean;
}

/** After these a command begins. */
const OPENS_COMMAND = /^(\{|\(|\)|;|;;|&|&&|\||\|\||!|if|then|else|elif|while|until|do)$/;

/** The offset after a function's compound command, or undefined when it is incomplete. */
function bodyEnd(lexer: Lexer): number | undefined {
  let token = lexer.next();
  while (token?.kind === 'newline') token = lexer.next();
  if (!token || (token.text !== '{' && token.text !== '(')) return undefined;
  const [open, close] = token.text === '{' ? ['{', '}'] : ['(', ')'];
  // `case` patterns end in a lone parenthesis.
  let cases = 0;
  for (let depth = 1; ; ) {
    token = lexer.next();
    if (!token) return undefined;
    if (token.kind === 'word' && token.commandPosition && token.text === 'case') cases++;
    else if (token.kind === 'word' && token.commandPosition && token.text === 'esac') cases--;
    else if (token.text === open && (open === '(' || token.commandPosition)) depth++;
    else if (token.text === close && (close === ')' ? cases === 0 : token.commandPosition)) depth--;
    if (depth === 0) return token.start + 1;
  }
}

class Lexer {
  at = 0;
  readonly #text: string;
  #commandPosition = true;
  readonly #hereDocuments: { readonly delimiter: string; readonly stripTabs: boolean }[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token | undefined {
    const text = this.#text;
    for (;;) {
      const character = text.charAt(this.at);
      if (character === ' ' || character === '\t') this.at++;
      else if (character === '\\' && text.charAt(this.at + 1) === '\n') this.at += 2;
      else if (character === '#') while (this.at < text.length && text.charAt(this.at) !== '\n') this.at++;
      else break;
    }
    if (this.at >= text.length) return undefined;
    const start = this.at;
    if (text.charAt(start) === '\n') {
      this.at++;
      this.#skipHereDocuments();
      return this.#token('newline', '\n', start);
    }
    const operator = /^(?:<<-?|&&|\|\||;;|[;&|()<>])/.exec(text.slice(start, start + 3))?.[0];
    if (operator !== undefined) {
      this.at += operator.length;
      if (operator.startsWith('<<')) this.#readDelimiter(operator === '<<-');
      return this.#token('operator', operator, start);
    }
    while (this.at < text.length && !/[\s;&|()<>]/.test(text.charAt(this.at))) this.#skipPart();
    return this.#token('word', text.slice(start, this.at), start);
  }

  #token(kind: Token['kind'], text: string, start: number): Token {
    const commandPosition = this.#commandPosition;
    this.#commandPosition = kind === 'newline' || OPENS_COMMAND.test(text);
    return { kind, text, start, commandPosition };
  }

  /** One character, quoted string, substitution or expansion. */
  #skipPart(): void {
    const text = this.#text;
    const character = text.charAt(this.at);
    if (character === '\\') this.at += 2;
    else if (character === "'") this.at = after(text, "'", this.at + 1);
    else if (character === '"') this.#skipUntil('"');
    else if (character === '`') this.at = after(text, '`', this.at + 1);
    else if (character === '$' && text.charAt(this.at + 1) === '(') {
      this.at++;
      this.#skipUntil(')');
    } else if (character === '$' && text.charAt(this.at + 1) === '{') {
      this.at++;
      this.#skipUntil('}');
    } else this.at++;
  }

  /** From an opening character to behind its closing one. */
  #skipUntil(close: string): void {
    this.at++;
    const text = this.#text;
    while (this.at < text.length && text.charAt(this.at) !== close) {
      // Inside double quotes only expansions and escapes count.
      if (close === '"' && !/[\\`$]/.test(text.charAt(this.at))) this.at++;
      else if (close === ')' && text.charAt(this.at) === '(') this.#skipUntil(')');
      else this.#skipPart();
    }
    this.at++;
  }

  #readDelimiter(stripTabs: boolean): void {
    const match = /^[ \t]*(?:'([^']*)'|"([^"]*)"|\\?([^\s;&|<>()'"]+))/.exec(
      this.#text.slice(this.at, this.at + 300),
    );
    if (!match) return;
    this.at += match[0].length;
    this.#hereDocuments.push({ delimiter: match[1] ?? match[2] ?? match[3] ?? '', stripTabs });
  }

  #skipHereDocuments(): void {
    for (const { delimiter, stripTabs } of this.#hereDocuments.splice(0)) {
      while (this.at < this.#text.length) {
        const end = this.#text.indexOf('\n', this.at);
        const line = this.#text.slice(this.at, end < 0 ? undefined : end);
        this.at = end < 0 ? this.#text.length : end + 1;
        if ((stripTabs ? line.replace(/^\t+/, '') : line) === delimiter) break;
      }
    }
  }
}

function after(text: string, character: string, from: number): number {
  const end = text.indexOf(character, from);
  return end < 0 ? text.length : end + 1;
}
