/** The public face of the workspace layer: roots, path guard, text files, atomic writes, locks. */
export { replaceBy, writeAtomically } from './atomic-write.ts';
export { type ChangedFile, type ChangeOptions, changeFile } from './change-file.ts';
export {
  type FileChange,
  type FileChangeRecorder,
  type PreparedRecord,
  recorded,
} from './change-recorder.ts';
export { type ClosestRegion, closestRegion } from './closest-region.ts';
export { copyFileTo, move, type TransferOptions, type Transferred } from './copy-move.ts';
export { type DirectoryTree, directoryTree, type TreeNode } from './directory-tree.ts';
export {
  assertFenced,
  fenceOf,
  isWithin,
  makeFolders,
  openedPath,
  openInside,
  readFileInside,
  readTextInside,
  withEntry,
} from './fence.ts';
export {
  binaryFile,
  type FileRef,
  fileError,
  fileNotFound,
  isADirectory,
  MAX_EDIT_BYTES,
  notADirectory,
  specialFile,
  tooLargeToEdit,
} from './file-errors.ts';
export { assertUnchanged, changedOnDisk, type FileSnapshot, takeSnapshot } from './file-snapshot.ts';
export { oncePerFile } from './hard-links.ts';
export { IgnoreRules } from './ignore-rules.ts';
export { IgnoredPaths } from './ignored-paths.ts';
export { isOwnerAlive, type OwnerId, ownOwnerId } from './journal-owner.ts';
export {
  countLines,
  dominantEol,
  type Eol,
  type EolStyle,
  eolStyle,
  lineNumbersAt,
  splitLines,
} from './lines.ts';
export {
  type DirectoryEntry,
  type DirectoryListing,
  type EntryType,
  entryType,
  listDirectory,
  readEntries,
} from './list-directory.ts';
export { withFileLocks } from './locks.ts';
export { makeDirectory } from './make-directory.ts';
export { isMissing, openForReading, readChunks, readFully } from './open-file.ts';
export { type ReadBytesResult, readBytes } from './read-bytes.ts';
export { type LineSelection, MAX_CONTENT_BYTES, type ReadLinesResult, readLines } from './read-lines.ts';
export { realEntry, realTarget } from './real-target.ts';
export { deleteDirectory, deleteFile } from './remove.ts';
export { sha256Hex } from './sha256.ts';
export { stateFolderError } from './state-folder.ts';
export { isTemporaryName, temporaryBeside, temporaryOwnerPid, writeAll } from './temporary-file.ts';
export { type DecodedText, decodeText, encodeText, type TextEncoding } from './text-encoding.ts';
export { editTextFile, type TextEdit, type WrittenText, writeTextFile } from './text-file.ts';
export { type CommitOptions, commitFiles } from './transaction.ts';
export { identifyFile } from './transaction-entry.ts';
export { type RecoveredTransaction, recoverTransactions } from './transaction-recovery.ts';
export type { ContentSource, FileCommit, LinkSnapshot, NewEntry } from './transaction-types.ts';
export { type AccessMode, Workspace, type WorkspaceOptions } from './workspace.ts';
