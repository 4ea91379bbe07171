import { agentStatus } from './agent-status.ts';
import type { ToolDefinition } from './define.ts';

/** Every tool, in the order in which tools/list shows them. */
const ALL_TOOLS = [agentStatus] as unknown as readonly ToolDefinition[];

/** The tools of a set (`--tools`). */
export function selectTools(set: 'full' | 'slim' | 'viewer'): readonly ToolDefinition[] {
  return set === 'slim' ? ALL_TOOLS.filter((tool) => tool.slim === true) : ALL_TOOLS;
}
