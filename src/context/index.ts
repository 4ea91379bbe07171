/** The public face of the context domain: what a project says about itself. */
export { createInstructions, type InstructionsOptions } from './instructions.ts';
export {
  type ProjectContext,
  type ProjectContextOptions,
  type ProjectContextRequest,
  projectContext,
} from './project/project-context.ts';
export type { GitSummary, ProjectScript, ProjectSources } from './project/sources.ts';
export { type Remembered, remember } from './remember.ts';
export { type PathRules, pathRules } from './rules/path-rules.ts';
