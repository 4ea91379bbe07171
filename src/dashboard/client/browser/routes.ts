import { find, morph, parse, say, text } from './dom.ts';
import { ask, currentSession } from './session.ts';

/** Every name after the `#`, the section whose link it lights up, and where its fragment comes from. */
const ROUTES: Readonly<Record<string, { readonly section: string; path(value: string): string }>> = {
  status: { section: 'status', path: () => 'status' },
  activity: { section: 'activity', path: () => `activity?${filter}` },
  call: { section: 'activity', path: (id) => `calls/${id}` },
  history: { section: 'history', path: () => 'history' },
  checkpoint: { section: 'history', path: (id) => `history/${id}` },
  file: { section: 'history', path: (path) => `history/file?path=${path}` },
  since: { section: 'history', path: sincePath },
  approvals: { section: 'approvals', path: () => 'approvals' },
  processes: { section: 'processes', path: () => 'processes' },
  process: { section: 'processes', path: (id) => `processes/${id}` },
  access: { section: 'access', path: () => 'access' },
};

/** Questions to the server about the same place, at most one in this time. */
const CALM_MS = 700;

/** Of `checkpoint path`. */
function sincePath(value: string): string {
  const [against = '', ...path] = decodeURIComponent(value).split(' ');
  return `history/file?${new URLSearchParams({ path: path.join(' '), against })}`;
}

let filter = '';
let shownHere = '';
let asked: AbortController | undefined;
let scrolls: Record<string, number> = {};
let onShow = (_view: HTMLElement): void => {};

/** @param then called whenever a fragment has been put on the page */
export function onShown(then: (view: HTMLElement) => void): void {
  onShow = then;
}

export function setFilter(query: string): void {
  filter = query;
}

export function isFiltered(): boolean {
  return filter !== '';
}

/** Name and encoded value of the place that the address names. */
export function place(): { readonly name: string; readonly value: string } {
  const [name = '', ...rest] = location.hash.slice(1).split('=');
  // Values come encoded from the server's links; what somebody typed is encoded again.
  let value = rest.join('=');
  try {
    value = encodeURIComponent(decodeURIComponent(value));
  } catch {
    value = encodeURIComponent(value);
  }
  return Object.hasOwn(ROUTES, name) ? { name, value } : { name: 'status', value: '' };
}

/** The element of the place that is shown, in `main`. */
export function view(): HTMLElement | null {
  return find('#main > [data-place]:not([hidden])');
}

/** Goes where the address says. */
export async function go(): Promise<void> {
  if (currentSession() === undefined) return;
  const main = find('#main') as HTMLElement;
  const { name, value } = place();
  const key = `${name}=${value}`;
  const isNew = key !== shownHere;
  const isBack = shownHere.startsWith('call=');
  if (isNew) {
    if (shownHere) scrolls[shownHere] = scrollY;
    shownHere = key;
  }
  for (const link of document.querySelectorAll('#nav a')) {
    const isHere = link.getAttribute('href') === `#${ROUTES[name]?.section}`;
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  // One element for each kind of place: a list keeps its rows while one of them is looked at.
  let here = find(`[data-place="${name}"]`, main);
  if (!here) {
    here = document.createElement('div');
    here.dataset['place'] = name;
    here.textContent = text('loading');
    main.append(here);
  }
  for (const other of main.children) (other as HTMLElement).hidden = other !== here;
  if (isNew && here.dataset['value'] !== value) here.replaceChildren(text('loading'));
  here.dataset['value'] = value;
  if (isNew) {
    scrollTo(0, 0);
    onShow(here);
  }
  // A list that was kept up to date while it was hidden stays as it is, where the reader had scrolled to.
  if (!(isNew && isBack && name === 'activity' && here.dataset['fresh'])) await load(here, name, value);
  if (isNew && isBack && shownHere === key) scrollTo(0, scrolls[key] ?? 0);
}

async function load(here: HTMLElement, name: string, value: string): Promise<void> {
  asked?.abort();
  const mine = new AbortController();
  asked = mine;
  try {
    const answer = await ask(ROUTES[name]?.path(value) ?? name, undefined, mine.signal);
    if (answer.status === 401) return;
    const fragment = answer.ok ? parse(await answer.text()) : undefined;
    if (mine.signal.aborted) return;
    if (fragment) {
      morph(here, fragment);
      here.dataset['fresh'] = '1';
      delete here.dataset['grown'];
    }
    if (!fragment && answer.status !== 429) here.replaceChildren(text('gone'));
    onShow(here);
  } catch (error) {
    if (!mine.signal.aborted) say(error instanceof TypeError ? text('unreachable') : String(error), true);
  }
}

let again = 0;
let lastAt = 0;

/** Asks for what is shown again: soon, and not more often than it can be read. */
export function refresh(): void {
  if (again || document.hidden) return;
  const wait = Math.max(0, lastAt + CALM_MS - performance.now());
  again = window.setTimeout(() => {
    again = 0;
    lastAt = performance.now();
    // Older entries that were asked for would go: who reads them wants no news.
    if (!Number(view()?.dataset['grown'])) void go();
  }, wait);
}

/** The live view has missed something: what is hidden is asked for anew when it is shown again. */
export function stale(): void {
  for (const other of document.querySelectorAll<HTMLElement>('[data-fresh]')) delete other.dataset['fresh'];
}

/** Forgets what was shown, when a session ends. */
export function clear(): void {
  asked?.abort();
  scrolls = {};
  shownHere = '';
  find('#main')?.replaceChildren();
}
