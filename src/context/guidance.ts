import { dirname, isAbsolute, join, resolve } from 'node:path';
import { homeFolder, isWindows } from '../runtime/platform.ts';
import type { Workspace } from '../workspace/index.ts';
import { hasOnlyImports, importsIn } from './claude-imports.ts';
import { readDocument, type TextDocument, type UnreadDocument, wasRead } from './read-document.ts';

/** The files in which a project tells agents how to work on it, in the order in which they are read. */
const GUIDANCE_FILES = ['AGENTS.md', 'CLAUDE.md', '.claude/CLAUDE.md', 'CLAUDE.local.md'];
/** Files that import files that import files …: as deep as Claude Code follows. */
const MAX_IMPORT_DEPTH = 5;
const MAX_DOCUMENTS = 50;
/** Words with an @ that are looked up on disk, per file. */
const MAX_IMPORTS_PER_FILE = 50;

export interface GuidanceDocument extends TextDocument {
  /** The shown path of the CLAUDE.md that imports it. */
  readonly importedBy?: string;
}

export interface Guidance {
  /** No text twice: neither one file under two names, nor two files with the same text. */
  readonly documents: readonly GuidanceDocument[];
  /** What is there and was left out on purpose, one sentence each. */
  readonly notes: readonly string[];
}

export interface GuidanceOptions {
  readonly workspace: Workspace;
  /** Real, absolute folders out of which neither links nor imports lead. */
  readonly allowedFolders: readonly string[];
  readonly maxBytesPerFile: number;
  /** Shared between several calls whose results go into one answer. */
  readonly seen?: SeenTexts;
}

/** What an answer holds already, so that it says nothing twice. */
export class SeenTexts {
  readonly #realPaths = new Map<string, string>();
  readonly #texts = new Map<string, string>();

  /**
   * Takes note of a document.
   * @returns the shown path under which the same file or text was added before, else undefined
   */
  add(document: TextDocument): string | undefined {
    const text = document.text.replaceAll('\r\n', '\n').trim();
    const before = this.#realPaths.get(document.realPath) ?? this.#texts.get(text);
    if (before !== undefined) return before;
    this.#realPaths.set(document.realPath, document.shown);
    if (text !== '') this.#texts.set(text, document.shown);
    return undefined;
  }
}

/** AGENTS.md and CLAUDE.md of one folder, with what they import. */
export async function readGuidance(folder: string, options: GuidanceOptions): Promise<Guidance> {
  const seen = options.seen ?? new SeenTexts();
  const documents: GuidanceDocument[] = [];
  const notes: string[] = [];
  const read = (path: string) => readDocument(path, { ...options, maxBytes: options.maxBytesPerFile });
  const take = (document: TextDocument | UnreadDocument | undefined, importedBy?: string) => {
    if (document === undefined) return undefined;
    if (!wasRead(document)) {
      notes.push(`${document.shown} was not loaded: ${document.reason}.`);
      return undefined;
    }
    const before = seen.add(document);
    if (before !== undefined) {
      if (before !== document.shown && importedBy === undefined) {
        notes.push(`${document.shown} has the same text as ${before}.`);
      }
      return undefined;
    }
    const taken = importedBy === undefined ? document : { ...document, importedBy };
    documents.push(taken);
    return taken;
  };

  const expanded = new Set<string>();
  let level: GuidanceDocument[] = [];
  for (const document of await Promise.all(GUIDANCE_FILES.map((name) => read(join(folder, name))))) {
    const taken = take(document);
    // An import is a notation of CLAUDE.md; in AGENTS.md an @ is just an @, unless a CLAUDE.md imports it.
    if (taken && !taken.path.endsWith('AGENTS.md')) level.push(taken);
  }
  for (let depth = 0; depth < MAX_IMPORT_DEPTH && level.length > 0; depth++) {
    const next: GuidanceDocument[] = [];
    for (const document of level) {
      expanded.add(document.realPath);
      const paths = importsIn(document.text).slice(0, MAX_IMPORTS_PER_FILE);
      const imported = await Promise.all(paths.map((path) => readImport(path, document, read)));
      for (const found of imported) {
        if (documents.length >= MAX_DOCUMENTS) break;
        const taken = take(found, document.shown) ?? documents.find((known) => isSameFile(known, found));
        if (taken && !expanded.has(taken.realPath)) next.push(taken);
      }
    }
    level = next;
  }
  return { documents: documents.filter((document) => !onlyImports(document)), notes };
}

function isSameFile(known: GuidanceDocument, found: TextDocument | UnreadDocument | undefined): boolean {
  return wasRead(found) && known.realPath === found.realPath;
}

function onlyImports(document: GuidanceDocument): boolean {
  const text = document.text.trim();
  return text === '' || (text.includes('@') && hasOnlyImports(text));
}

async function readImport(
  path: string,
  importer: TextDocument,
  read: (path: string) => Promise<TextDocument | UnreadDocument | undefined>,
): Promise<TextDocument | UnreadDocument | undefined> {
  // Merely looking at a network path on Windows hands the user's credentials to that machine.
  if (isWindows && /^[\\/]{2}/.test(path)) return undefined;
  const found = await read(importedPath(path, importer));
  // "@docs/style.md." at the end of a sentence; but a file may be called so, and then it is that file.
  const trimmed = path.replace(/[.,;:!?]+$/, '');
  return found ?? (trimmed === path || trimmed === '' ? undefined : read(importedPath(trimmed, importer)));
}

function importedPath(path: string, importer: TextDocument): string {
  if (/^~[/\\]/.test(path)) return join(homeFolder(), path.slice(2));
  return isAbsolute(path) ? resolve(path) : resolve(dirname(importer.path), path);
}
