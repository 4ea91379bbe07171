import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isSameOrInside } from '../../runtime/paths.ts';
import { type FileRef, fileError, notADirectory, type Workspace } from '../../workspace/index.ts';
import { shareBytes, startOfText } from '../cut-document.ts';
import { readGitHead } from '../git-head.ts';
import { type GuidanceDocument, readGuidance, SeenTexts } from '../guidance.ts';
import { readDocument, wasRead } from '../read-document.ts';
import { pathRules } from '../rules/path-rules.ts';
import { headingOf, sectionOf } from '../workspace-text.ts';
import { countLanguages, type LanguageShare } from './languages.ts';
import { ecosystemOf, readmeAmong } from './manifests.ts';
import { sketchTree } from './sketch.ts';
import type { GitSummary, ProjectScript, ProjectSources } from './sources.ts';

export interface ProjectContextRequest {
  /** As a caller gives it; the folder that is described. */
  readonly path: string;
  /** Folder levels of the sketch; 0 leaves it out. */
  readonly maxDepth: number;
  readonly maxBytesPerFile: number;
}

export interface ProjectContextOptions extends ProjectSources {
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
}

export interface ProjectContext {
  readonly folder: string;
  readonly git: GitSummary | undefined;
  readonly languages: readonly LanguageShare[];
  readonly scripts: readonly ProjectScript[];
  /** Manifests below this folder, whose text is not in `text`. */
  readonly otherManifests: readonly string[];
  readonly notes: readonly string[];
  /** The sketch of the folder, then the documents, each under its heading. */
  readonly text: string;
  readonly documentCount: number;
  /** Calls that give what was cut; empty when nothing was. */
  readonly next: readonly string[];
}

/** Bytes of the text; with the facts beside it one result stays under 256 KiB. */
const MAX_TEXT_BYTES = 224 * 1024;
const MAX_SKETCH_BYTES = 40 * 1024;
/** Headings and marks of the documents. */
const BYTES_PER_HEADING = 700;
const MAX_DOCUMENTS = 60;
const MAX_LANGUAGES = 12;
const MAX_SCRIPTS = 80;
const MAX_OTHER_MANIFESTS = 40;
/** Files are listed and measured for at most this long; a huge or slow disk gives a part. */
const FILE_BUDGET_MS = 6000;
const GIT_BUDGET_MS = 4000;

/**
 * What one needs to know before working in a folder.
 * @throws {CodedError} FILE_NOT_FOUND, NOT_A_DIRECTORY, and what the path guard throws
 */
export async function projectContext(
  request: ProjectContextRequest,
  options: ProjectContextOptions,
): Promise<ProjectContext> {
  const { workspace, signal } = options;
  const folder = await openFolder(workspace, request.path);
  const [git, files, scripts, documents] = await Promise.all([
    gitOf(folder, options),
    filesOf(folder, request.maxDepth, options),
    orNote([], 'The scripts could not be listed', signal, () => options.listScripts?.(folder, signal)),
    documentsOf(folder, request.maxBytesPerFile, workspace, signal),
  ]);
  signal.throwIfAborted();
  const shown = workspace.display(folder);
  const layout = layoutText(files, shown, request.maxDepth);
  const body = documentText(
    documents.list,
    request.maxBytesPerFile,
    MAX_TEXT_BYTES - Buffer.byteLength(layout.text),
  );
  return {
    folder,
    git: git.value,
    languages: files.languages.slice(0, MAX_LANGUAGES),
    scripts: scripts.value.slice(0, MAX_SCRIPTS),
    otherManifests: files.otherManifests,
    notes: [git.note, files.note, scripts.note, ...documents.notes].filter((note) => note !== undefined),
    text: layout.text + body.text,
    documentCount: documents.list.length,
    next: [
      ...layout.next,
      ...body.next,
      ...(scripts.value.length > MAX_SCRIPTS ? [`list_scripts ${JSON.stringify({ path: shown })}`] : []),
    ],
  };
}

async function openFolder(workspace: Workspace, path: string): Promise<string> {
  const folder = await workspace.forReading(path);
  const file = { path: folder, shown: workspace.display(folder) };
  const stats = await stat(folder).catch(cannotRead(file));
  if (!stats.isDirectory()) throw notADirectory(file);
  return folder;
}

function cannotRead(file: FileRef) {
  return async (error: unknown): Promise<never> => {
    throw await fileError(error, file, 'read');
  };
}

interface WithNote<T> {
  readonly value: T;
  readonly note: string | undefined;
}

