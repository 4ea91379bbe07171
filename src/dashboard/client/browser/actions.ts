import { find, say, text } from './dom.ts';
import { loadOlder } from './lists.ts';
import { refresh, view } from './routes.ts';
import { ask } from './session.ts';

/** What has just come under the pointer is no answer yet: the click was meant for something else. */
const COLD_MS = 400;
/** How long a button waits for the second press. */
const SURE_MS = 5_000;

let warmAt = 0;
let warming = 0;
let seen = '';
let hadFocus = false;
/** Takes the question "sure?" from the one button that asks it. */
let disarm = (): void => {};

/** Buttons that answer for the owner take no press for a moment. */
export function chill(): void {
  warmAt = performance.now() + COLD_MS;
  document.body.classList.add('cold');
  clearTimeout(warming);
  warming = window.setTimeout(() => document.body.classList.remove('cold'), COLD_MS);
}

/** Looks whether other questions stand on the page than before, or at another place. */
export function chillIfMoved(here: HTMLElement): void {
  const now = `${here.dataset['place']} ${[...here.querySelectorAll('article')].map(({ id }) => id)}`;
  if (now !== seen) chill();
  seen = now;
}

export function listen(): void {
  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : undefined;
    const button = target?.closest<HTMLElement>('button, a');
    if (!button) return;
    const { copy, older, layout, lang } = button.dataset;
    if (button.dataset['do'] !== undefined) {
      if (isMeant(button)) void act(button, button, JSON.parse(button.dataset['send'] ?? '{}'));
    } else if (copy !== undefined) void copyText(copy, button);
    else if (older !== undefined) void loadOlder(button as HTMLButtonElement);
    else if (layout !== undefined) setLayout(layout);
    else if (lang !== undefined) {
      event.preventDefault();
      // Assigned as a whole, so that the place stays.
      location.assign(`${button.getAttribute('href')}${location.hash}`);
    } else if (button.className === 'skip') {
      event.preventDefault();
      find('#main')?.focus();
    }
  });
  document.addEventListener('submit', (event) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const button = find<HTMLElement>('button:not([type])', form);
    if (form.dataset['do'] === undefined || !button || !isMeant(button)) return;
    const send: Record<string, unknown> = {};
    for (const [name, value] of new FormData(form)) if (value !== '' || name === 'text') send[name] = value;
    if (typeof send['text'] === 'string') send['text'] += '\n';
    void act(form, button, send).then((done) => {
      const input = find<HTMLInputElement>('input[name=text]', form);
      if (done && input) input.value = '';
    });
  });
  document.addEventListener('focusin', () => {
    hadFocus = true;
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') disarm();
    // A key that is held down presses once: it would be its own second press.
    if (event.key === 'Enter' && event.repeat && (event.target as Element).matches('button')) {
      event.preventDefault();
    }
  });
  for (const name of ['focus', 'resize']) window.addEventListener(name, chill);
}

/** Not aimed at something else, and pressed again where it asked to be sure. */
function isMeant(button: HTMLElement): boolean {
  const now = performance.now();
  if (button.closest('.answers') && now < warmAt) return false;
  const { sure } = button.dataset;
  if (sure === undefined) return true;
  const { armed } = button.dataset;
  // A double click is one intention.
  if (armed !== undefined && now - Number(armed) < COLD_MS) return false;
  disarm();
  if (armed !== undefined) return true;
  const label = button.textContent;
  const name = button.getAttribute('aria-label');
  button.dataset['armed'] = String(now);
  button.textContent = sure;
  button.removeAttribute('aria-label');
  say(sure);
  const timer = setTimeout(() => disarm(), SURE_MS);
  disarm = () => {
    disarm = () => {};
    clearTimeout(timer);
    delete button.dataset['armed'];
    button.textContent = label;
    if (name) button.setAttribute('aria-label', name);
  };
  return false;
}

/** @param source names what is to be done, and what is said afterwards */
async function act(source: HTMLElement, button: HTMLElement, send: unknown): Promise<boolean> {
  if (button.ariaBusy === 'true') return false;
  button.ariaBusy = 'true';
  try {
    const answer = await ask(source.dataset['do'] ?? '', send);
    const said: { ok?: boolean; message?: string } = await answer.json().catch(() => ({}));
    const done = answer.ok && said.ok !== false;
    if (answer.status !== 401)
      say(done ? (source.dataset['done'] ?? '') : said.message || text('failed'), !done);
    return done;
  } catch {
    say(text('unreachable'), true);
    return false;
  } finally {
    button.ariaBusy = null;
    refresh();
  }
}

async function copyText(value: string, button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(value);
    say(text('copied'));
  } catch {
    // Not allowed here: marked, so that the keyboard copies it.
    if (button.previousElementSibling) getSelection()?.selectAllChildren(button.previousElementSibling);
  }
}

const LAYOUT_KEY = 'local-coder-diff';

function setLayout(layout: string): void {
  try {
    localStorage.setItem(LAYOUT_KEY, layout);
  } catch {
    // It holds for this page then.
  }
  document.documentElement.dataset['diff'] = layout;
  showLayout(document);
}

/** Puts the remembered way to show changes on the page's buttons. */
export function showLayout(within: ParentNode): void {
  const { dataset } = document.documentElement;
  try {
    dataset['diff'] ??= localStorage.getItem(LAYOUT_KEY) ?? 'unified';
  } catch {
    dataset['diff'] = 'unified';
  }
  for (const button of within.querySelectorAll<HTMLElement>('[data-layout]')) {
    button.setAttribute('aria-pressed', String(button.dataset['layout'] === dataset['diff']));
  }
}

/** What had the focus is gone: readers go on at the heading, never at an answer. */
export function keepFocus(): void {
  const active = document.activeElement as HTMLElement | null;
  if (!hadFocus) return;
  if (active && active !== document.body && active.offsetParent !== null) return;
  const heading = find('h2', view() ?? document);
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
