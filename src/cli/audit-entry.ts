import { type AuditEntry, callTarget } from '../access/index.ts';
import type { CallRecord } from '../mcp/call.ts';
import { ownBeginning } from '../runtime/own-text.ts';

/** A call as the audit log keeps it. */
export function auditEntry(record: CallRecord): AuditEntry {
  return {
    id: record.id,
    time: record.startedAt.toISOString(),
    tool: ownBeginning(record.tool, 100),
    client: record.client && ownBeginning(record.client, 100),
    conversation: record.conversation,
    target: callTarget(record.arguments),
    outcome: record.outcome,
    code: record.code,
    duration_ms: Math.round(record.durationMs),
    result_bytes: record.resultBytes,
    pid: process.pid,
    checkpoint_id: record.checkpointId,
  };
}
