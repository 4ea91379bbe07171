/**
 * JSON-RPC ids pass through unchanged, also those that JavaScript's numbers cannot hold (12345678901234567890, 1.0).
 * Such a number is kept as it was written.
 */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  toJSON(): unknown {
    return rawJson(this.source);
  }
}

/** An id that may not survive as a number; within a JSON string the quotes would be escaped. */
const INEXACT_ID = /"id"\s*:\s*-?(?:\d{16,}|\d+[.eE])/;

/** JSON.parse, with an ExactNumber for each `id` that would lose digits. */
export function parseKeepingIds(text: string): unknown {
  // The reviver is called for every value; hardly any text needs it.
  if (!INEXACT_ID.test(text)) return JSON.parse(text);
  const parse = JSON.parse as ParseWithSource;
  return parse(text, (key, value, context) => {
    if (key !== 'id' || typeof value !== 'number' || context?.source === undefined) return value;
    return String(value) === context.source ? value : new ExactNumber(context.source);
  });
}

/** ECMAScript 2026, "JSON.parse source text access"; in Node 24 and Deno, not yet in the compiler's library. */
type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context?: { source?: string }) => unknown,
) => unknown;

function rawJson(source: string): unknown {
  const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => unknown };
  return rawJSON === undefined ? Number(source) : rawJSON(source);
}
