import type { z } from 'zod';
import { closestIdentifiers, quotedNames } from '../runtime/closest.ts';
import { CodedError } from '../runtime/errors.ts';
import type { ToolDefinition } from '../tools/define.ts';

/**
 * Checks the arguments of a call against the tool's schema.
 * Unknown parameters are refused with the closest known name, never dropped: a misspelt `expected_sha256` must not
 * silently become an unconditional write. `null` for an optional parameter means that it was left out.
 * @throws {CodedError} INVALID_PARAMS naming every wrong parameter
 */
export function parseArguments(tool: ToolDefinition, given: unknown): Record<string, unknown> {
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given))) {
    throw invalid(tool, 'The arguments must be one JSON object.');
  }
  const shape = tool.input.shape as Record<string, z.ZodType>;
  const args: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given ?? {})) {
    const schema = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (schema === undefined) {
      const closest = closestIdentifiers(name, Object.keys(shape), true);
      const meant = closest.length > 0 ? `; did you mean ${quotedNames(closest)}?` : '.';
      throw invalid(tool, `"${name}" is not a parameter of ${tool.name}${meant}`);
    }
    if (value === null && schema.safeParse(undefined).success) continue;
    args[name] = value;
  }
  const result = tool.input.safeParse(args);
  if (result.success) return result.data;
  const { issues } = result.error;
  // What has the wrong type is not too long as well.
  const wrongTypes = new Set(issues.filter(isWrongType).map(pathOf));
  const told = issues.filter((issue) => isWrongType(issue) || !wrongTypes.has(pathOf(issue)));
  throw invalid(tool, told.map((issue) => describeIssue(issue, args)).join(' '));
}

function isWrongType(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type';
}

function pathOf(issue: z.core.$ZodIssue): string {
  return issue.path.join('.');
}

function describeIssue(issue: z.core.$ZodIssue, args: Record<string, unknown>): string {
  const path = pathOf(issue);
  const missing = issue.path.length === 1 && !Object.hasOwn(args, path);
  if (missing || (isWrongType(issue) && issue.message.endsWith('received undefined'))) {
    return `The parameter "${path}" is missing.`;
  }
  return `"${path}": ${issue.message.replace(/^Invalid input: /, '')}.`;
}

function invalid(tool: ToolDefinition, message: string): CodedError {
  const names = Object.entries(tool.input.shape as Record<string, z.ZodType>).map(([name, schema]) =>
    schema.safeParse(undefined).success ? `${name}?` : name,
  );
  const parameters = names.length === 0 ? 'no parameters' : names.join(', ');
  return new CodedError('INVALID_PARAMS', message, `${tool.name} takes: ${parameters}.`);
}
