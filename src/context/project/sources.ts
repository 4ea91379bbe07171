/**
 * What the context domain gets from the search, git and shell domains. Each may fail or be slow: then the answer
 * says so and has the rest.
 */
export interface ProjectSources {
  /** The files below a folder, ignore rules applied, `/`-separated and relative to it. */
  readonly listFiles: (
    folder: string,
    signal: AbortSignal,
  ) => Promise<{ readonly paths: readonly string[]; readonly complete: boolean }>;
  /** State of the repository in one sentence's worth of facts; undefined outside of one. */
  readonly gitState?: (folder: string, signal: AbortSignal) => Promise<GitSummary | undefined>;
  /** The commands that the project defines: name, the command line that runs it, the file it stands in. */
  readonly listScripts?: (folder: string, signal: AbortSignal) => Promise<readonly ProjectScript[]>;
}

export interface GitSummary {
  readonly branch: string | undefined;
  readonly commit: string | undefined;
  readonly upstream?: string | undefined;
  readonly ahead?: number | undefined;
  readonly behind?: number | undefined;
  readonly changed_files?: number | undefined;
  readonly untracked_files?: number | undefined;
  readonly conflicts?: number | undefined;
  /** A merge, rebase or the like that waits to be finished. */
  readonly in_progress?: string | undefined;
}

export interface ProjectScript {
  readonly name: string;
  readonly command: string;
  readonly source: string;
}
