/** The public face of the context domain: what a project says about itself. */
import type { FindSymbolOptions, FindSymbolRequest, FoundSymbols } from './outline/find-symbol.ts';
import type { OutlineOptions, OutlineReport, OutlineRequest } from './outline/outline.ts';

export { shareBytes, startOfText, type TextStart } from './cut-document.ts';
export { createInstructions, type InstructionsOptions } from './instructions.ts';
export type {
  FindSymbolOptions,
  FindSymbolRequest,
  FoundSymbol,
  FoundSymbols,
} from './outline/find-symbol.ts';
export type { OutlineOptions, OutlineReport, OutlineRequest } from './outline/outline.ts';
export {
  type ProjectContext,
  type ProjectContextOptions,
  type ProjectContextRequest,
  projectContext,
} from './project/project-context.ts';
export type { GitSummary, ProjectScript, ProjectSources } from './project/sources.ts';
export { type Remembered, remember } from './remember.ts';
export { type PathRules, pathRules } from './rules/path-rules.ts';

/** Loaded when first needed: see outline/outline.ts. */
export async function outline(request: OutlineRequest, options: OutlineOptions): Promise<OutlineReport> {
  return (await import('./outline/outline.ts')).outline(request, options);
}

/** Loaded when first needed: see outline/find-symbol.ts. */
export async function findSymbol(
  request: FindSymbolRequest,
  options: FindSymbolOptions,
): Promise<FoundSymbols> {
  return (await import('./outline/find-symbol.ts')).findSymbol(request, options);
}
