import { z } from 'zod';
import { VERSION } from '../runtime/version.ts';
import { defineTool, READS } from './define.ts';

export const agentStatus = defineTool({
  name: 'agent_status',
  description:
    'Status of this local-coder server: version, access mode, workspace roots, shells, running processes, limits. To see one process use process_status.',
  input: z.object({}),
  output: z.object({
    version: z.string(),
    platform: z.string(),
    access: z.string(),
    roots: z.array(z.string()),
    shells: z.array(z.unknown()),
    processes: z.unknown(),
    tunnel: z.null(),
    limits: z.record(z.string(), z.number()),
    state_folder: z.string(),
    audit_log: z.null(),
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
        roots: [...workspace.roots],
        shells,
        processes,
        tunnel: null,
        limits: {},
        state_folder: stateDir,
        audit_log: null,
      },
    };
  },
});
