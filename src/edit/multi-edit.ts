import { CodedError } from '../runtime/errors.ts';
import { type LiteralEdit, type Replaced, replaceLiteral } from './literal-replace.ts';
import { composeRegions, type Region } from './regions.ts';

/**
 * Makes several literal replacements, each on the text that the one before left.
 * @throws {CodedError} that of the first edit that fails, naming it; none of them counts then
 */
export function replaceInOrder(text: string, edits: readonly LiteralEdit[]): Replaced {
  let current = text;
  let replacements = 0;
  let regions: readonly Region[] = [];
  for (const [index, edit] of edits.entries()) {
    const replaced = replaceNamed(current, edit, index, edits.length);
    current = replaced.text;
    replacements += replaced.replacements;
    regions = index === 0 ? replaced.regions : composeRegions(regions, replaced.regions);
  }
  return { text: current, replacements, regions };
}

function replaceNamed(text: string, edit: LiteralEdit, index: number, total: number): Replaced {
  try {
    return replaceLiteral(text, edit);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const earlier = index > 0 ? ' (line numbers count the edits before it)' : '';
    throw new CodedError(
      error.code,
      `Edit ${index + 1} of ${total}: ${error.message}${earlier}`,
      error.hint,
      {
        ...error.details,
        edit: index + 1,
      },
    );
  }
}
