import type { Tongue, View } from './view.ts';
import { shown } from './visible.ts';

/** An access mode in the page's words, where it is one that the page knows. */
export function modeName(mode: string, { t }: Tongue): View | string {
  return Object.hasOwn(t.modes, mode) ? t.modes[mode as keyof typeof t.modes] : shown(mode);
}
