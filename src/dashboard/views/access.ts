import { html } from 'hono/html';
import type { AccessModel, GrantModel, WaitingClientModel } from '../models.ts';
import type { Locale } from './locale.ts';
import { modeName } from './mode-name.ts';
import { fact, moment, NONE, press, type Tongue, tongueOf, type View } from './view.ts';
import { plainText, shown } from './visible.ts';

export function accessView(model: AccessModel, locale: Locale): View {
  const tongue = tongueOf(locale);
  const { t } = tongue;
  return html`<h2>${t.access}</h2>
<p class="soft">${model.auth === undefined ? t.authNone : model.auth === 'oauth' ? t.authOauth : t.authUrl}</p>
${model.waiting.map((client) => waitingCard(client, tongue))}
${
  model.auth !== 'oauth'
    ? NONE
    : html`<h3>${t.connected}</h3><ul class="list" id="grants">${model.grants.map((grant) => grantItem(grant, tongue))}</ul><p class="soft none">${t.noGrants}</p>`
}
${
  model.hasSecretUrl
    ? html`<section class="card"><h3>${t.secretUrl}</h3><p>${t.secretAbout}</p>${press({ path: 'access/rotate', label: t.rotate, sure: t.sureRotate, done: t.rotated, look: 'bad' })}</section>`
    : NONE
}`;
}

function waitingCard(client: WaitingClientModel, { t }: Tongue): View {
  const path = `access/waiting/${encodeURIComponent(client.reference)}`;
  const what = plainText(client.client);
  return html`<article class="card ask" id="waiting-${client.reference}"><h3>${t.wantsIn(plainText(client.client))}</h3>
<dl class="facts">${fact(t.requestNumber, html`<b class="big">${client.number}</b>`)}${fact(t.oneTimeCode, html`<b class="big">${client.code}</b>`)}${fact(t.answersGoTo, shown(client.host))}${fact(t.expires, moment(client.expiresAt))}</dl>
<p class="soft">${t.codeAbout}</p>
<form class="bar answers" data-do="${path}/approve" data-done="${t.allowed}"><label>${t.mayDo} <select name="access"><option value="">${t.asItAsks}</option><option value="full">${t.modes.full}</option><option value="workspace">${t.modes.workspace}</option><option value="read-only">${t.modes['read-only']}</option></select></label>
${press({ path: `${path}/deny`, label: t.deny, what, done: t.denied, look: 'bad' })}<button class="good" data-sure="${t.sureAllow}" aria-label="${t.allow}: ${what}">${t.allow}</button></form></article>`;
}

function grantItem(grant: GrantModel, tongue: Tongue): View {
  const { t } = tongue;
  return html`<li id="grant-${grant.id}"><div class="head"><b>${shown(grant.client)}</b> <span class="soft">${shown(grant.host)}</span></div>
<p class="soft">${modeName(grant.access, tongue)} · ${t.lastUsed} ${moment(grant.usedAt, 'ago')} · ${t.since} ${moment(grant.createdAt)} · ${t.until} ${moment(grant.expiresAt)}</p>${press(
    {
      path: `access/grants/${encodeURIComponent(grant.id)}/revoke`,
      label: t.revoke,
      what: plainText(grant.client),
      sure: t.sureRevoke,
      done: t.revoked,
      look: 'bad',
    },
  )}</li>`;
}
