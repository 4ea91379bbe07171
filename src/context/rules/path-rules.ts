import { realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { isSameOrInside, realPathOfExistingPart } from '../../runtime/paths.ts';
import { compileGlob } from '../../search/index.ts';
import type { Workspace } from '../../workspace/index.ts';
import { shareBytes } from '../cut-document.ts';
import { readGitHead } from '../git-head.ts';
import { type GuidanceDocument, readGuidance, SeenTexts } from '../guidance.ts';
import { readDocument, wasRead } from '../read-document.ts';
import { type Section, sectionOf } from '../workspace-text.ts';
import { parseFrontMatter } from './front-matter.ts';
import { ruleFilesIn } from './rule-files.ts';
import { ALWAYS_FILES, type Applies, RULE_KINDS, type RuleKind } from './rule-kinds.ts';

export interface PathRules {
  /** Absolute. */
  readonly path: string;
  /** Top folder from which rules were looked for. */
  readonly top: string;
  /** What holds, in the order of `text`: the general first, the nearest last. */
  readonly rules: readonly { readonly file: string; readonly because: string }[];
  /** Rule files that do not hold for this path by themselves, and when they do. */
  readonly others: readonly { readonly file: string; readonly when: string }[];
  readonly notes: readonly string[];
  readonly text: string;
  /** Calls that give what was cut. */
  readonly next: readonly string[];
}

const MAX_TEXT_BYTES = 200 * 1024;
const MAX_BYTES_PER_FILE = 60_000;
const BYTES_PER_HEADING = 700;
const MAX_OTHERS = 60;
const MAX_GLOB_LENGTH = 1000;

interface Rule {
  readonly document: GuidanceDocument;
  /** Lines of front matter, which is not shown. */
  readonly skippedLines: number;
  readonly because: string;
}

/**
 * The rules for one path: AGENTS.md and CLAUDE.md of every folder from the top down to it, `.claude/rules`,
 * `.cursor/rules` and `.github/instructions` whose globs match.
 *
 * @param path of a file or folder as a caller gives it; it need not exist
 * @throws {CodedError} what the path guard throws
 */
export async function pathRules(
  path: string,
  { workspace, signal }: { readonly workspace: Workspace; readonly signal: AbortSignal },
): Promise<PathRules> {
  const target = await targetOf(path, workspace);
  const realRoots = await Promise.all(workspace.roots.map((root) => realpath(root).catch(() => root)));
  const realTop = await realpath(target.top).catch(() => target.top);
  const inside = realRoots.some((root) => isSameOrInside(realTop, root));
  const allowedFolders = inside ? realRoots : [...realRoots, realTop];
  const seen = new SeenTexts();
  const found: Found = { rules: [], others: [], notes: [] };
  for (const folder of foldersFromTo(target.top, target.folder)) {
    signal.throwIfAborted();
    const options = { workspace, allowedFolders, maxBytesPerFile: MAX_BYTES_PER_FILE, seen };
    const guidance = await readGuidance(folder, options);
    found.notes.push(...guidance.notes);
    for (const document of guidance.documents) {
      found.rules.push({
        document,
        skippedLines: 0,
        because: `for everything in ${workspace.display(folder)}`,
      });
    }
    await addRuleFiles({ folder, target, reading: { workspace, allowedFolders, seen }, found });
  }
  const { text, next } = textOf(found.rules);
  return {
    path: target.path,
    top: target.top,
    rules: found.rules.map(({ document, because }) => ({ file: document.shown, because })),
    others: found.others.slice(0, MAX_OTHERS),
    notes: found.notes,
    text,
    next,
  };
}

interface Target {
  readonly path: string;
  readonly folder: string;
  readonly isFolder: boolean;
  readonly top: string;
}

interface Found {
  readonly rules: Rule[];
  readonly others: { file: string; when: string }[];
  readonly notes: string[];
}

async function targetOf(path: string, workspace: Workspace): Promise<Target> {
  const given = await workspace.forReading(path);
  const rootOf = (absolute: string) =>
    workspace.roots.filter((root) => isSameOrInside(absolute, root)).sort((a, b) => b.length - a.length)[0];
  // A way into the workspace through a link from elsewhere counts as what it leads to.
  const absolute = rootOf(given) === undefined ? await realPathOfExistingPart(given) : given;
  const isFolder = await stat(absolute).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  const folder = isFolder ? absolute : dirname(absolute);
  const top = rootOf(absolute) ?? (await readGitHead(folder))?.topLevel ?? folder;
  return { path: absolute, folder, isFolder, top };
}

function foldersFromTo(top: string, folder: string): string[] {
  const folders = [top];
  for (const name of relative(top, folder).split(sep)) {
    if (name !== '') folders.push(join(folders.at(-1)!, name));
  }
  return folders;
}

/** Where rule files are looked for, and what becomes of them. */
interface Scope {
  readonly folder: string;
  readonly target: Target;
  readonly reading: {
    readonly workspace: Workspace;
    readonly allowedFolders: readonly string[];
    readonly seen: SeenTexts;
  };
  readonly found: Found;
}

async function addRuleFiles(scope: Scope): Promise<void> {
  const { folder, target, reading } = scope;
  const isTop = folder === target.top;
  if (isTop) {
    for (const name of ALWAYS_FILES) await addRule(join(folder, name), () => ({ when: 'always' }), scope);
  }
  for (const kind of RULE_KINDS) {
    if (kind.topOnly && !isTop) continue;
    for (const path of await ruleFilesIn(join(folder, kind.folder), kind.name, reading.allowedFolders)) {
      await addRule(path, kind.applies, scope);
    }
  }
}

async function addRule(path: string, applies: RuleKind['applies'], scope: Scope): Promise<void> {
  const { folder, target, reading, found } = scope;
  const document = await readDocument(path, { ...reading, maxBytes: MAX_BYTES_PER_FILE });
  if (document === undefined) return;
  if (!wasRead(document)) {
    found.notes.push(`${document.shown} was not loaded: ${document.reason}.`);
    return;
  }
  const verdict = judge(applies(document.text), folder, target);
  if (!verdict.holds) {
    found.others.push({ file: document.shown, when: verdict.why });
  } else if (reading.seen.add(document) === undefined) {
    const text = parseFrontMatter(document.text).body;
    const skippedLines = document.text.slice(0, document.text.length - text.length).split('\n').length - 1;
    found.rules.push({ document: { ...document, text }, skippedLines, because: verdict.why });
  }
}

function judge(applies: Applies, folder: string, target: Target): { holds: boolean; why: string } {
  if (applies.when === 'always') return { holds: true, why: 'always' };
  if (applies.when === 'asked') {
    return { holds: false, why: `when useful: ${applies.description || 'it does not say for what'}` };
  }
  const path = relative(folder, target.path).split(sep).join('/');
  const matching = applies.globs.find((glob) => matches(glob, path));
  // For a folder only what holds for the folder itself: which globs match files in it cannot be told.
  return { holds: matching !== undefined, why: `paths ${matching ?? applies.globs.join(', ')}` };
}

/** Globs come from files of the workspace: the search's own matcher takes linear time, whatever they are. */
function matches(glob: string, path: string): boolean {
  if (glob.length > MAX_GLOB_LENGTH) return false;
  try {
    return compileGlob(glob.replace(/^(?:\.?\/)+/, ''), { dot: true }).matches(path);
  } catch {
    return false;
  }
}

function textOf(rules: readonly Rule[]): { text: string; next: string[] } {
  const room = MAX_TEXT_BYTES - rules.length * BYTES_PER_HEADING;
  const needed = rules.map(({ document }) => Buffer.byteLength(document.text));
  const shares = shareBytes(needed, Math.max(room, 0));
  const sections: Section[] = rules.map(({ document, skippedLines }, index) =>
    sectionOf(document, shares[index]!, skippedLines),
  );
  return {
    text: sections.map((section) => section.text).join('\n'),
    next: sections.flatMap((section) => section.next ?? []),
  };
}
