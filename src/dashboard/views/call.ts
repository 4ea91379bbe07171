import { html } from 'hono/html';
import type { CallDetailModel, CutText } from '../models.ts';
import { outcomeMark } from './activity.ts';
import { ansi } from './ansi.ts';
import { diffView } from './diff.ts';
import type { Locale } from './locale.ts';
import { fact, moment, NONE, press, type Tongue, tongueOf, type View } from './view.ts';
import { shown, shownLines } from './visible.ts';

/** What a browser shows at once without becoming slow. The server's own bound is lower; this one holds whatever comes. */
const MAX_CHARACTERS = 400_000;
const MAX_ENVELOPE_CHARACTERS = 20_000;

export function callView(detail: CallDetailModel, locale: Locale): View {
  const tongue = tongueOf(locale);
  const { t, duration, size } = tongue;
  const id = encodeURIComponent(detail.id);
  const isRunning = detail.outcome === 'running';
  return html`<p class="back"><a href="#activity">← ${t.activity}</a></p>
<div class="head"><h2>${shown(detail.tool)}</h2> <span data-outcome="${detail.outcome}">${outcomeMark(detail, tongue)}</span>${
    isRunning ? press({ path: `calls/${id}/stop`, label: t.stop, done: t.stopAsked, look: 'bad' }) : NONE
  }</div>
${detail.target === '' ? NONE : html`<p class="subject">${shown(detail.target)}</p>`}
<dl class="facts">
${fact(t.time, moment(detail.at))}
${detail.durationMs === undefined ? NONE : fact(t.took, duration(detail.durationMs))}
${detail.client === undefined ? NONE : fact(t.client, shown(detail.client))}
${detail.resultBytes === undefined ? NONE : fact(t.resultSize, size(detail.resultBytes))}
${detail.checkpointId === undefined ? NONE : fact(t.checkpoint, html`<a href="#checkpoint=${encodeURIComponent(detail.checkpointId)}">${t.takeBack}</a>`)}
${detail.processId === undefined ? NONE : fact(t.process, html`<a href="#process=${encodeURIComponent(detail.processId)}">${shown(detail.processId)}</a>`)}
</dl>
${detail.kept ? NONE : html`<p class="notice">${t.notKept}</p>`}
${diffView(detail.diffs, tongue)}
${detail.arguments === undefined ? NONE : text(t.arguments, detail.arguments, tongue, false)}
${
  isRunning && detail.processId !== undefined
    ? outputPane(detail.processId, tongue)
    : detail.result === undefined
      ? NONE
      : text(t.result, { ...detail.result, text: readable(detail.result.text) }, tongue, true)
}`;
}

/** Where the script puts the output of a process, piece by piece. */
export function outputPane(processId: string, { t }: Tongue): View {
  return html`<div class="bar"><h3>${t.output}</h3><label><input type="checkbox" data-follow checked> ${t.follow}</label></div>
<pre class="out" id="out" tabindex="0" role="group" aria-label="${t.output}" data-out="${encodeURIComponent(processId)}"></pre>`;
}

/** A result begins with its envelope, one line of JSON: laid out it can be read. What follows it stays as it is. */
function readable(result: string): string {
  const end = result.indexOf('\n\n');
  const head = end < 0 ? result : result.slice(0, end);
  if (!head.startsWith('{') || head.length > MAX_ENVELOPE_CHARACTERS) return result;
  try {
    return JSON.stringify(JSON.parse(head), undefined, 2) + result.slice(head.length);
  } catch {
    return result;
  }
}

function text(
  title: string,
  { text: whole, hiddenCharacters }: CutText,
  { t, number }: Tongue,
  colours: boolean,
): View {
  const cut = whole.length > MAX_CHARACTERS;
  const part = cut ? whole.slice(0, MAX_CHARACTERS) : whole;
  const hidden = hiddenCharacters + whole.length - part.length;
  return html`<h3>${title}</h3>
<pre class="out" tabindex="0" role="group" aria-label="${title}">${colours ? ansi(part).view : shownLines(part)}</pre>${
    hidden > 0 ? html`<p class="soft">${t.charactersHidden(number(hidden))}</p>` : NONE
  }`;
}
