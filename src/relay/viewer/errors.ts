import { CodedError, type ErrorCode } from '../../runtime/errors.ts';

/** What a call names, for messages: domains speak of absolute paths and of tools that are not served here. */
export interface CallFacts {
  readonly tool: string;
  /** As the caller gave it. */
  readonly path?: string | undefined;
  /** Real path of the workspace; never shown to a caller. */
  readonly root?: string | undefined;
}

const LOOK = 'listTree shows what is there.';

/**
 * An error of a domain in the viewer's own vocabulary (the codes of docs/relay.md), with hints that name viewer tools
 * and without paths of this machine.
 */
export function viewerError(error: unknown, facts: CallFacts): CodedError {
  if (!(error instanceof CodedError)) return unexpected(error, facts);
  const named = facts.path === undefined ? 'The folder' : `"${facts.path}"`;
  switch (error.code) {
    case 'PATH_OUTSIDE_WORKSPACE':
      return facts.tool.includes('Workspace') && facts.path === undefined
        ? gitOutside()
        : pathOutside(facts.path ?? '.');
    case 'DENIED':
      return facts.path === undefined ? gitFailed(error, facts) : pathIgnored(facts.path);
    case 'FILE_NOT_FOUND':
      return new CodedError('FILE_NOT_FOUND', `${named} does not exist in the workspace.`, LOOK);
    case 'NOT_A_DIRECTORY':
      return invalid(`${named} is not a folder, or a part of its path is not.`, LOOK);
    case 'IS_A_DIRECTORY':
      return invalid(`${named} is a folder, not a file.`, LOOK);
    case 'BINARY_FILE':
      return invalid(`${named} is not a text file.`, 'Only text can be shown.');
    case 'UNSUPPORTED_FILE':
      return invalid(`${named} is a pipe, socket, device or broken link, not a regular file.`, LOOK);
    case 'PERMISSION_DENIED':
      return new CodedError(
        'WORKSPACE_FORBIDDEN',
        `${named} may not be read by the user that the agent runs as.`,
        'Look at another file.',
      );
    case 'INVALID_PATTERN':
      return invalid(withoutRoot(error.message, facts), 'Wildcards of a glob are * ? ** {a,b} [a-z].');
    case 'TIMEOUT':
      return toolTimeout(facts.tool);
    case 'TOO_LARGE':
      return new CodedError('RESULT_TOO_LARGE', withoutRoot(error.message, facts), 'Ask for less.');
    case 'NOT_A_REPOSITORY':
    case 'GIT_NOT_FOUND':
    case 'GIT_FAILED':
    case 'REF_NOT_FOUND':
      return gitFailed(error, facts);
    case 'BUSY':
      return new CodedError('INTERNAL_ERROR', withoutRoot(error.message, facts), 'Call again in a moment.');
    default:
      return KEPT.has(error.code) ? error : unexpected(error, facts);
  }
}

/** Codes that are the viewer's own, or that pass through. */
const KEPT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'WORKSPACE_NOT_FOUND',
  'WORKSPACE_FORBIDDEN',
  'PATH_IGNORED',
  'FILE_TOO_LARGE',
  'INVALID_PARAMS',
  'SEARCH_TIMEOUT',
  'RESULT_TOO_LARGE',
  'TOOL_TIMEOUT',
  'GIT_COMMAND_FAILED',
  'INTERNAL_ERROR',
  'CANCELLED',
]);

export function invalid(message: string, hint: string): CodedError {
  return new CodedError('INVALID_PARAMS', message, hint);
}

/** The same words whether something is there or not: a caller must not learn what exists outside. */
export function pathOutside(path: string): CodedError {
  return new CodedError(
    'PATH_OUTSIDE_WORKSPACE',
    `"${path}" is not inside of the workspace.`,
    'Give a path relative to the top of the workspace; listTree shows what there is.',
  );
}

export function pathIgnored(path: string): CodedError {
  return new CodedError(
    'PATH_IGNORED',
    `"${path}" is excluded by the ignore rules of the workspace and is not shown.`,
    'Look at another file, or ask the user for what is needed of this one.',
  );
}

export function workspaceNotFound(workspaceId: string): CodedError {
  return new CodedError(
    'WORKSPACE_NOT_FOUND',
    `There is no workspace "${workspaceId}".`,
    'listWorkspaces gives the ids of those that there are.',
  );
}

export function toolTimeout(tool: string): CodedError {
  return new CodedError(
    'TOOL_TIMEOUT',
    `${tool} was not done in its time and was stopped.`,
    'Ask for less: a folder further down, one file, fewer operations.',
  );
}

function gitOutside(): CodedError {
  return new CodedError(
    'GIT_COMMAND_FAILED',
    'The workspace is a part of a git repository whose top folder lies outside of it, so git is left alone.',
    'Ask the user to add the top folder of the repository as a workspace.',
  );
}

function gitFailed(error: CodedError, facts: CallFacts): CodedError {
  return new CodedError(
    'GIT_COMMAND_FAILED',
    withoutRoot(error.message, facts),
    error.code === 'NOT_A_REPOSITORY'
      ? 'Without git, inspectFile and searchFile show the files as they are.'
      : 'inspectFile and searchFile work without git.',
  );
}

function unexpected(error: unknown, facts: CallFacts): CodedError {
  const message = error instanceof Error ? error.message : String(error);
  return new CodedError(
    'INTERNAL_ERROR',
    `${facts.tool} failed unexpectedly: ${withoutRoot(message, facts)}`,
    'Try a narrower call; the log on the machine of the workspace says more.',
  );
}

/** The workspace's place on the machine is nobody's business; neither are other absolute paths. */
function withoutRoot(message: string, { root }: CallFacts): string {
  const own = root === undefined ? message : message.replaceAll(root, '.');
  return own.replace(/(^|[\s"'(])(?:\/(?:[^\s"'/]+\/)+[^\s"']*|[A-Za-z]:\\[^\s"']+)/g, '$1(path)');
}
