import type { GitSummary, ProjectSources } from '../context/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { listScripts } from '../shell/index.ts';
import type { Services } from './services.ts';

/** More files than this are no longer listed one by one. */
const MAX_LISTED_FILES = 200_000;

/** Connects the context domain with the domains beside it. */
export function projectSources(services: Services): ProjectSources {
  return {
    async listFiles(folder, signal) {
      // The second and third name hidden files, which `**` alone leaves out.
      const pattern = '{**,.*,.*/**}';
      const found = await services.search.glob({ folder, pattern, maxResults: MAX_LISTED_FILES, signal });
      return { paths: found.paths, complete: !found.timedOut && found.total <= MAX_LISTED_FILES };
    },
    gitState: (folder, signal) => gitState(services, folder, signal),
    async listScripts(folder) {
      // What a script does stands in its manifest, whose text is part of the answer.
      return (await listScripts(folder)).map(({ name, command, source }) => ({ name, command, source }));
    },
  };
}

/** Counts changed and untracked files for the instructions (createInstructions). */
export function changeCounter(
  services: Services,
): (folder: string, signal: AbortSignal) => Promise<number | undefined> {
  return async (folder, signal) => (await statusOf(services, folder, signal)).counts.total;
}

async function statusOf({ git, workspace }: Services, folder: string, signal: AbortSignal) {
  const naming = { defaultFolder: folder, checkPath: (path: string) => workspace.forReading(path) };
  const repository = await git.open(folder, naming, signal);
  return repository.status({ limit: 0 });
}

async function gitState(
  services: Services,
  folder: string,
  signal: AbortSignal,
): Promise<GitSummary | undefined> {
  try {
    const report = await statusOf(services, folder, signal);
    const { counts, state } = report;
    return {
      branch: report.branch,
      commit: report.head,
      upstream: report.upstream,
      ahead: report.ahead,
      behind: report.behind,
      changed_files: counts.total - counts.untracked,
      untracked_files: counts.untracked,
      conflicts: counts.conflicted || undefined,
      in_progress: state?.operation,
    };
  } catch (error) {
    if (error instanceof CodedError && error.code === 'NOT_A_REPOSITORY') return undefined;
    throw error;
  }
}
