import { CodedError } from '../runtime/errors.ts';
import type { ToolAnswer, ToolDefinition } from '../tools/define.ts';
import { cutText } from './cut-text.ts';
import { MAX_RESULT_BYTES } from './limits.ts';

/** Which channel of a result carries what (`--results`). */
export type ResultForm = 'auto' | 'both' | 'structured' | 'text';

export type ContentBlock =
  | { type: 'text'; text: string }
  | { type: 'image'; data: string; mimeType: string }
  | { type: 'resource_link'; uri: string; name: string; mimeType?: string };

/** An MCP tool result. A type, not an interface: the SDK wants an index signature. */
export type CallResult = {
  content: ContentBlock[];
  structuredContent?: Record<string, unknown>;
  isError?: true;
};

/** Whether a tool sends (and therefore declares) structured results under the given form. */
export function sendsStructured(tool: ToolDefinition, form: ResultForm): boolean {
  if (form === 'text') return false;
  return form !== 'auto' || tool.bulk === undefined;
}

/**
 * The result of a successful call: `{ ok, tool, summary, data }` as one line of JSON without the bulk fields,
 * then an empty line and the bulk as it is, unescaped. The second and further bulk fields that are not empty get
 * a heading line `[name]`.
 */
export function successResult(
  tool: ToolDefinition,
  answer: ToolAnswer<Record<string, unknown>>,
  form: ResultForm,
): CallResult {
  const envelope = { ok: true, tool: tool.name, summary: answer.summary, data: answer.data };
  const structured = sendsStructured(tool, form);
  const content: ContentBlock[] = [
    {
      type: 'text',
      text: structured && form === 'structured' ? answer.summary : envelopeText(tool, envelope),
    },
  ];
  for (const image of answer.images ?? []) content.push({ type: 'image', ...image });
  for (const link of answer.links ?? []) content.push({ type: 'resource_link', ...link });
  if (!structured) return { content };
  const json = JSON.stringify(envelope);
  if (Buffer.byteLength(json) > MAX_RESULT_BYTES) {
    return errorResult(
      tool.name,
      new CodedError(
        'TOO_LARGE',
        `The result would be ${Buffer.byteLength(json)} bytes; at most ${MAX_RESULT_BYTES} are sent.`,
        'Ask for less: a narrower path, a smaller limit, fewer files.',
      ),
      form === 'text' ? form : 'both',
      structured,
    );
  }
  return { content, structuredContent: envelope };
}

/** The result of a failed call: the same envelope with `ok: false` and `data.error = { code, message, hint }`. */
export function errorResult(
  toolName: string,
  error: CodedError,
  form: ResultForm,
  structured: boolean,
): CallResult {
  const envelope = {
    ok: false,
    tool: toolName,
    summary: error.message,
    data: { error: { code: error.code, message: error.message, hint: error.hint, ...error.details } },
  };
  const text = cutText(JSON.stringify(envelope), MAX_RESULT_BYTES).text;
  const result: CallResult = { content: [{ type: 'text', text }], isError: true };
  if (structured && form !== 'text' && text.length < MAX_RESULT_BYTES) result.structuredContent = envelope;
  return result;
}

function envelopeText(tool: ToolDefinition, envelope: { data: Record<string, unknown> }): string {
  if (tool.bulk === undefined) return JSON.stringify(envelope);
  const data = { ...envelope.data };
  const parts: string[] = [];
  for (const [index, field] of tool.bulk.entries()) {
    const value = data[field];
    delete data[field];
    if (typeof value !== 'string' || value === '') continue;
    if (index === 0) parts.push(value);
    else parts.push(`${parts.length > 0 && !parts[0]?.endsWith('\n') ? '\n' : ''}[${field}]\n${value}`);
  }
  const head = JSON.stringify({ ...envelope, data });
  if (parts.length === 0) return head;
  // The tools bound their answers themselves and say how to go on; this is the last line of defence.
  const room = Math.max(MAX_RESULT_BYTES - Buffer.byteLength(head) - 2, 0);
  const bulk = cutText(parts.join(''), room);
  return `${head}\n\n${bulk.text}`;
}
