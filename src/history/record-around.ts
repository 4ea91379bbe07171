import { realEntry, recorded, withFileLocks } from '../workspace/index.ts';
import type { CallRecorder } from './recorder.ts';

/**
 * Records files around something that changes them in a way of its own (git): what stands there before it runs, and
 * what stands there after. Files that stay as they are do not show up. A failure of `act` is recorded too where it
 * changed something before it failed.
 *
 * @param paths absolute; what is not a file by then or later is recorded as missing
 */
export async function recordAround<T>(
  recorder: CallRecorder | undefined,
  paths: readonly string[],
  signal: AbortSignal | undefined,
  act: () => Promise<T>,
): Promise<T> {
  if (!recorder || paths.length === 0) return act();
  const files = await Promise.all(paths.map((path) => realEntry({ path, shown: path })));
  const changes = files.map(({ path }) => ({
    path,
    before: undefined,
    after: undefined,
    kind: 'replace' as const,
  }));
  let outcome: { value: T } | { error: unknown };
  const attempt = async () => {
    try {
      outcome = { value: await act() };
    } catch (error) {
      outcome = { error };
    }
  };
  await withFileLocks(
    files.map(({ path }) => path),
    signal,
    () => recorded(recorder, () => changes, signal, attempt),
  );
  if ('error' in outcome!) throw outcome.error;
  return outcome!.value;
}
