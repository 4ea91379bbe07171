import type { FrameProblem } from '../frames.ts';
import { MAX_CALLS_PER_AGENT, MAX_COMPRESSED_BYTES, MAX_PLAIN_BYTES } from '../protocol.ts';
import type { Outcome } from './ports.ts';

const RECONNECT =
  'The user starts "local-coder agent" on that computer; listWorkspaces shows what is online.';
const SMALLER = 'Ask for less: a narrower path, a smaller limit, fewer operations.';

const FAILURES = {
  AGENT_OFFLINE: ['The computer of this workspace is not connected to the relay.', RECONNECT],
  AGENT_BUSY: [
    `The computer of this workspace has ${MAX_CALLS_PER_AGENT} calls under way already.`,
    'Wait for some of them to end, then call again.',
  ],
  AGENT_TIMEOUT: [
    'The computer of this workspace did not answer in time.',
    'Call again, or ask for less. If it goes on, the user restarts "local-coder agent".',
  ],
  AGENT_PROTOCOL_ERROR: [
    'The computer of this workspace sent an answer that the relay cannot read.',
    'Call again. If it goes on, the user updates local-coder on that computer.',
  ],
  RESULT_TOO_LARGE: [
    `The result has more than ${MAX_PLAIN_BYTES} bytes, which is what the relay takes.`,
    SMALLER,
  ],
  COMPRESSED_RESULT_TOO_LARGE: [
    `The compressed result has more than ${MAX_COMPRESSED_BYTES} bytes, which is what the relay takes.`,
    SMALLER,
  ],
  CANCELLED: ['The call was cancelled.', 'Call again if it is still wanted.'],
} as const;

/** An outcome that the relay itself brings about. */
export function failure(code: keyof typeof FAILURES): Outcome {
  const [message, hint] = FAILURES[code];
  return { ok: false, error: { code, message, hint } };
}

export function frameFailure(problem: FrameProblem): Outcome {
  return failure(problem);
}
