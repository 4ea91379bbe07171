import { VERSION } from '../../runtime/version.ts';
import type { StatusModel } from '../models.ts';
import type { DashboardParts } from '../parts.ts';

export async function statusModel(parts: DashboardParts): Promise<StatusModel> {
  const nowMs = Date.now();
  const { clients } = parts.calls;
  return {
    version: VERSION,
    ...parts.settings,
    address: parts.address(),
    uptimeSeconds: Math.round((nowMs - parts.startedAtMs) / 1000),
    tunnel: parts.tunnel(),
    connector: await parts.connector(),
    clients: clients.clients(),
    requests: clients.requests(nowMs),
    runningCalls: parts.calls.runningCount,
    runningProcesses: parts.services().reduce((sum, { shell }) => sum + shell.status().processes.running, 0),
    waitingApprovals: parts.approvals.waiting().length,
  };
}
