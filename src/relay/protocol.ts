import { z } from 'zod';

/**
 * The wire between an agent and the relay: a WebSocket at AGENT_CONNECT_PATH with `Authorization: Bearer <agentToken>`.
 * Text frames are one JSON message each, or the heartbeat; binary frames are compressed results (frames.ts).
 * Both sides ignore fields and message types that they do not know, so that either can be the newer one.
 */
export const PROTOCOL_VERSION = 1;

export const AGENT_CONNECT_PATH = '/agent/connect';
/** POST PairRequest → 200 PairResponse; 403 `pairing_failed` for every wrong code alike; 429. */
export const AGENT_PAIR_PATH = '/agent/pair';
/** POST with the bearer token: revokes it. 204, also when it was revoked already. */
export const AGENT_UNPAIR_PATH = '/agent/unpair';

/** Bytes of one WebSocket message: Cloudflare takes 1 MiB, proxies on the way may take less than ws does. */
export const MAX_FRAME_BYTES = 1024 * 1024 - 1;
/** Bytes of a result as JSON, inflated with a running cap. */
export const MAX_PLAIN_BYTES = 1024 * 1024;
/** Bytes of a result on the wire when it is compressed. */
export const MAX_COMPRESSED_BYTES = 512 * 1024;
/** Results of fewer bytes are sent as they are: gzip costs more than it saves. */
export const COMPRESS_FROM_BYTES = 64 * 1024;

/** The agent sends the text PING this often; the relay answers PONG, without waking a hibernating object. */
export const HEARTBEAT_MS = 25_000;
export const PING = 'ping';
export const PONG = 'pong';
/** An agent that gets no PONG for this long drops the connection and makes a new one. */
export const PONG_WITHIN_MS = 10_000;
/** An agent that was not heard for this long is offline, whatever the socket says. */
export const HEARD_WITHIN_MS = HEARTBEAT_MS + PONG_WITHIN_MS + 5_000;
/** `hello` must be there this soon after the connection. */
export const HELLO_WITHIN_MS = 10_000;

/** What the relay waits beyond the agent's own timeout: a late answer is then the agent's to explain. */
export const RELAY_GRACE_MS = 2_000;
/** Calls that one agent may have under way; the next is answered AGENT_BUSY. */
export const MAX_CALLS_PER_AGENT = 64;
export const MAX_WORKSPACES_PER_AGENT = 64;
export const MAX_TOOLS_PER_AGENT = 128;

/** Reconnect: exponential with full jitter between these. */
export const RECONNECT_MIN_MS = 1_000;
export const RECONNECT_MAX_MS = 60_000;

/** Close codes of the relay. After `stop` ones the agent does not come back by itself. */
export const CLOSE = {
  /** Another agent connected with the same credential; the newer one wins. Stop. */
  replaced: 4000,
  /** The credential was revoked, or the user suspended. Stop. */
  revoked: 4001,
  /** A message that the protocol does not have; the reason says which. Reconnect. */
  protocolError: 4002,
  /** hello names another agent than the token does. Stop. */
  wrongAgent: 4003,
  /** hello did not come in time, or the agent was silent for too long. Reconnect. */
  silent: 4004,
  /** The relay speaks another version of the protocol. Stop. */
  unsupportedProtocol: 4005,
  /** The relay ends or is replaced. Reconnect. */
  restarting: 1012,
} as const;
export const STOP_CODES: ReadonlySet<number> = new Set([
  CLOSE.replaced,
  CLOSE.revoked,
  CLOSE.wrongAgent,
  CLOSE.unsupportedProtocol,
]);

const identifier = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const displayName = z.string().min(1).max(120);

/** A folder that the agent serves. The id is the agent's own: two agents, or two users, may have the same. */
export const wireWorkspace = z.object({
  workspaceId: identifier,
  displayName,
  languages: z.array(z.string().min(1).max(40)).max(20).optional(),
});
export type WireWorkspace = z.infer<typeof wireWorkspace>;

const workspaces = z.array(wireWorkspace).max(MAX_WORKSPACES_PER_AGENT);

/** A tool of an agent that serves the normal tools, as `tools/list` shows it. */
export const wireTool = z.object({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  description: z.string().max(8_192),
  inputSchema: z.looseObject({ type: z.literal('object') }),
  outputSchema: z.looseObject({ type: z.literal('object') }).optional(),
  annotations: z.record(z.string(), z.boolean()),
});
export type WireTool = z.infer<typeof wireTool>;

/** The first message of an agent. */
export const hello = z.object({
  type: z.literal('hello'),
  protocol: z.int().positive(),
  agentId: identifier,
  /** Version of the program. */
  version: z.string().max(40).optional(),
  workspaces,
  /** `viewer` (the default): the read-only tools alone. `full`: what `tools` lists as well (--serve-tools). */
  kind: z.enum(['viewer', 'full']).default('viewer'),
  /** Of a `full` agent. */
  access: z.enum(['full', 'workspace', 'read-only']).optional(),
  tools: z.array(wireTool).max(MAX_TOOLS_PER_AGENT).optional(),
});
export type Hello = z.infer<typeof hello>;

