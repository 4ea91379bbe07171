import { UsageError } from './usage-error.ts';

/**
 * JSON with comments and trailing commas, as configuration files are written by hand.
 * @throws {UsageError} naming the file and the place
 */
export function parseJsonWithComments(text: string, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(stripComments(text.replace(/^\uFEFF/, '')));
  } catch (error) {
    throw new UsageError(
      `${file} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${file} must hold one JSON object, such as { "port": 3100 }.`);
  }
  return value as Record<string, unknown>; // checked in the line above
}

/** Blanks comments and trailing commas outside of strings; line numbers stay as they are. */
function stripComments(text: string): string {
  const token =
    /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*[\]}])/g;
  return text.replace(token, (match) => (match.startsWith('"') ? match : match.replace(/[^\n]/g, ' ')));
}
