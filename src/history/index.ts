/** The public face of the history domain: what every change of a file leaves behind, and the way back. */
export {
  type CheckpointChange,
  type CheckpointPage,
  createHistory,
  type History,
  type HistoryOptions,
  type HistoryStatus,
  type RestoreResult,
} from './history.ts';
export { recordAround } from './record-around.ts';
export type { CallRecorder, RecordOutcome } from './recorder.ts';
export { fileSteps, type RestoreStep } from './restore.ts';
export { describeState, stateText } from './state-text.ts';
export { type EntryState, sameContent } from './types.ts';
export { type ChangeWord, changeOf, type ListedCheckpoint } from './visibility.ts';
