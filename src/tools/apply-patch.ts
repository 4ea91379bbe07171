import { z } from 'zod';
import { type FileReport, type PatchPlan, parsePatch, planPatch } from '../patch/index.ts';
import { CodedError } from '../runtime/errors.ts';
import { withFileLocks } from '../workspace/index.ts';
import { PatchFiles, patchPlace } from './apply-patch-files.ts';
import { CHANGES, defineTool } from './define.ts';
import { changeOptions, count, recordFields, recordShape } from './files-call.ts';
import { fitting } from './git-common.ts';

/** Together below the bound of one result. */
const MAX_DIFF_BYTES = 96 * 1024;
const MAX_FILES_BYTES = 96 * 1024;
/** Hunks of one file that are listed one by one. */
const MAX_HUNKS = 50;

const output = () =>
  z.object({
    format: z.string(),
    files: z.array(
      z.object({
        path: z.string(),
        new_path: z.string().optional(),
        status: z.string(),
        mode: z.string().optional(),
        added_lines: z.number(),
        removed_lines: z.number(),
        hunks: z.array(z.object({ line: z.number(), level: z.string() })),
        more_hunks: z.number().optional(),
      }),
    ),
    more_files: z.number().optional(),
    dry_run: z.boolean().optional(),
    truncated: z.boolean().optional(),
    ...recordShape(),
    diff: z.string(),
  });

export const applyPatch = defineTool({
  name: 'apply_patch',
  description:
    'Apply a patch (unified diff, git diff, or *** Begin Patch) to one or many files: create, edit, rename, delete; all or nothing. Hunks are found by their lines, numbers are hints. For one replacement use edit_file.',
  input: z.object({
    patch: z.string(),
    path: z
      .string()
      .optional()
      .describe('Folder that its names are relative to; file of hunks without a name'),
    dry_run: z.boolean().default(false),
  }),
  output,
  annotations: CHANGES,
  rewindable: true,
  bulk: ['diff'],
  slim: true,
  async handler({ patch, path, dry_run: dryRun }, context) {
    const { workspace, stateDir } = context.services;
    const place = await patchPlace(workspace, path);
    const { defaultPath } = place;
    const files = new PatchFiles(workspace, place);
    const { signal, recorder } = changeOptions(context, 'apply_patch');
    const names = parsePatch(patch).files.flatMap((file) => [
      file.path === '' ? (defaultPath ?? []) : file.path,
      file.newPath ?? [],
      file.unstrippedPath ?? [],
    ]);
    // Locked from before the files are read: of two patches at once the second sees what the first one left.
    return withFileLocks(await files.lockPaths(names.flat()), context.signal, async () => {
      const plan = await planPatch(patch, (name) => files.read(name), {
        ...(defaultPath !== undefined && { defaultPath }),
        signal: context.signal,
      });
      let checkpointId: string | undefined;
      if (dryRun) files.commits(plan);
      else checkpointId = await files.commit(plan, { stateDir, recorder, signal: signal ?? context.signal });
      return answer(plan, files, dryRun, recordFields({ recorder }, checkpointId));
    }).catch((error: unknown) => {
      throw saidWithout(error);
    });
  },
});

function answer(
  plan: PatchPlan,
  files: PatchFiles,
  dryRun: boolean,
  record: ReturnType<typeof recordFields>,
) {
  const listed = fitting(
    plan.reports.map((report) => reported(report, files)),
    MAX_FILES_BYTES,
  );
  const diff = diffText(plan.reports, files);
  const more = plan.reports.length - listed.length;
  const notes = [
    looseNote(plan.reports, files),
    record.not_recorded && `Not recorded for rewind: ${record.not_recorded}.`,
  ];
  return {
    summary: [`${dryRun ? 'Would apply' : 'Applied'} the patch: ${statusText(plan.reports)}.`, ...notes]
      .filter(Boolean)
      .join(' '),
    data: {
      format: plan.format,
      files: listed,
      more_files: more > 0 ? more : undefined,
      dry_run: dryRun || undefined,
      truncated: diff.truncated || more > 0 || undefined,
      ...record,
      diff: diff.text,
    },
  };
}

