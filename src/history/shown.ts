import { relative, sep } from 'node:path';
import { isOutside } from '../runtime/paths.ts';

/** A path in messages: relative to the default root where it lies below it, as Workspace.display shows it. */
export function shownIn(root: string, path: string): string {
  const inside = relative(root, path);
  return isOutside(inside) ? path : inside.replaceAll(sep, '/');
}
