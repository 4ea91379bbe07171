import { CodedError } from '../../runtime/errors.ts';
import type { CallLinks, ProcessInfo, Shell } from '../../shell/index.ts';
import type { ProcessesModel, ProcessModel, ProcessOutputModel } from '../models.ts';
import type { DashboardParts } from '../parts.ts';

/** Characters of the end of an output that an opened process shows. */
const TAIL_CHARACTERS = 64 * 1024;
const never = new AbortController().signal;

export async function processesModel(parts: Pick<DashboardParts, 'services'>): Promise<ProcessesModel> {
  const served = parts.services();
  const infos = (await Promise.all(served.map(({ shell }) => shell.processStatus()))).flat();
  return {
    processes: infos.map(modelOf).sort((a, b) => b.startedAt.localeCompare(a.startedAt)),
    shells: served.flatMap(({ shell }) =>
      shell
        .shells()
        .map(({ name, kind, cwd, runningCommands }) => ({ name, kind, folder: cwd, runningCommands })),
    ),
  };
}

/**
 * The end of a process's output, or what follows a cursor.
 * @throws {CodedError} PROCESS_NOT_FOUND, INVALID_PARAMS for a cursor that is none
 */
export async function processOutput(
  parts: Pick<DashboardParts, 'services'>,
  id: string,
  cursor: string | undefined,
): Promise<ProcessOutputModel> {
  const shell = await shellOf(parts, id);
  const from = cursor === undefined || cursor === '' ? { tailChars: TAIL_CHARACTERS } : { cursor };
  const { info, ...output } = await shell.processOutput({ id, ...from, aside: true }, LOOKS);
  return {
    process: modelOf(info),
    stdout: output.stdout,
    stderr: output.stderr,
    cursor: output.cursor,
    truncated: output.truncated,
    remainingBytes: output.remainingBytes,
  };
}

/** The shell that runs a process: each access mode that is served has its own. @throws {CodedError} PROCESS_NOT_FOUND */
export async function shellOf(parts: Pick<DashboardParts, 'services'>, id: string): Promise<Shell> {
  for (const { shell } of parts.services()) {
    const found = await shell.processInfo(id).catch((error: unknown) => {
      if (error instanceof CodedError && error.code === 'PROCESS_NOT_FOUND') return undefined;
      throw error;
    });
    if (found !== undefined) return shell;
  }
  throw new CodedError(
    'PROCESS_NOT_FOUND',
    'This process is not known any more.',
    'Short commands are forgotten when they have answered.',
  );
}

/** A look belongs to no conversation and is never waited for. */
const LOOKS: CallLinks = {
  conversation: undefined,
  signal: never,
  abandoned: never,
  answerByMs: 0,
  progress: () => {},
};

function modelOf(info: ProcessInfo): ProcessModel {
  return {
    id: info.id,
    name: info.name,
    command: info.command,
    folder: info.cwd,
    shell: info.shell,
    state: info.state,
    exitCode: info.exitCode,
    signal: info.signal,
    startedAt: info.startedAt,
    durationMs: Math.round(info.durationMs),
    outputBytes: info.outputBytes,
    ports: info.ports,
    readsInput: info.readsInput,
  };
}

/** Another one when a process began or ended, or a shell came or went; cheap, no look at the system. */
export function processesSign({ services }: Pick<DashboardParts, 'services'>): string {
  return JSON.stringify(services().map(({ shell }) => shell.status()));
}
