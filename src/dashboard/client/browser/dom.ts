/** Fragments of the server become elements here and nowhere else. */
interface PolicyFactory {
  createPolicy(
    name: string,
    rules: { createHTML: (text: string) => string },
  ): {
    createHTML(text: string): string;
  };
}

const factory = (window as { trustedTypes?: PolicyFactory }).trustedTypes;
const policy = factory?.createPolicy('local-coder', { createHTML: (text) => text });

/** In a template, where rows of a table may stand alone. Scripts of a parsed document never run. */
export function parse(text: string): DocumentFragment {
  const wrapped = `<template>${text}</template>`;
  const parsed = new DOMParser().parseFromString(policy?.createHTML(wrapped) ?? wrapped, 'text/html');
  const { content } = parsed.querySelector('template') as HTMLTemplateElement;
  localTimes(content);
  return document.importNode(content, true);
}

export function find<T extends HTMLElement>(selector: string, within: ParentNode = document): T | null {
  return within.querySelector<T>(selector);
}

/**
 * Makes `old` look like `next` with as few changes as can be, so that what has the focus, is selected, typed or scrolled
 * stays. Elements are the same where their ids are, else where they stand at the same place.
 */
export function morph(old: ParentNode & Node, next: ParentNode & Node): void {
  const byId = new Map([...old.children].filter(({ id }) => id).map((child) => [child.id, child]));
  const staying = new Set([...next.children].map(({ id }) => id));
  let at = old.firstChild;
  for (const wanted of [...next.childNodes]) {
    const id = wanted instanceof Element ? wanted.id : '';
    let match: Node | null | undefined = id ? byId.get(id) : at;
    if (match && !id && (match as Partial<Element>).id) match = undefined;
    if (match && match.nodeName !== wanted.nodeName) match = undefined;
    if (!match) {
      old.insertBefore(wanted, at);
      continue;
    }
    // What stands before it and goes anyway goes now: moving an element would take its focus.
    while (at && at !== match && !staying.has((at as Partial<Element>).id ?? '')) at = removed(at);
    if (at === match) at = at.nextSibling;
    else old.insertBefore(match, at);
    update(match, wanted);
  }
  while (at) at = removed(at);
}

function removed(node: ChildNode): ChildNode | null {
  const next = node.nextSibling;
  node.remove();
  return next;
}

/** What the script or the reader has set on an element is not taken from it. */
const OWN = ['open', 'aria-pressed', 'data-cursor', 'data-ansi', 'data-size', 'data-state'];

/** Makes one node look like another of the same name. */
export function update(old: Node, next: Node): void {
  if (!(old instanceof Element && next instanceof Element)) {
    if (old.nodeValue !== next.nodeValue) old.nodeValue = next.nodeValue;
    return;
  }
  // A button that asks "sure?" keeps asking.
  if (old.isEqualNode(next) || (old as HTMLElement).dataset['armed'] !== undefined) return;
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name) && !OWN.includes(name)) old.removeAttribute(name);
  }
  for (const { name, value } of [...next.attributes]) {
    if (old.getAttribute(name) !== value && !(OWN.includes(name) && old.hasAttribute(name))) {
      old.setAttribute(name, value);
    }
  }
  // Output is filled by the script; what somebody chooses just now stays.
  if ((old as HTMLElement).dataset['out'] !== undefined || old.matches('select:focus')) return;
  morph(old, next);
}

const language = document.documentElement.lang;
const timeOfDay = new Intl.DateTimeFormat(language, { timeStyle: 'medium' });
const withDate = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
const ago = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });

/** Puts times into the browser's time zone. */
export function localTimes(within: ParentNode): void {
  for (const element of within.querySelectorAll('time')) {
    const when = new Date(element.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    const seconds = Math.round((when.getTime() - Date.now()) / 1000);
    const isToday = when.toDateString() === new Date().toDateString();
    const text =
      element.dataset['form'] === 'ago' && seconds > -86_400
        ? relative(Math.min(0, seconds))
        : (isToday ? timeOfDay : withDate).format(when);
    if (element.textContent !== text) element.textContent = text;
    element.title ||= withDate.format(when);
  }
}

function relative(seconds: number): string {
  if (seconds > -60) return ago.format(seconds, 'second');
  if (seconds > -3600) return ago.format(Math.round(seconds / 60), 'minute');
  return ago.format(Math.round(seconds / 3600), 'hour');
}

let hideToast = 0;

/** Says something at the foot of the page, for a while. */
export function say(text: string, isBad = false): void {
  const toast = find('#toast') as HTMLElement;
  toast.textContent = text;
  toast.className = isBad ? 'on bad' : 'on';
  clearTimeout(hideToast);
  hideToast = window.setTimeout(() => {
    toast.className = '';
  }, 6_000);
}

/** A text of the page's language, from the body's attributes. */
export function text(name: string): string {
  return document.body.dataset[name] ?? '';
}
