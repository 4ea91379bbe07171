import { html } from 'hono/html';
import { readForm } from '../../auth/index.ts';
import { returnPath } from '../core/browser.ts';
import { page } from '../core/page.ts';
import type { SignInMethod } from './identity.ts';

const PURPOSE = 'development';

/** Sign-in of whoever presses the button. The Node adapter has it on loopback without a public URL and nowhere else. */
export function developmentSignIn(): SignInMethod {
  return {
    id: 'dev',
    offer: (href) => html`<a class="button" href="${href}">Sign in (development)</a>`,
    async handle(request, _step, { browser }) {
      if (request.method !== 'POST') {
        const returnTo = returnPath(new URL(request.url).searchParams.get('return'));
        const { sealed, headers } = await browser.carry(request, PURPOSE, { returnTo });
        return page(
          'Development sign-in',
          html`<h1>Development sign-in</h1><form method="post" action="/sign-in/dev">
<input type="hidden" name="request" value="${sealed}"><button class="main">Sign in</button></form>`,
          { headers },
        );
      }
      browser.ownForm(request);
      const form = await readForm(request);
      const carried = await browser.carried(request, PURPOSE, form.one('request'));
      const { returnTo } = carried as { returnTo: string }; // sealed above
      return { identity: { provider: 'dev', subject: 'dev', name: 'the developer' }, returnTo };
    },
  };
}
