import { html, raw } from 'hono/html';
import type { AccessMode } from '../workspace/index.ts';
import { ACCESS_MODES } from './access-modes.ts';
import type { AuthorizationRequest } from './authorization-request.ts';
import { NO_STORE } from './oauth-error.ts';
import { isLoopbackRedirect } from './redirect-uri.ts';

const MODES: Readonly<Record<AccessMode, { readonly title: string; readonly means: string }>> = {
  full: { title: 'Full', means: 'reads and changes any file you can, and runs any command as you' },
  workspace: {
    title: 'Workspace',
    means: 'reads and changes the served folders only; commands run confined, or not at all',
  },
  'read-only': { title: 'Read only', means: 'looks at the served folders; changes nothing, runs nothing' },
};

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #0b62d6; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --accent: #8ab8ff; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { max-width: 32rem; margin: 1rem auto; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 1rem; overflow-wrap: anywhere; }
dl { margin: 0 0 1.25rem; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }
dt { font-size: .85rem; opacity: .75; } dd { margin: 0 0 .5rem; overflow-wrap: anywhere; } dd:last-child { margin: 0; }
.number { font-size: 1.5rem; font-weight: 700; letter-spacing: .05em; }
fieldset { margin: 0 0 1.25rem; padding: .5rem 1rem .75rem; border: 1px solid var(--line); border-radius: .5rem; }
legend { padding: 0 .4rem; font-weight: 600; }
.mode { display: flex; align-items: flex-start; gap: .6rem; padding: .35rem 0; } .mode input { margin: .4rem 0 0; flex: none; }
.mode span { font-size: .9rem; opacity: .8; display: block; }
.code { display: block; width: 100%; font: 1.5rem/1.4 ui-monospace, monospace; letter-spacing: .12em; padding: .4rem .6rem;
  text-transform: uppercase; border: 1px solid currentColor; border-radius: .5rem; background: Field; color: FieldText; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem; }
button, .button { font: inherit; font-weight: 600; padding: .6rem 1.4rem; border-radius: .5rem; border: 1px solid var(--accent);
  background: transparent; color: var(--accent); cursor: pointer; text-decoration: none; display: inline-block; }
button.main, .button { background: var(--accent); color: Canvas; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.bad { color: var(--bad); font-weight: 600; } .small { font-size: .875rem; opacity: .85; }
code { background: var(--soft); padding: .1em .3em; border-radius: .25rem; overflow-wrap: anywhere; }
`;

export interface ConsentView {
  readonly request: AuthorizationRequest;
  /** Opaque; comes back with the form. */
  readonly sealed: string;
  readonly reference: string;
  /** Undefined when no code was printed for this request. */
  readonly number: string | undefined;
  readonly accessMode: AccessMode;
  readonly chosen: AccessMode;
  readonly problem?: string | undefined;
}

/** The page that asks the owner. Works without JavaScript; everything in it that a client chose is text. */
export function consentPage(
  view: ConsentView,
  status: number,
  headers: Record<string, string>,
): Promise<Response> {
  const { request, number } = view;
  const offered = ACCESS_MODES.slice(ACCESS_MODES.indexOf(view.accessMode));
  return page(
    `Allow ${request.clientName}?`,
    html`<h1>Allow “${request.clientName}” to work on this computer?</h1>
<dl>
<dt>Client</dt><dd>${request.clientName} (${
      request.publishedBy === undefined
        ? 'calls itself so; nobody vouches for it'
        : html`published by <strong>${request.publishedBy}</strong>`
    })</dd>
<dt>The answer goes to</dt><dd><strong>${request.redirectHost}</strong>${
      isLoopbackRedirect(request.redirectUri) ? ', a program on the computer that you see this page on' : ''
    }</dd>
${number === undefined ? '' : html`<dt>Number of this request</dt><dd class="number">${number}</dd>`}
</dl>
${view.problem === undefined ? '' : html`<p class="bad" role="alert">${view.problem}</p>`}
<form method="post" action="/authorize" autocomplete="off">
<input type="hidden" name="request" value="${view.sealed}">
<fieldset><legend>What it may do</legend>
${offered.map(
  (mode) => html`<label class="mode"><input type="radio" name="access" value="${mode}"${
    mode === view.chosen ? raw(' checked') : ''
  }><div><b>${MODES[mode].title}</b><span>${MODES[mode].means}</span></div></label>
`,
)}</fieldset>
${
  number === undefined
    ? html`<p>No code was printed for this request, because too many others wait.</p>`
    : html`<p><label for="code">One-time code, as the terminal prints it for request ${number}</label>
<input class="code" id="code" name="code" maxlength="24" placeholder="ABCD-EFGH" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" autofocus></p>`
}
<p class="small">${number === undefined ? 'To allow it' : 'Or, to allow it without the code,'} run this on the computer that is served, then press Allow here:<br>
<code>local-coder token approve ${view.reference}</code></p>
<div class="buttons"><button class="main" name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></div>
</form>
<p class="small">Did you not just connect something? Then press Deny or close this page: without you nothing happens.</p>`,
    status,
    headers,
  );
}

/**
 * Sends the browser back to the client. Not by a redirect: browsers hold a redirect that follows a form against
 * `form-action`, through the whole chain, and a client's own page may lead on to an app. A link and a refresh do the
 * same without loosening the policy.
 */
export function continuePage(location: string, host: string, allowed: boolean): Promise<Response> {
  return page(
    'Back to the client',
    html`<h1>${allowed ? 'Allowed.' : 'Denied.'}</h1>
<p>Going back to <strong>${host}</strong> …</p>
<p><a class="button" href="${location}">Continue</a></p>`,
    200,
    { refresh: `0; url=${location}` },
  );
}

/** A refusal for people. */
export function errorPage(message: string, status: number): Promise<Response> {
  return page(
    'This did not work',
    html`<h1>This did not work</h1><p>${message}</p><p>Start again from the program that brought you here.</p>`,
    status,
    {},
  );
}

async function page(
  title: string,
  body: ReturnType<typeof html>,
  status: number,
  headers: Record<string, string>,
): Promise<Response> {
  const document = await html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${title} · local-coder</title><style>${raw(STYLE)}</style></head>
<body><main>${body}</main></body></html>
`;
  return new Response(String(document), {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': await policy(),
      'x-frame-options': 'DENY',
      // Not no-referrer: under that a browser sends `Origin: null` with the form.
      'referrer-policy': 'same-origin',
      // No Cross-Origin-Opener-Policy: clients open this page in a window and wait to hear from it.
      'permissions-policy': 'camera=(), microphone=(), geolocation=()',
      ...NO_STORE,
      ...headers,
    },
  });
}

let policyText: Promise<string> | undefined;

function policy(): Promise<string> {
  policyText ??= (async () => {
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(STYLE)));
    const standard = btoa(String.fromCharCode(...hash));
    return `default-src 'none'; style-src 'sha256-${standard}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;
  })();
  return policyText;
}
