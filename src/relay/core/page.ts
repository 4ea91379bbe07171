import { html, raw } from 'hono/html';

export type Html = ReturnType<typeof html>;

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #0b62d6; --bad: #b3261e; --good: #1b7f3b; }
@media (prefers-color-scheme: dark) { :root { --accent: #8ab8ff; --bad: #ff8a80; --good: #7bd88f; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { max-width: 44rem; margin: 1rem auto; }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; flex-wrap: wrap; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 1rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
dl, .box { margin: 0 0 1rem; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; }
dt { font-size: .85rem; opacity: .75; } dd { margin: 0 0 .5rem; overflow-wrap: anywhere; } dd:last-child { margin: 0; }
.box h3 { margin: 0; font-size: 1rem; display: flex; gap: .6rem; flex-wrap: wrap; align-items: baseline; overflow-wrap: anywhere; }
.box ul { margin: .4rem 0; padding-left: 1.25rem; overflow-wrap: anywhere; } .row { display: flex; justify-content: space-between; gap: 1rem; align-items: flex-start; }
.state { font-size: .85rem; font-weight: 600; } .online { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
.small { font-size: .875rem; opacity: .85; } .number { font-size: 1.5rem; font-weight: 700; letter-spacing: .05em; }
label { display: block; margin: .5rem 0; } .choice { display: flex; gap: .6rem; align-items: flex-start; } .choice input { margin: .4rem 0 0; width: auto; }
input { font: inherit; width: 100%; padding: .5rem .6rem; border: 1px solid currentColor; border-radius: .5rem; background: Field; color: FieldText; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem; }
button, .button { font: inherit; font-weight: 600; padding: .5rem 1.2rem; border-radius: .5rem; border: 1px solid var(--accent);
  background: transparent; color: var(--accent); cursor: pointer; text-decoration: none; display: inline-block; }
button.main, .button { background: var(--accent); color: Canvas; } button.plain { padding: .2rem .7rem; font-size: .875rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code, pre { background: var(--soft); padding: .1em .3em; border-radius: .25rem; overflow-wrap: anywhere; } pre { padding: .6rem; white-space: pre-wrap; }
`;

/** A page of the relay: no script, nothing from elsewhere, every value escaped by `html`. */
export async function page(
  title: string,
  body: Html | Promise<Html>,
  options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  const document = await html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${title} · local-coder relay</title><style>${raw(STYLE)}</style></head>
<body><main>${body}</main></body></html>
`;
  return new Response(String(document), {
    status: options.status ?? 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${await styleHash()}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      // Not no-referrer: under that a browser sends `Origin: null` with a form.
      'referrer-policy': 'same-origin',
      'permissions-policy': 'camera=(), microphone=(), geolocation=()',
      'cache-control': 'no-store',
      ...options.headers,
    },
  });
}

export function seeOther(location: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { status: 303, headers: { location, 'cache-control': 'no-store', ...headers } });
}

let hash: string | undefined;

async function styleHash(): Promise<string> {
  if (hash === undefined) {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(STYLE));
    hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  }
  return hash;
}
