import { z } from 'zod';
import { viewerContracts } from '../viewer/contracts.ts';
import type { ViewerToolContract } from '../viewer-contract.ts';

/** Whose tools these are, and what the client was allowed. */
export interface Caller {
  readonly userId: string;
  readonly access: 'full' | 'workspace' | 'read-only';
}

export const CREATE_PAIRING_CODE: ViewerToolContract = {
  name: 'createAgentPairingCode',
  description:
    'Create a one-time code that connects another computer of the user to this relay; show the user the code and the command. For computers that are connected already, listWorkspaces is enough.',
  input: z.object({
    agentDisplayName: z.string().min(1).max(120).optional().describe('how to call that computer'),
  }),
  output: () => z.object({ pairingCode: z.string(), expiresAt: z.string(), commandHint: z.string() }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  timeoutMs: 5_000,
};

/** The viewer tools by name, with the relay's own one. */
export function relayContracts(): ReadonlyMap<string, ViewerToolContract> {
  made ??= new Map(
    [...Object.values<ViewerToolContract>(viewerContracts()), CREATE_PAIRING_CODE].map((tool) => [
      tool.name,
      tool,
    ]),
  );
  return made;
}
let made: Map<string, ViewerToolContract> | undefined;
