import type { z } from 'zod';
import type { Services } from './services.ts';

/** MCP tool annotations; all four are set on every tool and true to what the tool can do. */
export interface Annotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** Only looks: asks for no confirmation in any client. */
export const READS: Annotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};
/** Adds something new and cannot remove or overwrite anything. */
export const ADDS: Annotations = {
  readOnlyHint: false,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};
/** Can replace or remove what was there. */
export const CHANGES: Annotations = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: false,
};
/** Can do anything, the network included. */
export const RUNS: Annotations = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: true,
};

/** What a handler knows about the call that it serves. */
export interface ToolContext {
  readonly services: Services;
  /**
   * Aborted when the work must stop: the client cancelled, the request of a 2026-07-28 client was closed, or the
   * server ends. `signal.reason` is then a CodedError with code CANCELLED.
   */
  readonly signal: AbortSignal;
  /**
   * Aborted when nobody will read the answer, although the work may go on: a 2025-era client dropped its
   * connection. Tools that only read are given one signal for both.
   */
  readonly abandoned: AbortSignal;
  /** Hashed conversation key, or undefined when the client names none (see mcp/conversation.ts). */
  readonly conversation: string | undefined;
  /** Milliseconds (performance.now()) by which the answer must leave; never more than 40 s after the call came. */
  readonly answerByMs: number;
  /** Sends a progress message where the client asked for progress; otherwise does nothing. */
  readonly progress: (message: string) => void;
  /** Told the id of a process that the call started or joined (see CallLinks of the shell). */
  readonly started?: ((processId: string) => void) | undefined;
  /** The other tools of this server, for tools that call tools (batch). */
  readonly otherTools?: OtherTools;
}

/** Calls of tools within a call. */
export interface OtherTools {
  /** Undefined when there is no such tool in this server. */
  annotationsOf(name: string): Annotations | undefined;
  /**
   * Calls a tool as a client would: its arguments checked, its answer in the envelope, the call on record. It ends
   * with the signals of the call that it belongs to. Never throws.
   */
  call(name: string, args: Readonly<Record<string, unknown>>): Promise<OtherToolResult>;
}

export interface OtherToolResult {
  /** The text that the call's own answer would have had. */
  readonly text: string;
  readonly isError: boolean;
  readonly images?: ToolAnswer<unknown>['images'];
}

/** What a handler returns; the registry makes the envelope `{ ok: true, tool, summary, data }` of it. */
export interface ToolAnswer<Data> {
  /** One sentence that a person can read. */
  readonly summary: string;
  readonly data: Data;
  /** MCP image blocks for view_image; sent after the text. */
  readonly images?: readonly { readonly data: string; readonly mimeType: string }[];
  /** MCP resource links for send_file; sent after the text. */
  readonly links?: readonly { readonly uri: string; readonly name: string; readonly mimeType?: string }[];
}

export interface ToolDefinition<
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> {
  readonly name: string;
  /** First sentence: what it does. Second: when to prefer another tool. Plain words that one would search for. */
  readonly description: string;
  readonly input: Input;
  /** Makes the shape of `data` of a successful call: wanted by few, so not at every start of the program. */
  readonly output: () => Output;
  readonly annotations: Annotations;
  /**
   * The string fields of `data` that carry the bulk (file text, output, a diff): they leave the JSON line and
   * follow it as plain text. A tool with this list, even an empty one, sends text alone unless --results says
   * otherwise: its results can be large, and hosts that show both channels would show them twice.
   */
  readonly bulk?: readonly (keyof z.infer<Output> & string)[];
  /** All it can destroy is file content that rewind brings back (`--annotations quiet` says so to the client). */
  readonly rewindable?: boolean;
  /** `_meta` of the listed tool, such as openai/fileParams. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** Also listed with --tools slim. */
  readonly slim?: boolean;
  readonly handler: (input: z.infer<Input>, context: ToolContext) => Promise<ToolAnswer<z.infer<Output>>>;
}

/** What a function that makes a schema describes. */
export type ShapeOf<Make extends () => z.ZodType> = z.infer<ReturnType<Make>>;

/** Declares a tool. The identity function: it only ties the types of schema and handler together. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ToolDefinition<Input, Output>,
): ToolDefinition<Input, Output> {
  return definition;
}
