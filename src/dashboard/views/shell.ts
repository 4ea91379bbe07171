import { html } from 'hono/html';
import { LOCALES, type Locale } from './locale.ts';
import { NONE, tongueOf, type View } from './view.ts';

const SECTIONS = ['status', 'activity', 'history', 'approvals', 'processes', 'access'] as const;

/** The page before it knows anything: the same for everybody, signed in or not. */
export function pageShell(locale: Locale): View {
  const { t } = tongueOf(locale);
  return html`<!doctype html>
<html lang="${locale === 'zh' ? 'zh-Hans' : locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><title>local-coder</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/page/app.css"><script src="/page/app.js" defer></script></head>
<body data-lang="${locale}" data-live="${t.live}" data-reconnecting="${t.reconnecting}" data-copied="${t.copied}" data-failed="${t.failed}" data-unreachable="${t.unreachable}" data-gone="${t.gone}" data-loading="${t.loading}">
<a class="skip" href="#main">${t.skip}</a>
<header><h1>local-coder</h1><nav id="nav" aria-label="${t.sections}" hidden><ul>${SECTIONS.map(
    (section) =>
      html`<li><a href="#${section}">${t[section]}${section === 'approvals' ? html`<span id="badge" class="badge" hidden></span>` : NONE}</a></li>`,
  )}</ul></nav><p id="live" class="live" role="status" hidden></p></header>
<main id="main" tabindex="-1"><noscript><p>${t.noScript}</p></noscript></main>
<section id="out-of-session" class="card" hidden><h2>${t.signedOut}</h2><p>${t.signedOutWhy}</p><p>${t.signedOutHow}</p><p><code>local-coder page</code></p><p class="soft">${t.signedOutAlso}</p></section>
<p id="toast" role="status"></p>
<footer>${LOCALES.map((other) => html`<a href="?lang=${other}" lang="${other}" data-lang${other === locale ? html` aria-current="true"` : NONE}>${tongueOf(other).t.languageName}</a> `)}<button type="button" class="small" id="leave" hidden>${t.signOut}</button></footer>
</body></html>
`;
}
