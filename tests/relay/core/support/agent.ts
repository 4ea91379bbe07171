import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { encodeResult } from '../../../../src/relay/frames.ts';
import {
  AGENT_CONNECT_PATH,
  AGENT_PAIR_PATH,
  type Hello,
  type PairResponse,
  PROTOCOL_VERSION,
  type RelayMessage,
  type Request,
  relayMessage,
  type WireCallResult,
  type WireWorkspace,
} from '../../../../src/relay/protocol.ts';

/** What the agent does with a request: gives a result, or does something else by itself. */
export type Behaviour = (
  request: Request,
  agent: TestAgent,
) => WireCallResult | undefined | Promise<undefined>;

/** Answers with the tool's name and input, so that a test sees what arrived where. */
export const echo: Behaviour = (request, agent) =>
  textResult(request.tool, { tool: request.tool, input: request.input, agent: agent.agentId });

export function textResult(tool: string, data: Record<string, unknown>): WireCallResult {
  return { content: [{ type: 'text', text: JSON.stringify({ ok: true, tool, summary: 'Done.', data }) }] };
}

export interface TestAgentOptions {
  readonly workspaces?: WireWorkspace[];
  readonly behaviour?: Behaviour;
  /** What hello has besides. */
  readonly hello?: Partial<Hello>;
}

export async function pair(
  relayUrl: string,
  code: string,
  agentDisplayName = 'laptop',
): Promise<PairResponse> {
  const response = await postPair(relayUrl, code, agentDisplayName);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as PairResponse;
}

export function postPair(relayUrl: string, code: string, agentDisplayName = 'laptop'): Promise<Response> {
  return fetch(`${relayUrl}${AGENT_PAIR_PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code, agentDisplayName }),
  });
}

/** A small agent over the real wire. */
export class TestAgent {
  readonly agentId: string;
  readonly socket: WebSocket;
  readonly received: RelayMessage[] = [];
  behaviour: Behaviour;
  /** Resolves with the code that the relay closed with. */
  readonly closed: Promise<number>;
  readonly #listeners = new Set<() => void>();

  private constructor(socket: WebSocket, agentId: string, behaviour: Behaviour) {
    this.socket = socket;
    this.agentId = agentId;
    this.behaviour = behaviour;
    this.closed = new Promise((resolve) => socket.once('close', (code: number) => resolve(code)));
    socket.on('message', (data: Buffer) => this.#message(data.toString()));
  }

  /** Connects and says hello; resolves when the relay has welcomed the agent. */
  static async connect(
    relayUrl: string,
    credential: { readonly agentId: string; readonly agentToken: string },
    options: TestAgentOptions = {},
  ): Promise<TestAgent> {
    const agent = await TestAgent.open(relayUrl, credential, options.behaviour);
    const { workspaces = [], hello } = options;
    const { agentId } = credential;
    agent.send({ type: 'hello', protocol: PROTOCOL_VERSION, agentId, kind: 'viewer', workspaces, ...hello });
    await agent.saw(({ type }) => type === 'welcome');
    return agent;
  }

  /** Connects without a word. */
  static async open(
    relayUrl: string,
    { agentId, agentToken }: { readonly agentId: string; readonly agentToken: string },
    behaviour: Behaviour = echo,
  ): Promise<TestAgent> {
    const socket = new WebSocket(`${relayUrl.replace(/^http/, 'ws')}${AGENT_CONNECT_PATH}`, {
      headers: { authorization: `Bearer ${agentToken}` },
      perMessageDeflate: false,
    });
    await once(socket, 'open');
    return new TestAgent(socket, agentId, behaviour);
  }

  /** The HTTP status with which a connection is refused. */
  static async refusal(relayUrl: string, agentToken: string): Promise<number> {
    const socket = new WebSocket(`${relayUrl.replace(/^http/, 'ws')}${AGENT_CONNECT_PATH}`, {
      headers: { authorization: `Bearer ${agentToken}` },
    });
    socket.on('error', () => {});
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    socket.terminate();
    return response.statusCode;
  }

  send(message: Hello | Record<string, unknown>): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Answers a request, compressed where the size asks for it. */
  async result(id: string, result: WireCallResult): Promise<void> {
    const frame = await encodeResult(id, JSON.stringify({ type: 'result', id, ok: true, result }));
    this.socket.send(frame);
  }

  /** Resolves when a message of that kind has come. */
  async saw(wanted: (message: RelayMessage) => boolean): Promise<RelayMessage> {
    for (;;) {
      const found = this.received.find(wanted);
      if (found !== undefined) return found;
      await new Promise<void>((resolve, reject) => {
        this.#listeners.add(resolve);
        this.closed.then((code) => reject(new Error(`closed with ${code} while waiting for a message`)));
      });
    }
  }

  async close(): Promise<void> {
    this.socket.close(1000);
    await this.closed;
  }

  #message(text: string): void {
    if (text === 'pong') return;
    const message = relayMessage.parse(JSON.parse(text));
    this.received.push(message);
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
    if (message.type !== 'request') return;
    const answer = this.behaviour(message, this);
    if (answer !== undefined && !(answer instanceof Promise)) void this.result(message.id, answer);
  }
}
