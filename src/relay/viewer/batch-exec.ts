import { concurrently } from '../../runtime/concurrently.ts';
import { CodedError } from '../../runtime/errors.ts';
import { type ViewerInput, type ViewerOutput, type ViewerToolName, viewerContracts } from './contracts.ts';
import { invalid, toolTimeout } from './errors.ts';
import { LIMITS } from './limits.ts';
import { callText, jsonBytes, type ViewerAnswer } from './types.ts';

type Result = ViewerOutput<'batchExec'>['results'][number];

/** A result travels as JSON text within JSON, and a relay carries one mebibyte of that. */
const MAX_ESCAPED_BYTES = 1000 * 1024;

/** Calls one tool as a client would. */
export type CallTool = (
  tool: ViewerToolName,
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
) => Promise<ViewerAnswer<ViewerToolName>>;

/** Tools that a batch runs: those that speak of one workspace, itself excepted. */
function isBatchable(name: string): name is ViewerToolName {
  return name !== 'batchExec' && name !== 'listWorkspaces' && Object.hasOwn(viewerContracts(), name);
}

/**
 * Several tools at once on one workspace; each operation succeeds or fails by itself. When the time or the room is up
 * the operations that are not done, or do not fit, say so: what was found in time is not lost.
 */
export async function batchExec(
  { workspaceId, operations }: ViewerInput<'batchExec'>,
  call: CallTool,
  signal: AbortSignal,
): Promise<ViewerAnswer<'batchExec'>> {
  const ids = operations.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) {
    throw invalid(`Two operations have the id "${twice}".`, 'Give each operation an id of its own.');
  }
  const timeUp = AbortSignal.timeout(LIMITS.batch.timeoutMs);
  const both = AbortSignal.any([signal, timeUp]);
  let bytes = 64;
  let escapedBytes = 64;
  const results = await concurrently(operations, LIMITS.batch.atOnce, async (operation): Promise<Result> => {
    const { id } = operation;
    try {
      if (timeUp.aborted) throw toolTimeout(operation.tool);
      const { tool, input } = checked(operation, workspaceId);
      const { summary, data } = await call(tool, input, both);
      const result: Result = { id, ok: true, summary, result: data };
      const cost = jsonBytes(result) + 1;
      const escapedCost = jsonBytes(JSON.stringify(result));
      if (bytes + cost > LIMITS.batch.maxBytes || escapedBytes + escapedCost > MAX_ESCAPED_BYTES) {
        throw doesNotFit(tool, input);
      }
      bytes += cost;
      escapedBytes += escapedCost;
      return result;
    } catch (error) {
      signal.throwIfAborted();
      const { code, message, hint } =
        error instanceof CodedError && !timeUp.aborted ? error : toolTimeout(operation.tool);
      return { id, ok: false, error: { code, message, hint } };
    }
  });
  const failed = results.filter(({ ok }) => !ok).length;
  return {
    summary: `${results.length - failed} of ${results.length} operations succeeded${failed === 0 ? '' : '; the others say why not'}.`,
    data: { results },
  };
}

function checked(
  { tool, input }: ViewerInput<'batchExec'>['operations'][number],
  workspaceId: string,
): { tool: ViewerToolName; input: Record<string, unknown> } {
  if (!isBatchable(tool)) {
    const names = Object.keys(viewerContracts()).filter(isBatchable).join(', ');
    throw invalid(`"${tool}" cannot be run in a batch.`, `A batch runs: ${names}.`);
  }
  const own = input['workspaceId'];
  if (own !== undefined && own !== null && own !== workspaceId) {
    throw invalid(
      'The operation names another workspace than the batch.',
      'Make one batch for each workspace.',
    );
  }
  return { tool, input: { ...input, workspaceId } };
}

function doesNotFit(tool: ViewerToolName, input: Record<string, unknown>): CodedError {
  return new CodedError(
    'RESULT_TOO_LARGE',
    `The results of this batch are larger than ${LIMITS.batch.maxBytes} bytes together; this one was left out.`,
    `Call it alone: ${callText(tool, input).slice(0, 1_000)}`,
  );
}
