import { z } from 'zod';
import { type DirectoryEntry, directoryTree, listDirectory, makeDirectory } from '../workspace/index.ts';
import { ADDS, defineTool, READS, type ShapeOf } from './define.ts';
import { count, fileToRead, fileToWrite, startingSentence } from './files-call.ts';

/** Entries of one answer, and bytes of their JSON: names may be long. */
const MAX_ENTRIES = 1_000;
const MAX_LIST_BYTES = 200 * 1024;
const MAX_TREE_BYTES = 200 * 1024;

const entrySchema = () =>
  z.object({
    name: z.string(),
    type: z.string(),
    size: z.number().optional(),
    mtime: z.string().optional(),
    target: z.string().optional(),
  });

const listDirectoryTool = defineTool({
  name: 'list_directory',
  description:
    'List the entries of a directory with type, size and modification time. For nested folders use directory_tree, to find files by name glob.',
  input: z.object({
    path: z.string().default('.'),
    ignore: z.array(z.string()).optional().describe('Leave these out, as in .gitignore'),
    offset: z.number().int().min(0).default(0).describe('Skip this many entries'),
  }),
  output: () =>
    z.object({
      path: z.string(),
      entries: z.array(entrySchema()),
      total: z.number(),
      truncated: z.boolean(),
      next: z.looseObject({ offset: z.number() }).optional(),
    }),
  annotations: READS,
  bulk: [],
  slim: true,
  async handler({ path, ignore: patterns, offset }, { services, signal }) {
    const folder = await fileToRead(services.workspace, path);
    const isIgnored = await ignoredBy(patterns ?? []);
    const listing = await listDirectory(folder, { offset, limit: MAX_ENTRIES }, isIgnored, signal);
    const entries = withinBytes(listing.entries.map(shownEntry));
    const end = offset + entries.length;
    const truncated = end < listing.total;
    const part = truncated || offset > 0 ? ` (${offset + 1}–${end} shown)` : '';
    return {
      summary: `${startingSentence(folder.shown)} has ${listing.total} ${listing.total === 1 ? 'entry' : 'entries'}${part}.`,
      data: {
        path: folder.shown,
        entries,
        total: listing.total,
        truncated,
        next: truncated ? { path: folder.shown, ignore: patterns, offset: end } : undefined,
      },
    };
  },
});

async function ignoredBy(patterns: readonly string[]): Promise<(name: string) => boolean> {
  if (patterns.length === 0) return () => false;
  const { default: ignore } = await import('ignore');
  const rules = ignore().add(patterns);
  return (name) => rules.ignores(name);
}

function shownEntry(entry: DirectoryEntry): ShapeOf<typeof entrySchema> {
  return {
    name: entry.name,
    type: entry.type,
    size: entry.sizeBytes,
    mtime: entry.modified?.toISOString(),
    target: entry.target,
  };
}

function withinBytes<T>(entries: readonly T[]): T[] {
  const kept: T[] = [];
  let bytes = 0;
  for (const entry of entries) {
    bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (bytes > MAX_LIST_BYTES && kept.length > 0) break;
    kept.push(entry);
  }
  return kept;
}

const directoryTreeTool = defineTool({
  name: 'directory_tree',
  description:
    'Show the folders and files below a directory as nested JSON, without what .gitignore excludes. A file is its name, a directory {"name/": [...]}, … is left out. For one level with sizes use list_directory.',
  input: z.object({
    path: z.string().default('.'),
    max_depth: z.number().int().min(1).max(100).default(4),
  }),
  output: () =>
    z.object({
      path: z.string(),
      files: z.number(),
      directories: z.number(),
      unopened: z.array(z.string()).optional(),
      unopened_count: z.number().optional(),
      truncated: z.boolean(),
      next: z.object({ path: z.string(), max_depth: z.number() }).optional(),
      tree: z.string(),
    }),
  annotations: READS,
  bulk: ['tree'],
  async handler({ path, max_depth: maxDepth }, { services, signal }) {
    const folder = await fileToRead(services.workspace, path);
    const hides = await services.workspace.hiddenBelow(folder.path);
    const tree = await directoryTree(folder, { maxDepth, maxBytes: MAX_TREE_BYTES }, signal, hides);
    const [first] = tree.unopened;
    const below = (name: string) =>
      folder.shown === '.' ? name : name === '.' ? folder.shown : `${folder.shown}/${name}`;
    const cut = tree.truncated ? ' The tree is cut at its size limit.' : '';
    const deeper =
      tree.unopened.length > 0 ? ` ${count(tree.unopened.length, 'folder')} not shown in full.` : '';
    // What is not shown was not counted either.
    const shown = tree.truncated || tree.unopened.length > 0 ? ' shown' : '';
    return {
      summary: `${startingSentence(folder.shown)}: ${count(tree.files, 'file')} in ${count(tree.directories + 1, 'folder')}${shown}.${cut}${deeper}`,
      data: {
        path: folder.shown,
        files: tree.files,
        directories: tree.directories,
        unopened: tree.unopened.length > 0 ? tree.unopened.slice(0, 20).map(below) : undefined,
        unopened_count: tree.unopened.length || undefined,
        truncated: tree.truncated,
        next: first === undefined ? undefined : { path: below(first), max_depth: maxDepth },
        tree: JSON.stringify(tree.nodes),
      },
    };
  },
});

const createDirectory = defineTool({
  name: 'create_directory',
  description: 'Create a directory (folder) and the missing ones above it; one that exists is fine.',
  input: z.object({ path: z.string() }),
  output: () => z.object({ path: z.string(), created: z.boolean() }),
  annotations: ADDS,
  async handler({ path }, { services }) {
    const folder = await fileToWrite(services.workspace, path);
    const created = await makeDirectory(folder);
    return {
      summary: created
        ? `Created the directory ${folder.shown}.`
        : `The directory ${folder.shown} exists already.`,
      data: { path: folder.shown, created },
    };
  },
});

const listAllowedDirectories = defineTool({
  name: 'list_allowed_directories',
  description: 'List the workspace roots (the folders served) and the access mode.',
  input: z.object({}),
  output: () => z.object({ roots: z.array(z.string()), access_mode: z.string() }),
  annotations: READS,
  async handler(_input, { services: { workspace } }) {
    return {
      summary: `${workspace.roots.join(', ')} in ${workspace.accessMode} mode.`,
      data: { roots: [...workspace.roots], access_mode: workspace.accessMode },
    };
  },
});

export const treeTools = [
  listDirectoryTool,
  directoryTreeTool,
  createDirectory,
  listAllowedDirectories,
] as const;
