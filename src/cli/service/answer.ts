import { setTimeout as delay } from 'node:timers/promises';
import { addressOf } from '../host-address.ts';
import { type Instance, openInstances } from '../instances.ts';
import type { ServiceManager } from './manager.ts';

const POLL_MS = 200;
const ANSWER_MS = 2_000;

/** The server of a service, as the register of its state folder knows it; undefined while it is not there. */
export async function instanceOf(pid: number | undefined, stateDir: string): Promise<Instance | undefined> {
  if (pid === undefined) return undefined;
  const instances = await openInstances(stateDir);
  try {
    return (await instances.running()).find((instance) => instance.pid === pid);
  } finally {
    instances.close();
  }
}

/** `http://127.0.0.1:3000`, without a path. */
export function originOf({ host, port }: Instance): string {
  return `http://${addressOf(host)}:${port}`;
}

/** Whether anything answers there: any status will do, for a server may ask who is calling. */
export async function answers(instance: Instance): Promise<boolean> {
  try {
    const response = await fetch(`${originOf(instance)}/health`, {
      signal: AbortSignal.timeout(ANSWER_MS),
      redirect: 'manual',
    });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

/** Waits until the service's server answers; undefined when it has not by then, or has ended for good. */
export async function waitForAnswer(
  manager: ServiceManager,
  stateDir: string,
  limitMs: number,
): Promise<Instance | undefined> {
  const untilMs = performance.now() + limitMs;
  // What keeps a record of its own needs a moment until it is there.
  const graceUntilMs = performance.now() + 3_000;
  while (performance.now() < untilMs) {
    const { pid, isActive } = await manager.state();
    const instance = await instanceOf(pid, stateDir);
    if (instance !== undefined && (await answers(instance))) return instance;
    if (!isActive && performance.now() > graceUntilMs) return undefined;
    await delay(POLL_MS);
  }
  return undefined;
}
