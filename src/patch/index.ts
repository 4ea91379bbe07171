/**
 * Patches: reading them, finding where their hunks belong, and what the files become. Pure functions on text; whoever
 * calls planPatch reads the files and writes what it says.
 */
export { type ClosestRegion, closestRegion, type LineDifference } from './closest-region.ts';
export type { MatchLevel } from './levels.ts';
export type { PatchFile, PatchFormat, PatchOperation } from './model.ts';
export { type ParsedPatch, parsePatch } from './parse-patch.ts';
export { type FileChange, type PatchPlan, type PlanOptions, planPatch } from './plan.ts';
export type { FileReport, HunkReport } from './report.ts';
export type { DiskFile, FileContent, ReadForPatch } from './virtual-files.ts';
