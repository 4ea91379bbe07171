import { parseKeepingIds } from './exact-numbers.ts';
import { parseResponseTimeout } from './response-timeout.ts';

/** One command of a poll's answer. */
export interface Command {
  readonly requestId: string;
  /** Sent back with each answer; a command that is delivered again may bring a new one. */
  shardToken: string;
  /** performance.now() after which nobody takes the answer; undefined for none. */
  deadlineMs: number | undefined;
  readonly type: string;
  readonly channel: string;
  /** As they came; a header may have several values. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** The JSON-RPC message; undefined for commands of another type. */
  readonly jsonrpc: Readonly<Record<string, unknown>> | undefined;
}

export interface CommandList {
  readonly commands: readonly Command[];
  /** One sentence for each command that cannot be used. */
  readonly problems: readonly string[];
}

/**
 * Reads the body of a poll's answer.
 * @param headersAtMs performance.now() when its headers came: the time limits of all commands count from there
 * @returns undefined when it is no list of commands at all
 */
export function parseCommands(body: string, headersAtMs: number): CommandList | undefined {
  let list: unknown;
  try {
    list = parseKeepingIds(body);
  } catch {
    return undefined;
  }
  if (!isObject(list) || !Array.isArray(list['commands'])) return undefined;
  const commands: Command[] = [];
  const problems: string[] = [];
  for (const item of list['commands'] as unknown[]) {
    const command = isObject(item) ? parseCommand(item, headersAtMs) : 'a command that is no object';
    if (typeof command === 'string') problems.push(command);
    else commands.push(command);
  }
  return { commands, problems };
}

function parseCommand(item: Record<string, unknown>, headersAtMs: number): Command | string {
  const { request_id: requestId, shard_token: shardToken, jsonrpc } = item;
  if (!isText(requestId)) return 'a command without request_id';
  if (!isText(shardToken)) return `command ${requestId} has no shard_token`;
  // The contract's default; anything else is told by its name, never by the fields that it has.
  const type = item['command_type'] ?? 'jsonrpc';
  if (typeof type !== 'string') return `command ${requestId} has no readable command_type`;
  if (type === 'jsonrpc' && !isObject(jsonrpc)) return `command ${requestId} has no JSON-RPC message`;
  const timeoutMs = parseResponseTimeout(item['response_timeout']);
  return {
    requestId,
    shardToken,
    deadlineMs: timeoutMs === undefined ? undefined : headersAtMs + timeoutMs,
    type,
    channel: isText(item['channel']) ? item['channel'] : 'main',
    headers: isObject(item['headers']) ? parseHeaders(item['headers']) : {},
    jsonrpc: type === 'jsonrpc' && isObject(jsonrpc) ? jsonrpc : undefined,
  };
}

function parseHeaders(headers: Record<string, unknown>): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [
      name,
      (Array.isArray(values) ? values : [values]).filter((value) => typeof value === 'string'),
    ]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
