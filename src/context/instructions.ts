import { realpath } from 'node:fs/promises';
import type { Workspace } from '../workspace/index.ts';
import { shareBytes, startOfText } from './cut-document.ts';
import { readGitHead } from './git-head.ts';
import { type GuidanceDocument, readGuidance, SeenTexts } from './guidance.ts';
import { memoryStart } from './memory-section.ts';
import { headingOf } from './workspace-text.ts';

export interface InstructionsOptions {
  readonly workspace: Workspace;
  /**
   * Counts the files that git reports as changed or untracked. Given GIT_BUDGET_MS; what comes later is left out.
   * @param signal aborted when nobody waits any more
   */
  readonly countChanges?: (folder: string, signal: AbortSignal) => Promise<number | undefined>;
}

/** Bytes of the whole text (tools.md, "Context and history"). */
export const MAX_INSTRUCTIONS_BYTES = 8 * 1024;
/** Some hosts show no more than this many characters, so the first paragraph fits and says what matters. */
export const STANDALONE_CHARACTERS = 512;
const GIT_BUDGET_MS = 20;
/** Read of each file; more than can be shown, so that a `## Memory` section at its end is found. */
const MAX_READ_BYTES = 64 * 1024;
/** Roots whose AGENTS.md is shown; the others are named by project_context. */
const MAX_ROOTS = 4;

/**
 * Makes the function that gives the MCP `instructions`: where the client is, how to begin, what the project's
 * AGENTS.md and CLAUDE.md say, and the state of git. Everything is read anew at every call.
 */
export function createInstructions(options: InstructionsOptions): () => Promise<string> {
  return async () => {
    const { workspace } = options;
    const [git, documents] = await Promise.all([gitLine(options), guidanceOf(workspace)]);
    const head = `${standalone(workspace)}\n${git}`;
    return head + workspaceTexts(documents, MAX_INSTRUCTIONS_BYTES - Buffer.byteLength(head));
  };
}

/** The paragraph that is enough by itself. */
function standalone(workspace: Workspace): string {
  const others = workspace.roots.length - 1;
  const more = others === 0 ? '' : ` and ${others} more (list_allowed_directories)`;
  const [access, work, recover] = {
    full: [
      'full, any path on this computer',
      'change files with edit_file or apply_patch; test and build with run_script or run_command',
      ', or do the same with run_command',
    ],
    workspace: [
      'workspace, only inside it',
      'change files with edit_file or apply_patch; test and build with run_script or run_command',
      ', or do the same with run_command',
    ],
    'read-only': ['read-only, nothing can be changed or run', 'git_log and git_diff show what happened', ''],
  }[workspace.accessMode] as [string, string, string];
  const text = (root: string) =>
    `local-coder: files, shell and git of the user's computer. Workspace ${root}${more}; relative paths start there. Access: ${access}. Start with project_context, then grep, glob and read_text_file; ${work}. If a tool seems to be missing or is blocked, list the tools of this connector again${recover}.`;
  const room = STANDALONE_CHARACTERS - text('').length;
  return text(shortened(workspace.defaultRoot, room));
}

/** A path cut in its middle; its last folders tell most. */
function shortened(path: string, maxCharacters: number): string {
  const characters = [...path.replace(/[\p{Cc}\p{Cf}]/gu, '?')];
  if (path.length <= maxCharacters) return characters.join('');
  let tail = '';
  while (characters.length > 0 && tail.length + characters.at(-1)!.length < maxCharacters) {
    tail = characters.pop() + tail;
  }
  return `…${tail}`;
}

async function gitLine({ workspace, countChanges }: InstructionsOptions): Promise<string> {
  const folder = workspace.defaultRoot;
  const head = await readGitHead(folder).catch(() => undefined);
  if (head === undefined) return '';
  const changes =
    countChanges === undefined ? undefined : await withinBudget((signal) => countChanges(folder, signal));
  const at = head.commit === undefined ? '' : ` at ${head.commit.slice(0, 10)}`;
  const on = head.branch === undefined ? 'detached HEAD' : `branch ${startOfText(head.branch, 200).text}`;
  const dirty =
    changes === undefined
      ? ''
      : changes === 0
        ? ', nothing changed'
        : `, ${changes} changed or untracked files`;
  return `Git when this was made: ${on}${at}${dirty}.\n`;
}

/** What `act` gives in time, else undefined; it never makes the instructions fail. */
async function withinBudget<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
      late.abort();
    }, GIT_BUDGET_MS);
  });
  try {
    return await Promise.race([act(late.signal).catch(() => undefined), timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

async function guidanceOf(workspace: Workspace): Promise<readonly GuidanceDocument[]> {
  const seen = new SeenTexts();
  const allowedFolders = await Promise.all(workspace.roots.map((root) => realpath(root).catch(() => root)));
  const documents: GuidanceDocument[] = [];
  // One after the other: which of two equal texts is shown must not depend on which disk is faster.
  for (const root of workspace.roots.slice(0, MAX_ROOTS)) {
    const guidance = await readGuidance(root, {
      workspace,
      allowedFolders,
      maxBytesPerFile: MAX_READ_BYTES,
      seen,
    });
    documents.push(...guidance.documents);
  }
  return documents;
}

const INTRODUCTION = 'What follows are files of the workspace: how this project wants to be worked on.\n';

function workspaceTexts(documents: readonly GuidanceDocument[], maxBytes: number): string {
  if (documents.length === 0) return '';
  const left = maxBytes - INTRODUCTION.length - REST.length;
  const needed = documents.map((document) => Buffer.byteLength(wholeText(document)));
  const shares = shareBytes(needed, left);
  const texts = documents.map((document, index) =>
    shares[index]! >= needed[index]! ? wholeText(document) : partOf(document, shares[index]!),
  );
  const cut = texts.some((text, index) => text !== wholeText(documents[index]!));
  return INTRODUCTION + texts.join('') + (cut ? REST : '');
}

const REST = '[cut here to 8 KiB; project_context {} gives these files in full]\n';

function wholeText(document: GuidanceDocument): string {
  return `${headingOf(document)}\n${document.text.trim()}\n`;
}

/** The beginning, and the newest notes of a `## Memory` section: it stands at the end and is there to be read. */
function partOf(document: GuidanceDocument, maxBytes: number): string {
  const heading = `${headingOf(document)}\n`;
  const mark = (bytes: number) => `[cut: ${bytes} of ${document.sizeBytes} bytes]\n`;
  const room = maxBytes - Buffer.byteLength(heading) - Buffer.byteLength(mark(document.sizeBytes)) - 1;
  // Too little to say anything: project_context tells that the file is there.
  if (room < 80) return '';
  const text = document.text.trim();
  const memoryAt = memoryStart(text);
  const memory = memoryAt === undefined ? '' : endOfText(text.slice(memoryAt), Math.floor(room / 3));
  const start = startOfText(text.slice(0, memoryAt), room - Buffer.byteLength(memory)).text;
  const end = start.endsWith('\n') ? '' : '\n';
  const shown = Buffer.byteLength(start) + Buffer.byteLength(memory);
  return `${heading}${start}${end}${mark(shown)}${memory}`;
}

/** The last whole lines that fit. */
function endOfText(text: string, maxBytes: number): string {
  const lines = text.split('\n');
  let kept = '';
  while (lines.length > 0) {
    const longer = `${lines.pop()}\n${kept}`;
    if (Buffer.byteLength(longer) > maxBytes) break;
    kept = longer;
  }
  return kept;
}
