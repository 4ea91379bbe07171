import { chill, chillIfMoved, keepFocus, listen, showLayout } from './actions.ts';
import { find, localTimes } from './dom.ts';
import { dropRows, listenToFilter } from './lists.ts';
import { connect, countApprovals, disconnect, showCount } from './live.ts';
import { watchOutput } from './output.ts';
import { clear, go, onShown, place, refresh, stale, view } from './routes.ts';
import { ask, currentSession, forgetSession, onSessionEnd, signIn } from './session.ts';

/** Times such as "2 minutes ago" and figures that change by themselves. */
const TICK_MS = 15_000;

function showSignedIn(isIn: boolean): void {
  for (const [selector, hidden] of [
    ['#nav', !isIn],
    ['#live', !isIn],
    ['#leave', !isIn],
    ['#main', !isIn],
    ['#out-of-session', isIn],
  ] as const) {
    (find(selector) as HTMLElement).hidden = hidden;
  }
}

function signedOut(): void {
  disconnect();
  clear();
  showCount(0);
  showSignedIn(false);
}

/** Takes the one-time token out of the address, before anything else can see it there. */
async function arrive(): Promise<void> {
  const token = /^#login=(.+)/.exec(location.hash)?.[1];
  if (token !== undefined) {
    history.replaceState(null, '', `${location.pathname}${location.search}#status`);
    try {
      await signIn(decodeURIComponent(token));
    } catch {
      // Said below: there is no session.
    }
    disconnect();
    clear();
  }
  if (currentSession() === undefined) return signedOut();
  showSignedIn(true);
  await go();
  connect();
}

onSessionEnd(signedOut);
onShown((here) => {
  const { name } = place();
  if (name === 'approvals') showCount(here.querySelectorAll('article').length);
  showLayout(here);
  chillIfMoved(here);
  keepFocus();
  watchOutput(here);
  connect();
});
listen();
listenToFilter();
window.addEventListener('hashchange', () => void arrive());
document.addEventListener('visibilitychange', () => {
  dropRows();
  if (document.hidden || currentSession() === undefined) return;
  chill();
  stale();
  refresh();
  void countApprovals();
});
find('#leave')?.addEventListener('click', () => {
  void ask('logout', {}).catch(() => undefined);
  forgetSession();
  signedOut();
});
setInterval(() => {
  const here = document.hidden ? null : view();
  if (!here) return;
  localTimes(here);
  if (['status', 'processes', 'access'].includes(place().name)) refresh();
}, TICK_MS);
void arrive();
