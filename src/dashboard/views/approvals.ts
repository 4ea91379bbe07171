import { html } from 'hono/html';
import type { ApprovalModel } from '../models.ts';
import { diffView } from './diff.ts';
import type { Locale } from './locale.ts';
import { modeName } from './mode-name.ts';
import { fact, moment, NONE, press, type Tongue, tongueOf, type View } from './view.ts';
import { plainText, shown, shownLines } from './visible.ts';

export function approvalsView(models: readonly ApprovalModel[], locale: Locale): View {
  const tongue = tongueOf(locale);
  const { t } = tongue;
  return html`<h2>${t.approvals}</h2>
<p class="soft">${t.approvalsAbout}</p>
<div id="waiting">${models.map((model) => card(model, tongue))}</div>
<p class="soft none">${t.noApprovals}</p>`;
}

function card(model: ApprovalModel, tongue: Tongue): View {
  const { t } = tongue;
  const path = `approvals/${encodeURIComponent(model.id)}`;
  const what = plainText(`${model.tool} ${model.subject}`.slice(0, 80));
  const answer = (label: string, value: string, look: 'good' | 'bad' | 'plain', done: string) =>
    press({ path, label, what, send: { answer: value }, done, look });
  return html`<article class="card ask" id="approval-${model.id}" aria-labelledby="approval-${model.id}-t"><h3 id="approval-${model.id}-t">${
    model.client === undefined ? NONE : html`${shown(model.client)}: `
  }${shown(model.tool)}</h3>
<pre class="out subject-of" tabindex="0" role="group" aria-label="${t.inFull}">${shownLines(model.subject)}</pre>
${model.diffs.length === 0 ? NONE : html`<h4>${t.whatItChanges}</h4>`}${diffView(model.diffs, tongue)}
<dl class="facts">${fact(t.folder, html`<code>${shown(model.folder)}</code>`)}${
    model.access === undefined ? NONE : fact(t.accessMode, modeName(model.access, tongue))
  }${fact(t.asked, moment(model.askedAt))}${fact(t.expires, moment(model.expiresAt))}</dl>
<div class="bar answers">${answer(t.deny, 'deny', 'bad', t.denied)}${answer(t.allow, 'allow', 'good', t.allowed)}
<span class="always" role="group" aria-label="${t.always}"><span class="soft" aria-hidden="true">${t.always}</span>${answer(t.alwaysCall, 'always-call', 'plain', t.allowed)}${answer(t.alwaysTool, 'always-tool', 'plain', t.allowed)}${
    model.prefix === undefined
      ? NONE
      : html`${press({ path, label: t.alwaysPrefix(plainText(model.prefix)), send: { answer: 'always-prefix' }, done: t.allowed })}`
  }</span></div></article>`;
}
