/** The session of this tab. In sessionStorage and sent as headers: a cookie would go to every port of this host. */
const KEY = 'local-coder';

interface Session {
  readonly session: string;
  readonly csrf: string;
}

let ended = (): void => {};

/** @param then called when the server knows the session no longer */
export function onSessionEnd(then: () => void): void {
  ended = then;
}

export function currentSession(): Session | undefined {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    return kept === null ? undefined : (kept as Session);
  } catch {
    return undefined;
  }
}

export function forgetSession(): void {
  sessionStorage.removeItem(KEY);
}

/** Makes a session of the one-time token of a link. */
export async function signIn(token: string): Promise<void> {
  const answer = await fetch('/page/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  if (!answer.ok) return;
  const { session, csrf } = await answer.json();
  sessionStorage.setItem(KEY, JSON.stringify({ session, csrf }));
}

/**
 * Asks the server for something below /page/, in the page's language.
 *
 * @param send makes it a POST with this as JSON
 * @throws TypeError when the server cannot be reached
 */
export async function ask(path: string, send?: unknown, signal?: AbortSignal): Promise<Response> {
  const session = currentSession();
  const headers: Record<string, string> = { 'x-local-coder-session': session?.session ?? '' };
  const init: RequestInit = { headers, signal: signal ?? null, cache: 'no-store', credentials: 'omit' };
  if (send !== undefined) {
    headers['x-local-coder-csrf'] = session?.csrf ?? '';
    headers['content-type'] = 'application/json';
    init.method = 'POST';
    init.body = JSON.stringify(send);
  }
  const answer = await fetch(
    `/page/${path}${path.includes('?') ? '&' : '?'}lang=${document.body.dataset['lang']}`,
    init,
  );
  // Another tab or link may have signed in anew since this one was sent.
  if (answer.status === 401 && session?.session === currentSession()?.session) {
    forgetSession();
    ended();
  }
  return answer;
}
