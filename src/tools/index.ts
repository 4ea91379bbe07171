import { type AccessMode, isToolAllowed } from '../access/modes.ts';
import { agentStatus } from './agent-status.ts';
import { applyPatch } from './apply-patch.ts';
import { batchTool } from './batch.ts';
import { contextTools } from './context.ts';
import type { ToolDefinition } from './define.ts';
import { fileTools } from './files.ts';
import { gitTools } from './git.ts';
import { rewind } from './history.ts';
import { recentCalls } from './recent-calls.ts';
import { searchTools } from './search.ts';
import { shellTools } from './shell.ts';
import { transferTools } from './transfer.ts';
import { viewerTools } from './viewer.ts';

/**
 * Every tool, in the order in which tools/list shows them. The list holds tools of many inputs; each handler is only
 * ever called with what its own schema has parsed (mcp/input.ts).
 */
const ALL_TOOLS = [
  ...fileTools,
  applyPatch,
  ...transferTools,
  ...searchTools,
  ...shellTools,
  ...gitTools,
  ...contextTools,
  rewind,
  batchTool,
  recentCalls,
  agentStatus,
] as unknown as readonly ToolDefinition[];

/** The tools of a set (`--tools`) that the access mode allows. */
export function selectTools(
  set: 'full' | 'slim' | 'viewer',
  mode: AccessMode = 'full',
): readonly ToolDefinition[] {
  if (set === 'viewer') return viewerTools();
  const allowed = ALL_TOOLS.filter((tool) => isToolAllowed(mode, tool));
  return set === 'slim' ? allowed.filter((tool) => tool.slim === true) : allowed;
}