/** What `act` gives; a failure becomes a note, because the rest of the answer is good without it. */
async function orNote<T>(
  without: T,
  failure: string,
  signal: AbortSignal,
  act: () => Promise<T> | undefined,
): Promise<WithNote<T>> {
  try {
    return { value: (await act()) ?? without, note: undefined };
  } catch (error) {
    signal.throwIfAborted();
    return { value: without, note: `${failure}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function gitOf(
  folder: string,
  options: ProjectContextOptions,
): Promise<WithNote<GitSummary | undefined>> {
  const timeout = AbortSignal.timeout(GIT_BUDGET_MS);
  const state = await orNote(undefined, 'git status failed', options.signal, () =>
    options.gitState?.(folder, AbortSignal.any([options.signal, timeout])),
  );
  if (state.value !== undefined) return state;
  const head = await readGitHead(folder);
  const late = timeout.aborted ? 'git status took too long; call git_status.' : state.note;
  return { value: head && { branch: head.branch, commit: head.commit }, note: head && late };
}

interface Files {
  readonly paths: readonly string[];
  readonly languages: readonly LanguageShare[];
  readonly otherManifests: readonly string[];
  readonly note: string | undefined;
}

async function filesOf(folder: string, maxDepth: number, options: ProjectContextOptions): Promise<Files> {
  const deadlineMs = performance.now() + FILE_BUDGET_MS;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(FILE_BUDGET_MS)]);
  const listed = await orNote(
    { paths: [] as readonly string[], complete: false },
    'The files could not be listed',
    options.signal,
    () => options.listFiles(folder, signal),
  );
  const { paths, complete } = listed.value;
  const count = await countLanguages(folder, paths, deadlineMs, options.signal);
  const nested = paths.filter((path) => path.includes('/') && ecosystemOf(basename(path)) !== undefined);
  const byDepth = nested.sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1));
  const partly =
    complete && count.complete ? undefined : 'There are so many files that not all were counted.';
  return {
    paths: maxDepth === 0 ? [] : paths,
    languages: count.languages,
    otherManifests: byDepth.slice(0, MAX_OTHER_MANIFESTS),
    note: listed.note ?? partly,
  };
}

function layoutText(files: Files, shown: string, maxDepth: number): { text: string; next: string[] } {
  if (maxDepth === 0 || files.paths.length === 0) return { text: '', next: [] };
  const sketch = sketchTree(files.paths, maxDepth);
  const less = sketch.depth < maxDepth ? `; ${maxDepth} levels would be too long` : '';
  const heading = `--- Layout of ${shown}: ${files.paths.length} files, ${sketch.depth} levels${less} ---\n`;
  const { text, nextLine } = startOfText(sketch.text, MAX_SKETCH_BYTES);
  const isCut = sketch.omittedFolders > 0 || nextLine !== undefined;
  return {
    text: `${heading}${text}${text.endsWith('\n') ? '' : '\n'}\n`,
    next: isCut ? [`list_directory ${JSON.stringify({ path: shown })}`] : [],
  };
}

/** Whether rules stand in a folder above this one, or may hold for it by their globs. */
async function hasRulesAbove(
  realFolder: string,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<boolean> {
  const { rules, others } = await pathRules(realFolder, { workspace, signal });
  return [...rules, ...others].some(({ file }) => !isSameOrInside(workspace.resolve(file), realFolder));
}

async function documentsOf(
  folder: string,
  maxBytesPerFile: number,
  workspace: Workspace,
  signal: AbortSignal,
) {
  const unread = cannotRead({ path: folder, shown: workspace.display(folder) }); // it may be gone since it was opened
  const realFolder = await realpath(folder).catch(unread);
  const roots = await Promise.all(workspace.roots.map((root) => realpath(root).catch(() => root)));
  // Who asks for a folder elsewhere (full mode) asks for its files too, and for nothing beyond them.
  const inside = roots.some((root) => isSameOrInside(realFolder, root));
  const allowedFolders = inside ? roots : [...roots, realFolder];
  const seen = new SeenTexts();
  const guidance = await readGuidance(folder, {
    workspace,
    allowedFolders,
    maxBytesPerFile: maxBytesPerFile + 1,
    seen,
  });
  const list: GuidanceDocument[] = [...guidance.documents];
  const notes = [...guidance.notes];
  const names = (await readdir(folder).catch(unread)).sort();
  const readme = readmeAmong(names);
  const manifests = names.filter((name) => ecosystemOf(name) !== undefined);
  for (const name of readme === undefined ? manifests : [readme, ...manifests]) {
    const document = await readDocument(join(folder, name), {
      workspace,
      allowedFolders,
      maxBytes: maxBytesPerFile + 1,
    });
    if (document === undefined) continue;
    if (!wasRead(document)) notes.push(`${document.shown} was not loaded: ${document.reason}.`);
    else if (seen.add(document) === undefined) list.push(document);
  }
  if (inside && !roots.includes(realFolder) && (await hasRulesAbove(realFolder, workspace, signal))) {
    const call = `load_path_rules ${JSON.stringify({ path: workspace.display(folder) })}`;
    notes.push(`Rules from the folders above apply too: ${call}.`);
  }
  return { list, notes };
}

function documentText(
  documents: readonly GuidanceDocument[],
  maxBytesPerFile: number,
  maxBytes: number,
): { text: string; next: string[] } {
  const shown = documents.slice(0, MAX_DOCUMENTS);
  const room =
    maxBytes -
    shown.reduce((sum, document) => sum + Buffer.byteLength(headingOf(document)) + BYTES_PER_HEADING, 0);
  const needed = shown.map((document) => Math.min(Buffer.byteLength(document.text), maxBytesPerFile));
  const shares = shareBytes(needed, Math.max(room, 0));
  const sections = shown.map((document, index) => sectionOf(document, shares[index]!));
  const omitted = documents
    .slice(MAX_DOCUMENTS)
    .map(({ shown: path }) => `read_text_file ${JSON.stringify({ path })}`);
  return {
    text: sections.map((section) => section.text).join('\n'),
    next: [...sections.flatMap((section) => section.next ?? []), ...omitted],
  };
}
