import { html } from 'hono/html';
import { type Formats, formatsOf } from './formats.ts';
import type { Locale } from './locale.ts';
import { type Texts, textsOf } from './texts/index.ts';

/** A piece of a page. Only `html` makes one, and it escapes every value. */
export type View = ReturnType<typeof html>;

/** What every view needs to speak a language. */
export interface Tongue extends Formats {
  readonly locale: Locale;
  readonly t: Texts;
}

const tongues = new Map<Locale, Tongue>();

export function tongueOf(locale: Locale): Tongue {
  let tongue = tongues.get(locale);
  if (tongue === undefined) {
    tongue = { locale, t: textsOf(locale), ...formatsOf(locale) };
    tongues.set(locale, tongue);
  }
  return tongue;
}

/** Nothing. */
export const NONE = '';

/**
 * A moment; the script puts it into the browser's time zone.
 *
 * @param form `time`: the time of the day, with the date where that is another one; `ago`: how long ago
 */
export function moment(iso: string, form: 'time' | 'ago' = 'time'): View {
  return html`<time datetime="${iso}" data-form="${form}">${iso.slice(0, 19).replace('T', ' ')}Z</time>`;
}

export interface Press {
  /** Below /page/, with ids that went through encodeURIComponent. */
  readonly path: string;
  readonly label: string;
  /** For readers that do not see where the button stands. */
  readonly what?: string | undefined;
  /** Goes as the JSON body. */
  readonly send?: Readonly<Record<string, string>>;
  /** What the button says after the first press; only the second one counts then. */
  readonly sure?: string;
  /** Said when it is done. */
  readonly done: string;
  readonly look?: 'good' | 'bad' | 'plain';
}

/** A button that the script makes a POST of. */
export function press({ path, label, what, send = {}, sure, done, look = 'plain' }: Press): View {
  return html`<button type="button" class="${look}" data-do="${path}" data-send="${JSON.stringify(send)}" data-done="${done}"${
    sure === undefined ? NONE : html` data-sure="${sure}"`
  }${what === undefined ? NONE : html` aria-label="${label}: ${what}"`}>${label}</button>`;
}

/** A name and a value in a list of facts. */
export function fact(name: string, value: View | string | number): View {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}
