import type { Block, Language } from './languages.ts';

export type TokenKind = 'comment' | 'string' | 'number' | 'word';

/** The texts of a line's tokens, put together, are the line. */
export interface Token {
  readonly text: string;
  /** Undefined: nothing of note. */
  readonly kind: TokenKind | undefined;
}

/** Longer lines (minified code) keep one colour. */
const MAX_LINE_CHARACTERS = 1_000;

/**
 * Colours the lines of one file one after another, with what a line leaves open (a comment, a long string) carried
 * into the next. It knows families of languages, not languages: enough to read a diff by.
 */
export class Highlighter {
  readonly #language: Language;
  readonly #pattern: RegExp;
  #open: Block | undefined;

  constructor(language: Language) {
    this.#language = language;
    this.#pattern = patternOf(language);
  }

  /** A gap in the text: nothing is known of what was open. */
  forget(): void {
    this.#open = undefined;
  }

  line(text: string): readonly Token[] {
    if (text.length > MAX_LINE_CHARACTERS) return [{ text, kind: this.#open?.kind }];
    const tokens: Token[] = [];
    let at = 0;
    while (at < text.length) {
      if (this.#open !== undefined) {
        at = this.#within(text, at, at, tokens);
        continue;
      }
      this.#pattern.lastIndex = at;
      const found = this.#pattern.exec(text);
      if (found === null) break;
      if (found.index > at) tokens.push({ text: text.slice(at, found.index), kind: undefined });
      at = this.#take(text, found, tokens);
    }
    if (at < text.length) tokens.push({ text: text.slice(at), kind: undefined });
    return tokens;
  }

  /** @returns where the token ends */
  #take(text: string, found: RegExpExecArray, tokens: Token[]): number {
    const { open, comment, string, number, word } = found.groups ?? {};
    const end = found.index + found[0].length;
    if (open !== undefined) {
      this.#open = this.#language.blocks?.find((block) => block.open === open);
      return this.#within(text, found.index, end, tokens);
    }
    const isWord = word !== undefined && this.#language.words.has(word);
    const isLowerWord = word !== undefined && !isWord && this.#language.words.has(word.toLowerCase());
    const kind =
      comment !== undefined
        ? 'comment'
        : string !== undefined
          ? 'string'
          : number !== undefined
            ? 'number'
            : isWord || (isLowerWord && word === word.toUpperCase())
              ? 'word'
              : undefined;
    tokens.push({ text: found[0], kind });
    return end;
  }

  /** Takes what belongs to the open block, from `start`; its close is looked for from `from`. */
  #within(text: string, start: number, from: number, tokens: Token[]): number {
    const block = this.#open as Block; // the callers have looked
    const close = text.indexOf(block.close, from);
    const end = close < 0 ? text.length : close + block.close.length;
    tokens.push({ text: text.slice(start, end), kind: block.kind });
    if (close >= 0) this.#open = undefined;
    return end;
  }
}

const patterns = new WeakMap<Language, RegExp>();

function patternOf(language: Language): RegExp {
  let pattern = patterns.get(language);
  if (pattern === undefined) {
    const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
    const opens = (language.blocks ?? []).map(({ open }) => literal(open));
    // A # within a word or an address is no comment.
    const comments = (language.line ?? []).map(
      (mark) => `${mark.length === 1 ? '(?<![^\\s;,(){}])' : '(?<!:)'}${literal(mark)}.*`,
    );
    const strings = [...language.quotes].map((quote) => `${quote}(?:\\\\.|[^\\\\${quote}])*${quote}`);
    pattern = new RegExp(
      [
        ...(opens.length > 0 ? [`(?<open>${opens.join('|')})`] : []),
        ...(comments.length > 0 ? [`(?<comment>${comments.join('|')})`] : []),
        `(?<string>${strings.join('|')})`,
        '(?<number>(?<![\\w$])\\d[\\w.]*)',
        '(?<word>[A-Za-z_$][\\w$]*)',
      ].join('|'),
      'g',
    );
    patterns.set(language, pattern);
  }
  return pattern;
}
