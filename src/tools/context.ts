import { z } from 'zod';
import { projectContext } from '../context/index.ts';
import { projectSources } from './context-sources.ts';
import { defineTool, READS } from './define.ts';

const projectContextTool = defineTool({
  name: 'project_context',
  description:
    'Overview of a project: AGENTS.md and CLAUDE.md with imports, README, manifests and the commands they define, languages, git state, directory layout. Start here; directory_tree shows folders alone.',
  input: z.object({
    path: z.string().default('.').describe('Folder'),
    max_depth: z.int().min(0).max(10).default(3).describe('Levels of the layout, 0: none'),
    max_bytes_per_file: z.int().min(0).max(200_000).default(60_000),
  }),
  output: z.object({
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
      summary: `${found.folder}: ${summaryOf(found.languages)}, ${found.documentCount} documents${cut ? ', cut: data.next has the calls that go on' : ''}.`,
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

export const contextTools = [projectContextTool];
