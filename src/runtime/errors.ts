/**
 * The stable error codes of the public interface (one vocabulary for all tools).
 * A code may be added, never renamed: prompts and clients branch on them.
 */
export type ErrorCode =
  | 'AGENT_BUSY'
  | 'AGENT_OFFLINE'
  | 'AGENT_PROTOCOL_ERROR'
  | 'AGENT_TIMEOUT'
  | 'ALREADY_APPLIED'
  | 'ALREADY_EXISTS'
  | 'BINARY_FILE'
  | 'BUSY'
  | 'CANCELLED'
  | 'CHANGED_ON_DISK'
  | 'COMMAND_NOT_FOUND'
  | 'COMPRESSED_RESULT_TOO_LARGE'
  | 'CONFLICT'
  | 'DENIED'
  | 'DISK_FULL'
  | 'DOWNLOAD_FAILED'
  | 'FILE_NOT_FOUND'
  | 'FILE_TOO_LARGE'
  | 'GIT_COMMAND_FAILED'
  | 'GIT_FAILED'
  | 'GIT_NOT_FOUND'
  | 'INTERNAL_ERROR'
  | 'INVALID_PARAMS'
  | 'INVALID_PATCH'
  | 'INVALID_PATTERN'
  | 'IS_A_DIRECTORY'
  | 'NOTHING_TO_COMMIT'
  | 'NOT_AVAILABLE'
  | 'NOT_A_DIRECTORY'
  | 'NOT_A_REPOSITORY'
  | 'NOT_EMPTY'
  | 'NOT_UNIQUE'
  | 'NO_MATCH'
  | 'PATH_IGNORED'
  | 'PATH_OUTSIDE_WORKSPACE'
  | 'PENDING_APPROVAL'
  | 'PERMISSION_DENIED'
  | 'PROCESS_NOT_FOUND'
  | 'REF_NOT_FOUND'
  | 'REJECTED'
  | 'RESULT_TOO_LARGE'
  | 'SEARCH_TIMEOUT'
  | 'SHELL_NOT_FOUND'
  | 'TIMEOUT'
  | 'TOOL_TIMEOUT'
  | 'TOO_LARGE'
  | 'UNKNOWN_TOOL'
  | 'UNSUPPORTED_FILE'
  | 'WORKSPACE_FORBIDDEN'
  | 'WORKSPACE_NOT_FOUND';

/**
 * An expected failure: one clear sentence, a stable code, and what to do next. Everything that a caller can
 * bring about ends in one of these; any other exception is a defect and is reported as INTERNAL_ERROR.
 */
export class CodedError extends Error {
  readonly code: ErrorCode;
  /** The next step, addressed to whoever made the call. */
  readonly hint: string;
  /** Further facts for `data.error` (line numbers, the closest region, candidates), JSON-serialisable. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, hint: string, details?: Record<string, unknown>) {
    super(message);
    this.name = 'CodedError';
    this.code = code;
    this.hint = hint;
    this.details = details;
  }
}

/** The `code` of a Node system error (`ENOENT`, …), or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
