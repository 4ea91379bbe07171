import { join } from 'node:path';
import { readAuditTail } from '../../access/index.ts';
import { systemCode } from '../../runtime/errors.ts';
import { isSameOrInside } from '../../runtime/paths.ts';
import { forTerminal } from '../../runtime/terminal.ts';
import { type Instance, openInstances } from '../instances.ts';
import { portOwner } from '../port-owner.ts';
import { type Check, fail, ok, warn } from './check.ts';

const AUDIT_TAIL_BYTES = 64 * 1024;

/** Free, or held by this folder's own instance. */
export const port: Check = async ({ settings, stateDir }) => {
  const { port: wanted, host } = settings;
  if (wanted === 0) return ok('a free one is picked');
  const holder = (await runningInstances(stateDir)).find((instance) => instance.port === wanted);
  if (holder !== undefined) return ok(`${wanted} is held by local-coder (pid ${holder.pid})`);
  const code = await tryListen(wanted, host);
  if (code === undefined) return ok(`${wanted} is free`);
  if (code !== 'EADDRINUSE')
    return fail(`${wanted} on ${host} cannot be listened on (${code})`, 'choose another with --port N');
  const owner = await portOwner(wanted);
  return fail(
    `${wanted} is taken${owner === undefined ? '' : ` by ${owner}`}`,
    '--port 0 picks a free one; an older local-coder is stopped with --replace',
  );
};

/** Whether a server runs for this folder, and answers. */
export const server: Check = async ({ settings, stateDir, timeoutMs }) => {
  const folder = settings.workspace[0];
  const instance = (await runningInstances(stateDir)).findLast(({ roots }) =>
    roots.some((root) => isSameOrInside(folder, root)),
  );
  if (instance === undefined)
    return warn(`no instance serves ${folder}`, `start one: local-coder --workspace ${folder}`);
  const host = instance.host === '::1' ? '[::1]' : instance.host;
  const url = `http://${host}:${instance.port}/health`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await answer.body?.cancel();
    if (answer.ok) return ok(`pid ${instance.pid} answers at ${host}:${instance.port}`);
    return fail(
      `pid ${instance.pid} answers with status ${answer.status}`,
      'local-coder stop, then start it anew',
    );
  } catch {
    return fail(`pid ${instance.pid} does not answer at ${url}`, 'local-coder stop, then start it anew');
  }
};

/**
 * The last call that reached a server here. Whatever goes wrong in a client before it calls (an error of its own, a
 * connector that is not picked in the chat, a safety filter) shows as silence.
 */
export const calls: Check = async ({ settings }) => {
  const file = settings['audit-log'] ?? join(settings['state-dir'], 'audit', 'audit.jsonl');
  const entries = await readAuditTail(file, AUDIT_TAIL_BYTES).catch(() => []);
  const last = entries.at(-1);
  if (last === undefined)
    return warn('no tool was ever called', 'name the connector in the chat: "@local-coder list the files"');
  const ago = duration(Date.now() - Date.parse(last.time));
  const client = last.client === undefined ? '' : ` by ${forTerminal(last.client)}`;
  return ok(
    `last ${ago} ago${client}: ${forTerminal(last.tool)} ${last.code ?? last.outcome}; what a client shows after that did not reach us`,
  );
};

async function runningInstances(stateDir: string): Promise<Instance[]> {
  try {
    const instances = await openInstances(stateDir);
    try {
      return await instances.running();
    } finally {
      instances.close();
    }
  } catch {
    return []; // no state yet
  }
}

async function tryListen(wanted: number, host: string): Promise<string | undefined> {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => resolve(systemCode(error) ?? String(error)));
    probe.listen(wanted, host, () => probe.close(() => resolve(undefined)));
  });
}

function duration(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 1) return 'under a minute';
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
