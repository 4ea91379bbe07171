import { z } from 'zod';
import { type Replaced, replaceInOrder, replaceLiteral, replaceRegex, unifiedDiff } from '../edit/index.ts';
import { editTextFile } from '../workspace/index.ts';
import { CHANGES, defineTool, type ShapeOf, type ToolAnswer, type ToolContext } from './define.ts';
import { changeOptions, count, fileToWrite, recordFields, recordShape } from './files-call.ts';

const dryRun = z.boolean().default(false).describe('Answer the diff, write nothing');

const editOutput = () =>
  z.object({
    path: z.string(),
    replacements: z.number(),
    added_lines: z.number(),
    removed_lines: z.number(),
    dry_run: z.boolean().optional(),
    sha256: z.string(),
    encoding: z.string().optional(),
    truncated: z.boolean().optional(),
    ...recordShape(),
    diff: z.string(),
  });

const editFile = defineTool({
  name: 'edit_file',
  description:
    'Replace a piece of text in a file: old_text, which must occur exactly once unless replace_all, becomes new_text. Literal text; line endings do not matter. For several places use multi_edit or apply_patch.',
  input: z.object({
    path: z.string(),
    old_text: z.string(),
    new_text: z.string(),
    replace_all: z.boolean().default(false),
    dry_run: dryRun,
    expected_sha256: z.string().optional().describe('Refuse unless the file has this SHA-256'),
  }),
  output: editOutput,
  annotations: CHANGES,
  rewindable: true,
  bulk: ['diff'],
  slim: true,
  handler: ({ old_text: oldText, new_text: newText, replace_all: replaceAll, ...call }, context) =>
    edit('edit_file', call, context, (text) => replaceLiteral(text, { oldText, newText, replaceAll })),
});

const multiEdit = defineTool({
  name: 'multi_edit',
  description:
    'Make several literal replacements in one file, in order, all or nothing; each as in edit_file, on the text that the one before left. For several files use apply_patch.',
  input: z.object({
    path: z.string(),
    edits: z
      .array(
        z.strictObject({ old_text: z.string(), new_text: z.string(), replace_all: z.boolean().optional() }),
      )
      .min(1),
    dry_run: dryRun,
  }),
  output: editOutput,
  annotations: CHANGES,
  rewindable: true,
  bulk: ['diff'],
  handler: ({ edits, ...call }, context) =>
    edit('multi_edit', call, context, (text) =>
      replaceInOrder(
        text,
        edits.map((one) => ({ oldText: one.old_text, newText: one.new_text, replaceAll: one.replace_all })),
      ),
    ),
});

const replaceRegexTool = defineTool({
  name: 'replace_regex',
  description:
    'Replace what a JavaScript regular expression matches in a file (all matches with the flag g). The replacement may use $1, $<name>, $&. For plain text use edit_file.',
  input: z.object({
    path: z.string(),
    pattern: z.string(),
    replacement: z.string(),
    flags: z.string().default('g'),
    dry_run: dryRun,
  }),
  output: editOutput,
  annotations: CHANGES,
  rewindable: true,
  bulk: ['diff'],
  handler: ({ pattern, replacement, flags, ...call }, context) =>
    edit(
      'replace_regex',
      call,
      context,
      (text) => replaceRegex(text, { pattern, replacement, flags }, context.signal),
      // As sed and Python write groups; here it is put into the file as it stands.
      /\\\d/.test(replacement) ? ' A group is $1 in the replacement; \\1 was put in as it is.' : '',
    ),
});

interface EditCall {
  readonly path: string;
  readonly dry_run: boolean;
  readonly expected_sha256?: string | undefined;
}

/** What the three have in common: read, replace, write unless it is a dry run, and show the difference. */
async function edit(
  tool: string,
  call: EditCall,
  context: ToolContext,
  replace: (text: string) => Replaced | Promise<Replaced>,
  note = '',
): Promise<ToolAnswer<ShapeOf<typeof editOutput>>> {
  const file = await fileToWrite(context.services.workspace, call.path);
  const options = {
    ...changeOptions(context, tool),
    dryRun: call.dry_run,
    expectedSha256: call.expected_sha256,
  };
  const changed = await editTextFile(file, options, async (before, encoding) => {
    const replaced = await replace(before);
    return { text: replaced.text, outcome: { before, encoding, replaced } };
  });
  const { before, encoding, replaced } = changed.outcome;
  const diff = await unifiedDiff(file.shown, before, replaced.text, replaced.regions);
  const lines = `+${diff.addedLines} −${diff.removedLines}`;
  const done = call.dry_run ? 'Would make' : 'Made';
  const unchanged = changed.changed ? '' : ' The text is the same as before.';
  return {
    summary: `${done} ${count(replaced.replacements, 'replacement')} in ${file.shown} (${lines} lines).${unchanged}${note}`,
    data: {
      path: file.shown,
      replacements: replaced.replacements,
      added_lines: diff.addedLines,
      removed_lines: diff.removedLines,
      dry_run: call.dry_run || undefined,
      sha256: changed.sha256,
      encoding: encoding === 'utf-8' ? undefined : encoding,
      truncated: diff.truncated || undefined,
      ...recordFields(options, changed.checkpointId),
      diff: diff.text,
    },
  };
}

export const editTools = [editFile, multiEdit, replaceRegexTool] as const;
