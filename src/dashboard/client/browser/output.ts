import { find, parse } from './dom.ts';
import { refresh } from './routes.ts';
import { ask } from './session.ts';

/** Characters of output in the page; the oldest go first. */
const MAX_CHARACTERS = 400_000;
/** Asked for without being told to, in case a word of the live view was missed. */
const POLL_MS = 2_000;

let watched: HTMLElement | undefined;
let busy = false;
let again = false;
let timer = 0;

/** The encoded id of the process whose output is on the page. */
export function watchedProcess(): string {
  return watched?.dataset['out'] ?? '';
}

/** Begins or goes on with the output that stands in this part of the page, if one does. */
export function watchOutput(within: HTMLElement): void {
  const pane = find('pre[data-out]', within) ?? undefined;
  clearTimeout(timer);
  watched = pane;
  if (pane && pane.dataset['state'] !== 'exited') void pull();
}

/** Takes what has come since. */
export async function pull(): Promise<void> {
  const pane = watched;
  if (!pane || document.hidden) return;
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  clearTimeout(timer);
  try {
    const { out, cursor, ansi } = pane.dataset;
    const query = new URLSearchParams({ ...(cursor && { cursor }), ...(ansi && { ansi }) });
    const answer = await ask(`processes/${out}/output?${query}`);
    if (!answer.ok) {
      if (answer.status === 404) pane.dataset['state'] = 'exited';
      return;
    }
    const piece = parse(await answer.text()).firstElementChild as HTMLElement | null;
    if (piece) append(pane, piece);
  } catch {
    // The live view says that the server is away.
  } finally {
    busy = false;
    if (again) {
      again = false;
      void pull();
    } else if (watched?.dataset['state'] !== 'exited') timer = window.setTimeout(pull, POLL_MS);
  }
}

function append(pane: HTMLElement, piece: HTMLElement): void {
  const { cursor, ansi, state, more, cr } = piece.dataset;
  const follow = find<HTMLInputElement>('[data-follow]', pane.parentElement ?? document);
  if (cr !== undefined) dropLastLine(pane);
  let size = Number(pane.dataset['size'] ?? 0);
  if (piece.childNodes.length > 0) {
    size += piece.textContent?.length ?? 0;
    const part = document.createElement('span');
    part.append(...piece.childNodes);
    pane.append(part);
  }
  while (size > MAX_CHARACTERS && pane.children.length > 1) {
    size -= pane.firstChild?.textContent?.length ?? 0;
    pane.firstChild?.remove();
  }
  const wasRunning = pane.dataset['state'] === 'running' || pane.dataset['state'] === 'background';
  Object.assign(pane.dataset, { cursor, ansi, state, size });
  if (follow?.checked) pane.scrollTop = pane.scrollHeight;
  if (more !== undefined) again = true;
  else if (state === 'exited' && wasRunning) refresh();
}

/** Takes away what stands after the last line end: it is overwritten. */
function dropLastLine(pane: HTMLElement): void {
  const walker = document.createTreeWalker(pane, NodeFilter.SHOW_TEXT);
  let node: Node | null = walker.lastChild();
  while (node) {
    const next: Node | null = walker.lastChild() ?? walker.previousNode();
    const content = node.nodeValue ?? '';
    const end = content.lastIndexOf('\n');
    node.nodeValue = content.slice(0, end + 1);
    if (end >= 0) return;
    node = next;
  }
}
