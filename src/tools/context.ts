import { z } from 'zod';
import { pathRules, projectContext, remember } from '../context/index.ts';
import { outlineTools } from './context-outline.ts';
import { projectSources } from './context-sources.ts';
import { ADDS, defineTool, READS } from './define.ts';
import { count, inSentence, startingSentence } from './files-call.ts';

const projectContextTool = defineTool({
  name: 'project_context',
  description:
    'Overview of a project: AGENTS.md and CLAUDE.md with imports, README, manifests and the commands they define, languages, git state, directory layout. Start here; directory_tree shows folders alone.',
  input: z.object({
    path: z.string().default('.').describe('Folder'),
    max_depth: z.int().min(0).max(10).default(3).describe('Levels of the layout, 0: none'),
    max_bytes_per_file: z.int().min(0).max(200_000).default(60_000),
  }),
  output: () =>
    z.object({
      folder: z.string(),
      git: z.record(z.string(), z.union([z.string(), z.number()])).nullable(),
      languages: z.array(z.object({ language: z.string(), bytes: z.number(), files: z.number() })),
      scripts: z.array(z.object({ name: z.string(), command: z.string(), source: z.string() })),
      other_manifests: z.array(z.string()),
      notes: z.array(z.string()),
      truncated: z.boolean(),
      next: z.array(z.string()).describe('Calls that give what was cut'),
      context: z.string(),
    }),
  annotations: READS,
  bulk: ['context'],
  slim: true,
  async handler(input, { services, signal }) {
    const found = await projectContext(
      { path: input.path, maxDepth: input.max_depth, maxBytesPerFile: input.max_bytes_per_file },
      { workspace: services.workspace, signal, ...projectSources(services) },
    );
    const cut = found.next.length > 0;
    return {
      summary: `${startingSentence(found.folder)}: ${summaryOf(found.languages)}, ${count(found.documentCount, 'document')}${cut ? ', cut: data.next has the calls that go on' : ''}.`,
      data: {
        folder: found.folder,
        git: found.git === undefined ? null : withoutUndefined(found.git),
        languages: [...found.languages],
        scripts: [...found.scripts],
        other_manifests: [...found.otherManifests],
        notes: [...found.notes],
        truncated: cut,
        next: [...found.next],
        context: found.text,
      },
    };
  },
});

function summaryOf(languages: readonly { readonly language: string }[]): string {
  const names = languages.slice(0, 3).map(({ language }) => language);
  return names.length === 0 ? 'no source files' : names.join(', ');
}

function withoutUndefined(record: object): Record<string, string | number> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

const loadPathRulesTool = defineTool({
  name: 'load_path_rules',
  description:
    'Rules and conventions for one file or folder: AGENTS.md and CLAUDE.md of every folder above it, .claude/rules, .cursor/rules, Copilot instructions. For the whole project use project_context.',
  input: z.object({ path: z.string().describe('File (may not exist yet) or folder') }),
  output: () =>
    z.object({
      path: z.string(),
      rules: z.array(z.object({ file: z.string(), because: z.string() })),
      others: z
        .array(z.object({ file: z.string(), when: z.string() }))
        .describe('Not for this path by themselves'),
      notes: z.array(z.string()),
      truncated: z.boolean(),
      next: z.array(z.string()),
      text: z.string(),
    }),
  annotations: READS,
  bulk: ['text'],
  async handler({ path }, { services, signal }) {
    const { workspace } = services;
    const found = await pathRules(path, { workspace, signal });
    const shown = workspace.display(found.path);
    const cut = found.next.length > 0;
    const none = `No rules for ${inSentence(shown)} between ${inSentence(workspace.display(found.top))} and it.`;
    return {
      summary:
        found.rules.length === 0
          ? none
          : `${count(found.rules.length, 'rule file')} for ${inSentence(shown)}${cut ? ', cut: data.next has the calls that go on' : ''}.`,
      data: {
        path: shown,
        rules: [...found.rules],
        others: [...found.others],
        notes: [...found.notes],
        truncated: cut,
        next: [...found.next],
        text: found.text,
      },
    };
  },
});

const rememberTool = defineTool({
  name: 'remember',
  description:
    "Save a note for later conversations: appended to the Memory section of the workspace root's AGENTS.md, which every new conversation reads. For other changes use edit_file.",
  input: z.object({ note: z.string() }),
  output: () =>
    z.object({
      path: z.string(),
      line: z.number(),
      added: z.boolean(),
      checkpoint_id: z.string().optional(),
    }),
  annotations: ADDS,
  async handler({ note }, { services, signal, conversation }) {
    const recorder = services.recordChanges?.('remember', conversation);
    const saved = await remember(note, services.workspace, { signal, recorder });
    const { path, line, added, checkpointId } = saved;
    const how = saved.created ? `Created ${path} with the note.` : `Saved the note in ${path}, line ${line}.`;
    return {
      summary: added ? how : `${path} has this note already, line ${line}; nothing was changed.`,
      data: { path, line, added, ...(checkpointId !== undefined && { checkpoint_id: checkpointId }) },
    };
  },
});

export const contextTools = [projectContextTool, loadPathRulesTool, rememberTool, ...outlineTools];
