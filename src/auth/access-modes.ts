import type { AccessMode } from '../workspace/index.ts';

/** From the widest to the narrowest. */
export const ACCESS_MODES: readonly AccessMode[] = ['full', 'workspace', 'read-only'];

/** The narrower of two modes: a grant never gives more than the server's own mode, nor than the owner chose. */
export function narrower(a: AccessMode, b: AccessMode): AccessMode {
  return ACCESS_MODES.indexOf(a) > ACCESS_MODES.indexOf(b) ? a : b;
}

export function isAccessMode(text: unknown): text is AccessMode {
  return (ACCESS_MODES as readonly unknown[]).includes(text);
}
