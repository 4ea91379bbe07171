import { html } from 'hono/html';
import type { ActivityModel, ActivityQuery, CallModel, CallOutcome } from '../models.ts';
import type { Locale } from './locale.ts';
import { moment, NONE, type Tongue, tongueOf, type View } from './view.ts';
import { plainText, shown } from './visible.ts';

const OUTCOMES: readonly CallOutcome[] = ['running', 'ok', 'failed', 'denied', 'cancelled'];
/** More of a target would make the list a wall; the call itself shows it whole. */
const MAX_TARGET_CHARACTERS = 300;

export function activityView(model: ActivityModel, query: ActivityQuery, locale: Locale): View {
  const tongue = tongueOf(locale);
  const { t } = tongue;
  const tools = [...new Set(model.tools ?? model.calls.map(({ tool }) => tool))];
  if (query.tool !== undefined && !tools.includes(query.tool)) tools.push(query.tool);
  return html`<h2>${t.activity}</h2>
<form class="bar" data-filter role="search">
<input type="search" name="q" aria-label="${t.search}" placeholder="${t.search}" value="${query.search ?? ''}" maxlength="200" autocomplete="off" spellcheck="false">
<select name="outcome" aria-label="${t.outcome}"><option value="">${t.anyOutcome}</option>${OUTCOMES.map((outcome) => option(outcome, t.outcomes[outcome], query.outcome))}</select>
<select name="tool" aria-label="${t.tool}"><option value="">${t.anyTool}</option>${tools.sort().map((tool) => option(tool, tool, query.tool))}</select>
</form>
${table(html`${activityRows(model.calls, locale)}`, tongue)}
<p class="soft none">${isFiltered(query) ? t.noMatches : t.noCalls}</p>
<p class="more">${older(model.next, tongue)}</p>`;
}

/** Rows by themselves, for the live view and for "older". */
export function activityRows(calls: readonly CallModel[], locale: Locale): View {
  const tongue = tongueOf(locale);
  return html`${calls.map((call) => row(call, tongue))}`;
}

export function outcomeMark({ outcome, code }: CallModel, { t }: Tongue): View {
  return html`<span class="state ${outcome}">${t.outcomes[outcome]}</span>${code === undefined ? NONE : html` <span class="code">${shown(code)}</span>`}`;
}

function table(rows: View, { t }: Tongue): View {
  return html`<table class="calls"><thead><tr><th scope="col" class="when">${t.time}</th><th scope="col">${t.call}</th><th scope="col" class="how">${t.outcome}</th><th scope="col" class="num took">${t.took}</th></tr></thead><tbody id="calls">${rows}</tbody></table>`;
}

function row(call: CallModel, tongue: Tongue): View {
  const { t, duration } = tongue;
  const target =
    call.target.length > MAX_TARGET_CHARACTERS
      ? `${call.target.slice(0, MAX_TARGET_CHARACTERS)}…`
      : call.target;
  return html`<tr id="call-${call.id}"><td class="when">${moment(call.at)}</td><td><a href="#call=${encodeURIComponent(call.id)}"><b>${shown(call.tool)}</b> <span class="target">${shown(target)}</span></a>${
    call.client === undefined ? NONE : html` <span class="soft from">${shown(call.client)}</span>`
  }</td><td class="how">${outcomeMark(call, tongue)}</td><td class="num took">${
    call.durationMs === undefined
      ? html`<span aria-label="${t.outcomes.running}">…</span>`
      : duration(call.durationMs)
  }</td></tr>`;
}

function older(next: string | undefined, { t }: Tongue): View | string {
  if (next === undefined) return NONE;
  return html`<button type="button" data-older="${next}">${t.older}</button>`;
}

function option(value: string, label: string, chosen: string | undefined): View {
  return html`<option value="${value}"${value === chosen ? html` selected` : NONE}>${plainText(label)}</option>`;
}

function isFiltered({ search, outcome, tool }: ActivityQuery): boolean {
  return Boolean(search) || outcome !== undefined || tool !== undefined;
}
