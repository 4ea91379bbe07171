/** One server under measurement: its process, and the connection of the v1 SDK's client to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { residentMb } from './memory.ts';

/** How a server is started. One that speaks HTTP prints its `http://…/mcp` address on standard output. */
export interface Launch {
  readonly transport: 'http' | 'stdio';
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 8_000;
const CALL_LIMIT_MS = 120_000;
const CLIENT = { name: 'local-coder-bench', version: '1.0.0' };

/** Processes that still run; ended with this one, however it ends. */
const children = new Set<number>();
process.on('exit', () => {
  for (const pid of children) endNow(pid);
});

export class McpServer {
  readonly pid: number;
  /** Address of an HTTP server. */
  readonly url: string | undefined;
  readonly toolsListBytes: number;
  readonly toolCount: number;
  readonly #client: Client;
  readonly #child: ChildProcess | undefined;

  private constructor(parts: {
    pid: number;
    url: string | undefined;
    tools: readonly unknown[];
    client: Client;
    child: ChildProcess | undefined;
  }) {
    this.pid = parts.pid;
    this.url = parts.url;
    this.toolCount = parts.tools.length;
    this.toolsListBytes = Buffer.byteLength(JSON.stringify(parts.tools));
    this.#client = parts.client;
    this.#child = parts.child;
  }

  static async start(launch: Launch): Promise<McpServer> {
    const env = { ...(process.env as Record<string, string>), ...launch.env };
    const client = new Client(CLIENT);
    let transport: Transport;
    let child: ChildProcess | undefined;
    let url: string | undefined;
    let pid: number | null | undefined;
    if (launch.transport === 'http') {
      child = spawn(launch.command, launch.args, { cwd: launch.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
      pid = child.pid;
      if (pid !== undefined) children.add(pid);
      url = await printedAddress(child);
      transport = new StreamableHTTPClientTransport(new URL(url));
      await client.connect(transport);
    } else {
      const { command, args, cwd } = launch;
      const stdio = new StdioClientTransport({ command, args: [...args], cwd, env, stderr: 'ignore' });
      transport = stdio;
      await client.connect(transport);
      pid = stdio.pid;
      if (typeof pid === 'number') children.add(pid);
    }
    const { tools } = await client.listTools();
    if (typeof pid !== 'number') throw new Error(`${launch.command} has no process`);
    return new McpServer({ pid, url, tools, client, child });
  }

  async listTools(): Promise<string> {
    return JSON.stringify(await this.#client.listTools());
  }

  /** The text of a tool's result. @throws when the tool says that it failed */
  async call(name: string, args: Record<string, unknown>): Promise<string> {
    const result = await this.#client.callTool({ name, arguments: args }, undefined, {
      timeout: CALL_LIMIT_MS,
    });
    const blocks = result.content as readonly { type: string; text?: string }[];
    const text = blocks.map((block) => block.text ?? '').join('\n');
    if (result.isError) throw new Error(`${name}: ${text.slice(0, 300)}`);
    return text;
  }

  /** Connects another client, lists the tools and goes away without a word. */
  async connectAndLeave(): Promise<void> {
    if (this.url === undefined) throw new Error('only an HTTP server has more than one client');
    const client = new Client(CLIENT);
    await client.connect(new StreamableHTTPClientTransport(new URL(this.url)));
    await client.listTools();
    await client.close();
  }

  residentMb(): Promise<number> {
    return residentMb(this.pid);
  }

  async stop(): Promise<void> {
    if (this.#child === undefined) {
      await this.#client.close(); // ends the process: by closing its input, then by signals
    } else {
      const ended = this.#child.exitCode === null ? once(this.#child, 'exit') : undefined;
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_LIMIT_MS);
      await this.#client.close();
      await ended;
      clearTimeout(timer);
    }
    children.delete(this.pid);
  }
}

async function printedAddress(child: ChildProcess): Promise<string> {
  const stop = AbortSignal.timeout(START_LIMIT_MS);
  let output = '';
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`no server: ${why}\n${output}`));
    stop.addEventListener('abort', () => fail(`no address within ${START_LIMIT_MS / 1000} s`));
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`it ended with ${code}`));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        output = (output + chunk).slice(-4_000);
        const found = /http:\/\/[^\s/]+:\d+\/mcp/.exec(output);
        if (found) resolve(found[0]);
      });
    }
  });
}

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
