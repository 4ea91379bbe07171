/** A tool result as the view shows it. */
export interface ShownResult {
  /** Empty when the result is not of the product's form. */
  readonly tool: string;
  readonly ok: boolean;
  readonly summary: string;
  /** The envelope's, with the bulk back in its fields. */
  readonly data: Fields;
  /** What the result says in another form than the product's. */
  readonly text: string;
}

export type Fields = Readonly<Record<string, unknown>>;

/** The fields that a tool's text form has after the line of JSON, in this order. */
const BULK: Readonly<Record<string, readonly string[]>> = {
  apply_patch: ['diff'],
  edit_file: ['diff'],
  git_diff: ['diff'],
  run_command: ['stdout', 'stderr'],
};

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/**
 * Reads a tool result: the envelope of `structuredContent` where the host passes it on, else the one in the text. What
 * is missing is empty; anything that is no envelope is text.
 */
export function readResult(params: unknown): ShownResult {
  const result = fields(params);
  const structured = fields(result['structuredContent']);
  if (isEnvelope(structured)) return shown(structured, '');
  const blocks = Array.isArray(result['content']) ? result['content'] : [];
  const text = blocks
    .map(fields)
    .filter(({ type }) => type === 'text')
    .map((block) => textOf(block['text']))
    .join('\n\n');
  const end = text.indexOf('\n\n');
  const head = parsed(end < 0 ? text : text.slice(0, end));
  if (isEnvelope(head)) return shown(head, end < 0 ? '' : text.slice(end + 2));
  return { tool: '', ok: result['isError'] !== true, summary: '', data: {}, text };
}

function isEnvelope(value: Fields): boolean {
  return typeof value['ok'] === 'boolean' && typeof value['tool'] === 'string';
}

function parsed(text: string): Fields {
  try {
    return fields(JSON.parse(text));
  } catch {
    return {};
  }
}

function shown(envelope: Fields, bulk: string): ShownResult {
  const tool = textOf(envelope['tool']);
  const names = BULK[tool] ?? [];
  const data = { ...split(bulk, names), ...fields(envelope['data']) };
  return {
    tool,
    ok: envelope['ok'] === true,
    summary: textOf(envelope['summary']),
    data,
    text: names.length === 0 ? bulk : '',
  };
}

/** The bulk of the first field stands alone; that of the second follows a line `[name]`. */
function split(bulk: string, [first, second]: readonly string[]): Record<string, string> {
  if (first === undefined || bulk === '') return {};
  if (second === undefined) return { [first]: bulk };
  const heading = `[${second}]\n`;
  if (bulk.startsWith(heading)) return { [second]: bulk.slice(heading.length) };
  const at = bulk.indexOf(`\n${heading}`);
  if (at < 0) return { [first]: bulk };
  return { [first]: bulk.slice(0, at + 1), [second]: bulk.slice(at + 1 + heading.length) };
}
