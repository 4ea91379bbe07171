import { z } from 'zod';
import { shareBytes, startOfText } from '../context/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { defineTool, type OtherToolResult, type OtherTools, READS } from './define.ts';

const MAX_CALLS = 8;
/** Bytes of all results together; with the facts beside them one answer stays under 256 KiB. */
const MAX_TEXT_BYTES = 240 * 1024;
const NAME = 'batch';

export const batchTool = defineTool({
  name: NAME,
  description:
    'Run up to 8 reading tool calls at once, such as several read_text_file, grep or git_diff, and get all results in order. For changes and commands call their tools one by one.',
  input: z.object({
    calls: z
      .array(z.strictObject({ tool: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) }))
      .min(1)
      .max(MAX_CALLS),
  }),
  output: () =>
    z.object({
      calls: z.array(z.object({ tool: z.string(), ok: z.boolean(), truncated: z.boolean() })),
      results: z.string(),
    }),
  annotations: READS,
  bulk: ['results'],
  slim: true,
  async handler({ calls }, { otherTools }) {
    if (otherTools === undefined) throw new Error('batch was called without access to the other tools');
    const results = await Promise.all(calls.map((call) => run(call.tool, call.arguments, otherTools)));
    const shares = shareBytes(
      results.map(({ text }) => Buffer.byteLength(text)),
      MAX_TEXT_BYTES,
    );
    const parts = results.map(({ text }, index) => startOfText(text, shares[index]!));
    const failed = results.filter(({ isError }) => isError).length;
    const images = results.flatMap((result) => result.images ?? []);
    return {
      summary: `${calls.length - failed} of ${calls.length} calls succeeded${failed === 0 ? '' : '; the others say why not'}.`,
      data: {
        calls: calls.map(({ tool }, index) => ({
          tool,
          ok: !results[index]!.isError,
          truncated: parts[index]!.nextLine !== undefined,
        })),
        results: calls
          .map(({ tool }, index) => {
            const { text, bytes, nextLine } = parts[index]!;
            const total = Buffer.byteLength(results[index]!.text);
            const mark =
              nextLine === undefined
                ? ''
                : `\n[cut: ${bytes} of ${total} bytes; call ${tool} alone for all of it]`;
            return `=== ${index + 1} ${tool} ===\n${text}${mark}\n`;
          })
          .join('\n'),
      },
      ...(images.length > 0 && { images }),
    };
  },
});

async function run(
  tool: string,
  args: Readonly<Record<string, unknown>>,
  others: OtherTools,
): Promise<OtherToolResult> {
  const refusal = refusalOf(tool, others);
  return refusal === undefined
    ? others.call(tool, args)
    : { text: refusedText(tool, refusal), isError: true };
}

/** Only what cannot change anything and stays on this machine: that is what the annotations of batch promise. */
function refusalOf(tool: string, others: OtherTools): CodedError | undefined {
  if (tool === NAME) {
    return new CodedError(
      'INVALID_PARAMS',
      'A batch cannot hold a batch.',
      'List its calls in this one, 8 at most.',
    );
  }
  const annotations = others.annotationsOf(tool);
  // An unknown tool gets the registry's own answer, which knows the closest name.
  if (annotations === undefined || (annotations.readOnlyHint && !annotations.openWorldHint)) return undefined;
  return new CodedError(
    'INVALID_PARAMS',
    `${tool} is not a tool that only reads, so a batch does not run it; nothing of it was done.`,
    `Call ${tool} by itself.`,
  );
}

function refusedText(tool: string, error: CodedError): string {
  const { code, message, hint } = error;
  return JSON.stringify({ ok: false, tool, summary: message, data: { error: { code, message, hint } } });
}
