import { z } from 'zod';
import { CodedError } from '../runtime/errors.ts';
import { defineTool, READS } from './define.ts';

export const recentCalls = defineTool({
  name: 'recent_calls',
  description:
    'The last tool calls of this conversation as the server saw them: what ran, failed or was refused, newest first. Answers "did it run?" after a lost answer.',
  input: z.object({ limit: z.number().int().min(1).max(200).default(20), tool: z.string().optional() }),
  output: () =>
    z.object({
      calls: z.array(
        z.object({
          time: z.string(),
          tool: z.string(),
          target: z.string(),
          outcome: z.string(),
          code: z.string().optional(),
          duration_ms: z.number(),
        }),
      ),
    }),
  annotations: READS,
  bulk: [],
  async handler({ limit, tool }, { services, conversation }) {
    if (services.audit === undefined) {
      throw new CodedError(
        'NOT_AVAILABLE',
        'No audit log is kept.',
        'Look at the files and git_status instead.',
      );
    }
    const entries = await services.audit.recent(
      limit,
      (entry) =>
        (conversation === undefined || entry.conversation === conversation) &&
        (tool === undefined || entry.tool === tool),
    );
    const calls = entries.map(({ time, tool: name, target, outcome, code, duration_ms }) => ({
      time,
      tool: name,
      target,
      outcome,
      ...(code === undefined ? {} : { code }),
      duration_ms,
    }));
    const whose =
      conversation === undefined
        ? 'of all clients (yours does not name its conversation)'
        : 'of this conversation';
    return {
      summary:
        calls.length === 0
          ? `No earlier calls ${whose}.`
          : `The last ${calls.length} calls ${whose}, newest first.`,
      data: { calls },
    };
  },
});
