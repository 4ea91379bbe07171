import { html, raw } from 'hono/html';
import {
  type AuthorizationRequest,
  authorizationResponse,
  type Consent,
  continuePage,
  type IssueCode,
  OAuthError,
  readForm,
} from '../../auth/index.ts';
import type { Browser } from './browser.ts';
import { page, seeOther } from './page.ts';

const PURPOSE = 'consent';

interface Carried {
  readonly request: AuthorizationRequest;
  readonly userId: string;
}

/** Consent of a user of the relay: who is signed in decides, on a page that names the client. */
export class RelayConsent implements Consent {
  readonly #browser: Browser;
  readonly #issueCode: IssueCode;

  constructor(browser: Browser, issueCode: IssueCode) {
    this.#browser = browser;
    this.#issueCode = issueCode;
  }

  async ask(request: AuthorizationRequest, http: Request): Promise<Response> {
    const user = await this.#browser.user(http);
    if (user === undefined) {
      const { pathname, search } = new URL(http.url);
      return seeOther(`/sign-in?${new URLSearchParams({ return: `${pathname}${search}` })}`);
    }
    const carried: Carried = { request, userId: user.id };
    const { sealed, headers } = await this.#browser.carry(http, PURPOSE, carried);
    return page(
      `Allow ${request.clientName}?`,
      html`<h1>Allow “${request.clientName}” to look into your workspaces?</h1>
<dl>
<dt>Client</dt><dd>${request.clientName} (${
        request.publishedBy === undefined
          ? 'calls itself so; nobody vouches for it'
          : html`published by <strong>${request.publishedBy}</strong>`
      })</dd>
<dt>The answer goes to</dt><dd><strong>${request.redirectHost}</strong></dd>
<dt>You are</dt><dd>${user.name}</dd>
</dl>
<form method="post" action="/authorize" autocomplete="off">
<input type="hidden" name="request" value="${sealed}">
<label class="choice"><input type="radio" name="access" value="read-only"${raw(' checked')}><span><b>Read only</b><br>
<span class="small">looks at the workspaces of your agents; changes nothing, runs nothing</span></span></label>
<label class="choice"><input type="radio" name="access" value="full"><span><b>Whatever your agents serve</b><br>
<span class="small">more than reading only where you started an agent with --serve-tools</span></span></label>
<div class="buttons"><button class="main" name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></div>
</form>
<p class="small">Did you not just connect something? Then press Deny or close this page.</p>`,
      { headers },
    );
  }

  async decide(http: Request): Promise<Response> {
    this.#browser.ownForm(http);
    const form = await readForm(http);
    // What carry sealed for this purpose is what ask gave it.
    const { request, userId } = (await this.#browser.carried(http, PURPOSE, form.one('request'))) as Carried;
    const user = await this.#browser.user(http);
    if (user === undefined || user.id !== userId) {
      throw new OAuthError('invalid_request', 'You are signed out, or signed in as somebody else.', 403);
    }
    const [decision, access] = [form.one('decision'), form.one('access')];
    if (decision === 'deny') {
      const outcome = { error: 'access_denied', error_description: 'The user denied the request.' };
      return continuePage(authorizationResponse(request, outcome), request.redirectHost, false);
    }
    if (decision !== 'allow' || (access !== 'read-only' && access !== 'full')) {
      throw new OAuthError(
        'invalid_request',
        'The decision must be allow or deny, the access one of the two.',
      );
    }
    const location = await this.#issueCode(request, { subject: user.id, access });
    return continuePage(location, request.redirectHost, true);
  }
}
