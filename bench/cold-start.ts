/**
 * From the start of a process to its answer to tools/list, as a client that costs next to nothing sees it: the SDK's
 * client takes longer to check the list of tools than some servers take to send it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Launch } from './mcp-server.ts';
import { residentMb } from './memory.ts';

/** What is still coming after the answer (timers, garbage) has come by then. */
const IDLE_MS = 2_000;
const STOP_LIMIT_MS = 8_000;
const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'local-coder-bench', version: '1.0.0' },
};

export interface ColdStart {
  readonly startMs: number;
  /** Resident memory some time after the answer, when that was asked for. */
  readonly idleMb: number | undefined;
}

export async function coldStart(launch: Launch, { thenIdle }: { thenIdle: boolean }): Promise<ColdStart> {
  const started = performance.now();
  const child = spawn(launch.command, launch.args, {
    cwd: launch.cwd,
    env: { ...process.env, ...launch.env },
    stdio: [launch.transport === 'stdio' ? 'pipe' : 'ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  try {
    const tools = await Promise.race([
      launch.transport === 'http' ? listOverHttp(child) : listOverStdio(child),
      ended.then(([code]) => Promise.reject(new Error(`${launch.command} ended with ${code}`))),
    ]);
    const startMs = performance.now() - started;
    if (tools === 0) throw new Error(`${launch.command} lists no tools`);
    if (!thenIdle) return { startMs, idleMb: undefined };
    await delay(IDLE_MS);
    return { startMs, idleMb: await residentMb(child.pid ?? 0) };
  } finally {
    child.stdin?.end();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  }
}

interface Listed {
  readonly result: { readonly tools: readonly unknown[] };
}

async function listOverHttp(child: ChildProcess): Promise<number> {
  const url = await new Promise<string>((resolve) => {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      const found = /http:\/\/[^\s/]+:\d+\/mcp/.exec(output);
      if (found) resolve(found[0]);
    });
  });
  await post(url, { id: 1, method: 'initialize', params: INITIALIZE });
  await post(url, { method: 'notifications/initialized' });
  return (JSON.parse(await post(url, { id: 2, method: 'tools/list', params: {} })) as Listed).result.tools
    .length;
}

function post(url: string, message: Record<string, unknown>): Promise<string> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'content-length': Buffer.byteLength(body),
    };
    const request = httpRequest(url, { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
    request.end(body);
  });
}

function listOverStdio(child: ChildProcess): Promise<number> {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('no pipes');
  stdin.on('error', () => {}); // its end is told by the exit
  const send = (message: Record<string, unknown>) =>
    stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  send({ id: 1, method: 'initialize', params: INITIALIZE });
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const message = JSON.parse(line) as { id?: number } & Listed;
      if (message.id === 1) {
        send({ method: 'notifications/initialized' });
        send({ id: 2, method: 'tools/list', params: {} });
      }
      if (message.id === 2) resolve(message.result.tools.length);
    });
  });
}
