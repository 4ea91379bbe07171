import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import { MARKER_VARIABLE } from './marker.ts';
import { isLinux } from './platform.ts';

/** Ends what it was told of when this process is killed by force. */
export interface HelperWatch {
  /** Marks the environment of a helper, so that it is found whether it was told of or not (Linux). */
  readonly marker: () => string;
  /** A helper was started: from now on somebody has to be there who finds it. */
  begin(): void;
  watch(pid: number): void;
  unwatch(pid: number): void;
}

/** A helper that has ended by then needs no watching, which is nearly all of them. */
const LONG_MS = 500;

const watches = new Set<HelperWatch>();

/** Set while what starts helpers says that they only read. */
const onlyReads = new AsyncLocalStorage<true>();

/**
 * Helpers that `run` starts only read, and nobody waits for them: that somebody is there who ends them after a
 * `kill -9` (about 2 MB) is worth it only once they run for longer than a moment.
 */
export function readingOnly<T>(run: () => T): T {
  return onlyReads.run(true, run);
}

/** From now on tells `watch` of every helper that runs for longer than a moment. @returns takes it back */
export function watchLongHelpers(watch: HelperWatch): () => void {
  watches.add(watch);
  return () => watches.delete(watch);
}

/**
 * The environment for a program that this process runs for itself: as given, with the mark by which it and everything
 * that it starts is found after a `kill -9`, however young it was.
 */
export function helperEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const [watch] = watches;
  return watch === undefined || !isLinux ? env : { ...env, [MARKER_VARIABLE]: watch.marker() };
}

/**
 * To be called for every program that this process runs for itself (git, ripgrep): a hook that hangs or a search
 * that does not end would otherwise outlive a `kill -9`. Where no environment can be read, that holds for those that
 * run for longer than a moment.
 */
export function noticeHelper(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  const [present] = watches;
  if (isLinux && !onlyReads.getStore()) present?.begin();
  const timer = setTimeout(() => {
    const [watch] = watches;
    if (watch === undefined) return;
    watch.watch(pid);
    child.once('exit', () => watch.unwatch(pid));
  }, LONG_MS);
  timer.unref();
  child.once('exit', () => clearTimeout(timer));
}
