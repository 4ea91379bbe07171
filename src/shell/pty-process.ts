import { CodedError } from '../runtime/errors.ts';
import type { LaunchRequest, ManagedProcess } from './managed-process.ts';

/** @throws {CodedError} NOT_AVAILABLE */
export async function launchOnTerminal(_request: LaunchRequest): Promise<ManagedProcess> {
  throw new CodedError(
    'NOT_AVAILABLE',
    'There is no pseudo-terminal on this platform.',
    'Start it without pty; programs that insist on a terminal may run under `script -qec "command" /dev/null`.',
  );
}
