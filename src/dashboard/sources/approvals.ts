import type { ApprovalModel } from '../models.ts';
import type { DashboardParts } from '../parts.ts';
import { proposedDiffs } from './proposed-diffs.ts';

/** The oldest of those that wait; of more the arguments alone are shown until it is their turn. */
const MAX_WITH_DIFFS = 10;

/** What waits for the owner's word, oldest first. Secrets are not masked: what is hidden would be approved unseen. */
export function approvalModels({
  approvals,
  services,
  onError,
}: Pick<DashboardParts, 'approvals' | 'services' | 'onError'>): Promise<ApprovalModel[]> {
  const served = services();
  return Promise.all(
    approvals.waiting().map(async (request, index) => ({
      id: request.id,
      tool: request.tool,
      subject: request.subject,
      diffs:
        index < MAX_WITH_DIFFS
          ? await proposedDiffs(
              request,
              served.find(({ workspace }) => workspace.accessMode === request.access) ?? served[0],
              onError,
            )
          : [],
      client: request.client,
      folder: request.folder,
      access: request.access,
      askedAt: request.askedAt.toISOString(),
      expiresAt: request.expiresAt.toISOString(),
      prefix: request.prefix,
    })),
  );
}