/** The workspaces have changed; this is all of them. */
export const workspaceSync = z.object({ type: z.literal('workspace_sync'), workspaces });
export type WorkspaceSync = z.infer<typeof workspaceSync>;

/** Why there is no result: the agent could not run the tool at all. A tool's own failure is a result with isError. */
export const wireError = z.object({
  code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/),
  message: z.string().max(4_096),
  hint: z.string().max(4_096).optional(),
});
export type WireError = z.infer<typeof wireError>;

/**
 * The result of the call as the same program would give it over local MCP: envelope and all (mcp/envelope.ts,
 * CallResult). The relay hands it on as it is.
 */
export const wireCallResult = z.object({
  content: z
    .array(
      z.union([
        z.object({ type: z.literal('text'), text: z.string() }),
        z.object({ type: z.literal('image'), data: z.string(), mimeType: z.string() }),
        z.object({
          type: z.literal('resource_link'),
          uri: z.string(),
          name: z.string(),
          mimeType: z.string().optional(),
        }),
      ]),
    )
    .max(64),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  isError: z.literal(true).optional(),
});
export type WireCallResult = z.infer<typeof wireCallResult>;

/** The one answer to a request. Exactly one is counted; a second of the same id, or a late one, is dropped. */
export const result = z.discriminatedUnion('ok', [
  z.object({ type: z.literal('result'), id: identifier, ok: z.literal(true), result: wireCallResult }),
  z.object({ type: z.literal('result'), id: identifier, ok: z.literal(false), error: wireError }),
]);
export type Result = z.infer<typeof result>;

/** Accepts the agent; requests may follow. */
export const welcome = z.object({
  type: z.literal('welcome'),
  protocol: z.int().positive(),
  /** Whose agent this is, for people. */
  account: z.string().max(200),
});
export type Welcome = z.infer<typeof welcome>;

/** A tool call. */
export const request = z.object({
  type: z.literal('request'),
  id: identifier,
  /** Absent for a tool that belongs to no workspace (those of a `full` agent). */
  workspaceId: identifier.optional(),
  tool: z.string().min(1).max(64),
  /** The arguments as the caller gave them, workspaceId included; the agent checks them against its own schema. */
  input: z.record(z.string(), z.unknown()),
  /** What the agent may take; the relay waits RELAY_GRACE_MS longer. */
  timeoutMs: z.int().positive(),
  /** Hashed key of the conversation (mcp/conversation.ts), where the client names one. */
  conversation: z.string().max(64).optional(),
  /** The caller's access where the user granted less than the agent serves. */
  access: z.enum(['full', 'workspace', 'read-only']).optional(),
});
export type Request = z.infer<typeof request>;

/** Nobody waits for the call any more; the agent stops it. A result that comes all the same is dropped. */
export const cancel = z.object({ type: z.literal('cancel'), id: identifier });
export type Cancel = z.infer<typeof cancel>;

export const agentMessage = z.union([hello, workspaceSync, result]);
export type AgentMessage = z.infer<typeof agentMessage>;

export const relayMessage = z.discriminatedUnion('type', [welcome, request, cancel]);
export type RelayMessage = z.infer<typeof relayMessage>;

/** Body of the request that trades a pairing code for a credential. */
export const pairRequest = z.object({
  code: z.string().min(1).max(64),
  /** How people tell this machine from others; the host's name, say. */
  agentDisplayName: displayName.optional(),
  version: z.string().max(40).optional(),
});
export type PairRequest = z.infer<typeof pairRequest>;

/**
 * The credential. The agent shows `account` and the relay and asks its user; on "no" it stores nothing and sends
 * AGENT_UNPAIR_PATH, since the code, which can be somebody else's, is burnt already.
 */
export const pairResponse = z.object({
  agentId: identifier,
  agentToken: z.string().min(32).max(128),
  account: z.string().max(200),
  agentDisplayName: displayName,
});
export type PairResponse = z.infer<typeof pairResponse>;

/** The body of every refusal over HTTP. `error`: pairing_failed, rate_limited, unauthorized, forbidden, invalid_request. */
export const httpRefusal = z.object({ error: z.string(), message: z.string() });
export type HttpRefusal = z.infer<typeof httpRefusal>;

/** Errors that the relay itself answers with, in `data.error.code` of the envelope. */
export type RelayErrorCode =
  | 'AGENT_BUSY'
  | 'AGENT_OFFLINE'
  | 'AGENT_PROTOCOL_ERROR'
  | 'AGENT_TIMEOUT'
  | 'COMPRESSED_RESULT_TOO_LARGE'
  | 'RESULT_TOO_LARGE'
  | 'WORKSPACE_NOT_FOUND';
