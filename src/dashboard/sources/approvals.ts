import type { ApprovalModel } from '../models.ts';
import type { DashboardParts } from '../parts.ts';

/** What waits for the owner's word, oldest first. Secrets are not masked: what is hidden would be approved unseen. */
export function approvalModels({ approvals }: Pick<DashboardParts, 'approvals'>): ApprovalModel[] {
  return approvals.waiting().map((request) => ({
    id: request.id,
    tool: request.tool,
    subject: request.subject,
    client: request.client,
    folder: request.folder,
    access: request.access,
    askedAt: request.askedAt.toISOString(),
    expiresAt: request.expiresAt.toISOString(),
    prefix: request.prefix,
  }));
}
