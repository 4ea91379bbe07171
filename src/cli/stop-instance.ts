import { setTimeout as delay } from 'node:timers/promises';
import { processStartTime } from '../runtime/process-identity.ts';
import type { Instance } from './instances.ts';

/** Our own shutdown takes at most about 5 s (what runs may finish); then it is ended by force. */
const POLITE_MS = 8_000;
const POLL_MS = 25;

/**
 * Ends an instance of ours and waits until it is gone. Checked by pid and start time before each signal, so that
 * nobody else's process is ever hit.
 * @returns false when it could not be ended (another user's process)
 */
export async function stopInstance(instance: Instance): Promise<boolean> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await isStill(instance))) return true;
    try {
      process.kill(instance.pid, signal);
    } catch {
      return !(await isStill(instance));
    }
    const deadline = performance.now() + POLITE_MS;
    while (performance.now() < deadline) {
      if (!(await isStill(instance))) return true;
      await delay(POLL_MS);
    }
  }
  return !(await isStill(instance));
}

async function isStill(instance: Instance): Promise<boolean> {
  return (await processStartTime(instance.pid)) === instance.startTime;
}
