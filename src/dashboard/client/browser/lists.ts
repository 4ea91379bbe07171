import { find, parse, update } from './dom.ts';
import { isFiltered, place, refresh, setFilter, view } from './routes.ts';
import { ask } from './session.ts';

/** Rows of calls in the page. More come by "older", when somebody asks for them. */
const MAX_ROWS = 300;
const TYPING_MS = 250;

let queue: string[] = [];
let frame = 0;
let typing = 0;

/** Rows of new and changed calls, put in with the next picture that the browser draws. */
export function addRows(html: string): void {
  queue.push(html);
  if (frame === 0) frame = requestAnimationFrame(drawRows);
}

/** What came while nobody looked is asked for anew instead. */
export function dropRows(): void {
  queue = [];
}

function drawRows(): void {
  frame = 0;
  const text = queue.join('');
  queue = [];
  const body = find('#calls');
  const rows = [...parse(text).querySelectorAll('tr')];
  const { name, value } = place();
  if (name === 'call' && rows.some(({ id }) => id === `call-${decodeURIComponent(value)}`)) refresh();
  if (!body) return;
  for (const row of rows) {
    const old = document.getElementById(row.id);
    if (old) update(old, row);
    else if (!isFiltered()) insert(body, row);
  }
  if (isFiltered() && name === 'activity') refresh();
  const older = find('[data-older]', body.closest('[data-place]') ?? document);
  const maxRows = MAX_ROWS + Number(body.closest<HTMLElement>('[data-place]')?.dataset['grown'] ?? 0);
  while (body.children.length > maxRows) {
    body.lastElementChild?.remove();
    // Its cursor follows a row that is no longer there.
    if (older) older.dataset['older'] = '';
  }
}

/** Newest first, in whatever order they came. */
function insert(body: HTMLElement, row: HTMLElement): void {
  const at = (of: Element | null) => of?.querySelector('time')?.dateTime ?? '';
  const mine = at(row);
  let before = body.firstElementChild;
  while (before && at(before) > mine) before = before.nextElementSibling;
  body.insertBefore(row, before);
}

/** Appends the older entries that the button stands for. */
export async function loadOlder(button: HTMLButtonElement): Promise<void> {
  const here = view();
  const cursor = button.dataset['older'];
  const list = find('#calls, #checkpoints', here ?? document);
  if (!here || !list || button.disabled) return;
  button.disabled = true;
  try {
    const { name, value } = place();
    const path =
      name === 'file' ? `history/file?path=${value}` : `${name}?${name === 'activity' ? filterNow() : ''}`;
    const answer = await ask(`${path}&${new URLSearchParams(cursor ? { before: cursor } : {})}`);
    if (!answer.ok) return;
    const page = parse(await answer.text());
    const rows = find('#calls, #checkpoints', page as unknown as HTMLElement);
    const next = find('[data-older]', page as unknown as HTMLElement);
    const count = rows?.children.length ?? 0;
    here.dataset['grown'] = String(cursor ? Number(here.dataset['grown'] ?? 0) + count : 0);
    if (!cursor) list.replaceChildren();
    list.append(...(rows?.children ?? []));
    if (next) button.dataset['older'] = next.dataset['older'];
    else button.remove();
  } finally {
    button.disabled = false;
  }
}

function filterNow(): string {
  const form = find<HTMLFormElement>('form[data-filter]');
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form ?? undefined)) if (value) query.set(name, String(value));
  return String(query);
}

export function listenToFilter(): void {
  document.addEventListener('input', (event) => {
    if (!(event.target instanceof Element && event.target.closest('form[data-filter]'))) return;
    clearTimeout(typing);
    typing = window.setTimeout(applyFilter, TYPING_MS);
  });
  document.addEventListener('submit', (event) => {
    if ((event.target as Element).matches('form[data-filter]')) applyFilter();
  });
}

function applyFilter(): void {
  setFilter(filterNow());
  delete view()?.dataset['grown'];
  refresh();
}
