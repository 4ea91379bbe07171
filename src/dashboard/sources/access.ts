import type { AccessModel } from '../models.ts';
import type { DashboardParts } from '../parts.ts';

/** Who was let in and who waits, with the one-time codes: the page is the owner's, as the terminal is. */
export async function accessModel({ gatekeeper }: Pick<DashboardParts, 'gatekeeper'>): Promise<AccessModel> {
  if (gatekeeper === undefined) return { auth: undefined, grants: [], waiting: [], hasSecretUrl: false };
  const { auth, store, desk } = gatekeeper;
  const grants = await store.grants.list(Date.now());
  return {
    auth,
    grants: grants.map((grant) => ({
      id: grant.id,
      client: grant.clientName,
      host: grant.redirectHost,
      access: grant.access,
      createdAt: new Date(grant.createdMs).toISOString(),
      usedAt: new Date(grant.usedMs).toISOString(),
      expiresAt: new Date(grant.expiresMs).toISOString(),
    })),
    waiting: desk.announced().map((request) => ({
      reference: request.reference,
      number: request.number,
      code: request.code,
      client: request.client,
      host: request.host,
      expiresAt: new Date(request.expiresAtMs).toISOString(),
    })),
    hasSecretUrl: auth === 'url',
  };
}
