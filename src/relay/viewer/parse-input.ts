import type { z } from 'zod';
import { closestName } from '../../runtime/closest.ts';
import { type ViewerInput, type ViewerToolName, viewerContracts } from './contracts.ts';
import { invalid } from './errors.ts';

/**
 * Checks the parameters of a tool. Unknown ones are refused with the closest known name, never dropped; `null` for an
 * optional one means that it was left out.
 * @throws {CodedError} INVALID_PARAMS naming every wrong parameter
 */
export function parseInput<Name extends ViewerToolName>(name: Name, given: unknown): ViewerInput<Name> {
  const schema: z.ZodObject = viewerContracts()[name].input;
  const shape = schema.shape as Record<string, z.ZodType>;
  const hint = `${name} takes: ${Object.entries(shape)
    .map(([key, type]) => (type.safeParse(undefined).success ? `${key}?` : key))
    .join(', ')}.`;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid('The parameters must be one JSON object.', hint);
  }
  const args: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const type = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (type === undefined) {
      const closest = closestName(key, Object.keys(shape));
      throw invalid(
        `"${key}" is not a parameter of ${name}${closest ? `; did you mean "${closest}"?` : '.'}`,
        hint,
      );
    }
    if (value === null && type.safeParse(undefined).success) continue;
    args[key] = value;
  }
  const result = schema.safeParse(args);
  // The schema is the one of this very name, which the union over all names cannot say.
  if (result.success) return result.data as ViewerInput<Name>;
  const problems = result.error.issues.map(
    ({ path, message }) => `"${path.join('.')}": ${message.replace(/^Invalid input: /, '')}.`,
  );
  throw invalid(problems.join(' '), hint);
}
