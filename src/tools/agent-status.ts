import { z } from 'zod';
import { describeCommands } from '../access/sandbox/index.ts';
import { VERSION } from '../runtime/version.ts';
import { defineTool, READS } from './define.ts';

/** What a client can run into; each tool says so again when it happens. */
const LIMITS = {
  result_bytes: 256 * 1024,
  answer_within_s: 40,
  concurrent_calls: 512,
  request_bytes: 32 * 1024 * 1024,
  edit_file_bytes: 64 * 1024 * 1024,
} as const;

export const agentStatus = defineTool({
  name: 'agent_status',
  description:
    'Status of this local-coder server: version, access mode, workspace roots, shells, running processes, limits. To see one process use process_status.',
  input: z.object({}),
  output: () =>
    z.object({
      version: z.string(),
      platform: z.string(),
      access: z.string(),
      commands: z.string(),
      roots: z.array(z.string()),
      shells: z.array(z.unknown()),
      processes: z.unknown(),
      tunnel: z.null(),
      limits: z.record(z.string(), z.number()),
      state_folder: z.string(),
      audit_log: z.string().nullable(),
    }),
  annotations: READS,
  async handler(_input, { services }) {
    const { workspace, shell, stateDir } = services;
    const { shells, processes } = await shell.status();
    return {
      summary: `local-coder ${VERSION} serves ${workspace.defaultRoot} in ${workspace.accessMode} mode.`,
      data: {
        version: VERSION,
        platform: `${process.platform} ${process.arch}`,
        access: workspace.accessMode,
        commands: await describeCommands(workspace.accessMode, services.sandbox),
        roots: [...workspace.roots],
        shells,
        processes,
        tunnel: null,
        limits: LIMITS,
        state_folder: stateDir,
        audit_log: services.audit?.file ?? null,
      },
    };
  },
});
