import type { ChildProcess } from 'node:child_process';

/** Ends what it was told of when this process is killed by force. */
export interface HelperWatch {
  watch(pid: number): void;
  unwatch(pid: number): void;
}

/** A helper that has ended by then needs no watching, which is nearly all of them. */
const LONG_MS = 500;

const watches = new Set<HelperWatch>();

/** From now on tells `watch` of every helper that runs for longer than a moment. @returns takes it back */
export function watchLongHelpers(watch: HelperWatch): () => void {
  watches.add(watch);
  return () => watches.delete(watch);
}

/**
 * To be called for every program that this process runs for itself (git, ripgrep): a hook that hangs or a search
 * that does not end would otherwise outlive a `kill -9`.
 */
export function noticeHelper(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  const timer = setTimeout(() => {
    const [watch] = watches;
    if (watch === undefined) return;
    watch.watch(pid);
    child.once('exit', () => watch.unwatch(pid));
  }, LONG_MS);
  timer.unref();
  child.once('exit', () => clearTimeout(timer));
}
