import { join } from 'node:path';
import { z } from 'zod';
import {
  type ChangedFile,
  type OpenRepository,
  pathToBytes,
  quotedNonUtf8,
  type RepoPath,
  type StatusEntry,
  type TouchedFile,
} from '../git/index.ts';
import { recordAround } from '../history/index.ts';
import { quoteBytes } from '../runtime/quoted-name.ts';
import type { Workspace } from '../workspace/index.ts';
import type { ShapeOf, ToolContext } from './define.ts';
import { recordFields } from './files-call.ts';

export const repositoryPath = z.string().optional().describe('folder in the repo');
export const fileList = z.array(z.string()).optional();

/** Opens the repository that `path` is in; without `path` the one of the first root. */
export async function openRepository(
  context: ToolContext,
  path: string | undefined,
  purpose: 'read' | 'write',
): Promise<OpenRepository> {
  const { workspace, git } = context.services;
  const checkPath = (given: string) =>
    purpose === 'read' ? workspace.forReading(given) : workspace.forWriting(given);
  const absolute = await checkPath(path ?? '.');
  return git.open(absolute, { defaultFolder: workspace.defaultRoot, checkPath }, context.signal);
}

/** The path in the repository of the file that a reading call is limited to: `file`, or a file given as `path`. */
export function limitedTo(
  repository: OpenRepository,
  file: string | undefined,
): Promise<RepoPath | undefined> {
  const given = file ?? repository.openedFile;
  return given === undefined ? Promise.resolve(undefined) : repository.resolveFile(given);
}

/** Shows paths of a repository as results give them: relative to the first root where they are under it. */
export function pathDisplay(workspace: Workspace, top: string): (path: RepoPath) => string {
  return (path) => {
    if (quotedNonUtf8(path) === undefined) {
      const shown = workspace.display(join(top, path));
      // A folder keeps its mark.
      return path.endsWith('/') && !shown.endsWith('/') ? `${shown}/` : shown;
    }
    const folder = workspace.display(top);
    const prefix = folder === '.' ? '' : `${folder}/`;
    return quoteBytes(Buffer.concat([Buffer.from(prefix), pathToBytes(path)]));
  };
}

/** A call as text that can be made as it stands. */
export function callText(tool: string, args: Record<string, unknown>): string {
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  return `${tool} ${JSON.stringify(Object.fromEntries(given))}`;
}

/** As many items as fit into so many bytes of JSON, at least one. */
export function fitting<Item>(items: readonly Item[], maxBytes: number): Item[] {
  const kept: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    if (bytes > maxBytes && kept.length > 0) break;
    kept.push(item);
  }
  return kept;
}

/** Bytes of JSON that a list in a structured result may take. */
export const MAX_LIST_BYTES = 100 * 1024;

export const changedFileShape = () =>
  z.object({
    path: z.string(),
    status: z.string(),
    old_path: z.string().optional(),
    added: z.number().nullable().optional(),
    removed: z.number().nullable().optional(),
  });

/** A list of files within bounds, shown as results show paths. */
export function shownFiles(
  files: readonly ChangedFile[],
  show: (path: RepoPath) => string,
  maxBytes = 24 * 1024,
): ShapeOf<typeof changedFileShape>[] {
  const shown = files.slice(0, 2_000).map((file) => ({
    ...file,
    path: show(file.path),
    ...(file.old_path !== undefined && { old_path: show(file.old_path) }),
  }));
  return fitting(shown, maxBytes);
}

export const stateShape = () =>
  z.object({
    operation: z.string(),
    branch: z.string().optional(),
    commit: z.string().optional(),
    step: z.number().optional(),
    total: z.number().optional(),
    next: z.string(),
  });

export const countsShape = () =>
  z.object({
    staged: z.number(),
    unstaged: z.number(),
    untracked: z.number(),
    conflicted: z.number(),
    total: z.number(),
  });

export const entryShape = () =>
  z.object({
    path: z.string(),
    status: z.string(),
    staged: z.string().optional(),
    unstaged: z.string().optional(),
    old_path: z.string().optional(),
    conflict: z.string().optional(),
    versions: z
      .object({ base: z.string().optional(), ours: z.string().optional(), theirs: z.string().optional() })
      .optional(),
    submodule: z.string().optional(),
  });

export function shownEntry(entry: StatusEntry, show: (path: RepoPath) => string): ShapeOf<typeof entryShape> {
  return {
    ...entry,
    path: show(entry.path),
    ...(entry.old_path !== undefined && { old_path: show(entry.old_path) }),
  };
}

/** "1 file", "2 files", "2 branches", "2 entries". */
export function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${/[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : /(ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`}`;
}

/** "2 staged, 1 untracked", or "clean". */
export function countsText(counts: ShapeOf<typeof countsShape>): string {
  const words = (['conflicted', 'staged', 'unstaged', 'untracked'] as const)
    .filter((key) => counts[key] > 0)
    .map((key) => `${counts[key]} ${key}`);
  return words.length === 0 ? 'clean' : words.join(', ');
}

/** " (ahead 1, behind 2 of origin/main)", " (level with …)", or "". */
export function trackingText(of: { upstream?: string; ahead?: number; behind?: number }): string {
  if (of.upstream === undefined) return '';
  if (of.ahead === undefined || of.behind === undefined) return ` (upstream ${of.upstream} is gone)`;
  if (of.ahead === 0 && of.behind === 0) return ` (level with ${of.upstream})`;
  return ` (${[of.ahead && `ahead ${of.ahead}`, of.behind && `behind ${of.behind}`].filter(Boolean).join(', ')} of ${of.upstream})`;
}

/**
 * Runs an operation of git that overwrites or removes files which no commit holds, with what stands there recorded for
 * rewind.
 */
export async function recordedRun<Result>(
  context: ToolContext,
  tool: string,
  touched: readonly TouchedFile[],
  run: () => Promise<Result>,
): Promise<{ result: Result; record: ReturnType<typeof recordFields> }> {
  const recorder = context.services.recordChanges?.(tool, context.conversation);
  const paths = touched.flatMap(({ absolute }) => absolute ?? []);
  const result = await recordAround(recorder, paths, context.signal, run);
  return { result, record: recordFields({ recorder }, recorder?.outcome().checkpointId) };
}
