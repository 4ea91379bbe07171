import { realpath } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { isSameOrInside } from '../runtime/paths.ts';
import { isWindows } from '../runtime/platform.ts';

/**
 * The existing path that one was probably meant to be that is only written in another way: as a `file:` address, with
 * backslashes, in quotes, with a line number behind it, below the name of the root itself or below `a/` of a diff.
 * Only what stands below the root is looked at and named.
 *
 * @param path absolute
 * @param shown the same relative to the root; an absolute one (outside of the root) has no other way to be written
 * @returns as it is to be given, with `/`; undefined when there is none
 */
export async function meantPath(path: string, shown: string): Promise<string | undefined> {
  if (isAbsolute(shown) || !path.endsWith(join(shown))) return undefined;
  const root = path.slice(0, path.length - shown.length);
  const realRoot = await realpath(root).catch(() => undefined);
  if (realRoot === undefined) return undefined;
  for (const form of otherForms(shown, root)) {
    const candidate = resolve(root, form);
    // By its name first: on Windows looking at a network path hands the user's credentials to another machine.
    if (![root, realRoot].some((folder) => isSameOrInside(candidate, folder))) continue;
    const real = await realpath(candidate).catch(() => undefined);
    if (real === undefined || !isSameOrInside(real, realRoot)) continue;
    return form;
  }
  return undefined;
}

function otherForms(shown: string, root: string): Set<string> {
  const forms = new Set<string>();
  const plain = shown
    .trim()
    .replace(/^(["'`])(.*)\1$/s, '$2')
    .trim();
  const address = /^file:\/*(.*)$/is.exec(plain)?.[1];
  const starts = address === undefined ? [plain, plain.replace(/^@/, '')] : addressForms(address);
  for (const start of starts) {
    for (const form of [start, start.replace(/(:\d+){1,2}$|#L\d+(-L?\d+)?$/, '')]) {
      forms.add(form).add(form.normalize('NFC')).add(form.normalize('NFD'));
      if (!isWindows) forms.add(form.replaceAll('\\', '/')).add(form.replace(/\\(.)/gs, '$1'));
    }
  }
  const above = new Set([basename(root), 'a', 'b']);
  for (const form of [...forms]) {
    const slash = form.indexOf('/');
    if (slash > 0 && above.has(form.slice(0, slash))) forms.add(form.slice(slash + 1));
  }
  forms.delete('');
  forms.delete(shown);
  return forms;
}

/** `file:///home/me/a%20b`, whose slashes a path's normal form has made one. */
function addressForms(address: string): string[] {
  let decoded = address;
  try {
    decoded = decodeURIComponent(address);
  } catch {
    // A percent sign that is part of the name.
  }
  return isWindows ? [decoded] : [`/${decoded}`, decoded, `/${address}`, address];
}