function reported(report: FileReport, files: PatchFiles) {
  const more = report.hunks.length - MAX_HUNKS;
  return {
    path: files.shown(report.path),
    new_path: report.newPath === undefined ? undefined : files.shown(report.newPath),
    status: report.status,
    mode: report.mode,
    added_lines: report.addedLines,
    removed_lines: report.removedLines,
    hunks: report.hunks.slice(0, MAX_HUNKS).map(({ line, level }) => ({ line, level })),
    more_hunks: more > 0 ? more : undefined,
  };
}

/** `2 files updated, 1 created`. */
function statusText(reports: readonly FileReport[]): string {
  const counts = new Map<string, number>();
  for (const { status } of reports) counts.set(status, (counts.get(status) ?? 0) + 1);
  const parts = [...counts].map(([status, number], index) =>
    index === 0 ? `${count(number, 'file')} ${status}` : `${number} ${status}`,
  );
  const added = reports.reduce((sum, report) => sum + report.addedLines, 0);
  const removed = reports.reduce((sum, report) => sum + report.removedLines, 0);
  return `${parts.join(', ')} (+${added} −${removed} lines)`;
}

/** Whether lines were added beside others whose indentation the patch has differently, tabs for spaces perhaps. */
function addsWithoutIndentation({ addedLines, hunks }: FileReport): boolean {
  return addedLines > 0 && hunks.some(({ level }) => level !== 'exact' && level !== 'trailing-whitespace');
}

/** Says aloud where a hunk was found although its lines are not exactly those of the file. */
function looseNote(reports: readonly FileReport[], files: PatchFiles): string | undefined {
  const loose = reports.flatMap((report) =>
    report.hunks
      .filter(({ level }) => level !== 'exact')
      .map(({ line, level }) => `${files.shown(report.newPath ?? report.path)}:${line} (${level})`),
  );
  if (loose.length === 0) return undefined;
  const shown = loose.slice(0, 5).join(', ');
  const more = loose.length > 5 ? ` and ${loose.length - 5} more` : '';
  const matched = loose.length === 1 ? '1 hunk matched' : `${loose.length} hunks matched`;
  const kept = reports.some(addsWithoutIndentation)
    ? "lines that stay are the file's own, added ones are as in the patch: check their indentation"
    : "the file's own text was kept";
  return `${matched} only with differences ignored: ${shown}${more}; ${kept}.`;
}

function diffText(reports: readonly FileReport[], files: PatchFiles): { text: string; truncated: boolean } {
  const parts: string[] = [];
  let bytes = 0;
  const withDiff = reports.filter(({ diff }) => diff !== '');
  for (const [index, report] of withDiff.entries()) {
    const from = report.status === 'created' ? '/dev/null' : files.shown(report.path);
    const to = report.status === 'deleted' ? '/dev/null' : files.shown(report.newPath ?? report.path);
    const part = `--- ${from}\n+++ ${to}\n${report.diff}\n`;
    bytes += Buffer.byteLength(part);
    if (bytes > MAX_DIFF_BYTES) {
      parts.push(
        `… the diffs of ${count(withDiff.length - index, 'file')} are not shown; git_diff shows them\n`,
      );
      return { text: parts.join(''), truncated: true };
    }
    parts.push(part);
  }
  return { text: parts.join(''), truncated: false };
}

/** Every refusal says that nothing was changed; errors of the workspace layer say it in their own words. */
function saidWithout(error: unknown): unknown {
  if (!(error instanceof CodedError) || /nothing was (changed|written)/i.test(error.message)) return error;
  if (error.code === 'INTERNAL_ERROR') return error;
  return new CodedError(error.code, `Nothing was changed. ${error.message}`, error.hint, {
    ...error.details,
  });
}
