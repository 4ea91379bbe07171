import { z } from 'zod';
import { CodedError } from '../runtime/errors.ts';
import {
  copyFileTo,
  deleteDirectory,
  deleteFile,
  type FileRef,
  move,
  realEntry,
  type Workspace,
} from '../workspace/index.ts';
import { CHANGES, defineTool } from './define.ts';
import { changeOptions, count, fileToRead, fileToWrite, recordFields, recordShape } from './files-call.ts';

const deleteFileTool = defineTool({
  name: 'delete_file',
  description: 'Delete a file, or a symbolic link itself. For a directory use delete_directory.',
  input: z.object({ path: z.string() }),
  output: () => z.object({ path: z.string(), ...recordShape() }),
  annotations: CHANGES,
  rewindable: true,
  async handler({ path }, context) {
    const file = await fileToWrite(context.services.workspace, path);
    const options = changeOptions(context, 'delete_file');
    const { checkpointId } = await deleteFile(file, options);
    return {
      summary: `Deleted ${file.shown}.`,
      data: { path: file.shown, ...recordFields(options, checkpointId) },
    };
  },
});

const deleteDirectoryTool = defineTool({
  name: 'delete_directory',
  description: 'Delete a directory (folder) with everything in it. Refuses a workspace root and .git.',
  input: z.object({ path: z.string() }),
  output: () => z.object({ path: z.string(), entries: z.number(), ...recordShape() }),
  annotations: CHANGES,
  rewindable: true,
  async handler({ path }, context) {
    const { workspace } = context.services;
    const folder = await fileToWrite(workspace, path);
    await refuseRoot(workspace, folder, 'deleted');
    if (/[\\/]\.git([\\/]|$)/i.test(folder.path)) {
      throw new CodedError(
        'DENIED',
        `"${folder.shown}" is git's own data: the history of the repository would be lost for good.`,
        'Use the git tools to change a repository, or run_command if it really must go.',
      );
    }
    const options = changeOptions(context, 'delete_directory');
    const { entries, checkpointId } = await deleteDirectory(folder, options);
    return {
      summary: `Deleted ${folder.shown} with ${entries === 1 ? '1 entry' : `${entries} entries`}.`,
      data: { path: folder.shown, entries, ...recordFields(options, checkpointId) },
    };
  },
});

const transferInput = z.object({
  source: z.string(),
  destination: z.string(),
  overwrite: z.boolean().default(false),
});
const transferOutput = () =>
  z.object({
    source: z.string(),
    destination: z.string(),
    size_bytes: z.number().optional(),
    overwritten: z.boolean(),
    ...recordShape(),
  });

const copyFile = defineTool({
  name: 'copy_file',
  description:
    'Copy a file with its mode; folders are created. Refuses to overwrite unless overwrite is true.',
  input: transferInput,
  output: transferOutput,
  annotations: CHANGES,
  rewindable: true,
  async handler({ source, destination, overwrite }, context) {
    const { workspace } = context.services;
    const from = await fileToRead(workspace, source);
    const to = await fileToWrite(workspace, destination);
    const options = { ...changeOptions(context, 'copy_file'), overwrite };
    const done = await copyFileTo(from, to, options);
    return {
      summary: `Copied ${from.shown} to ${to.shown} (${count(done.sizeBytes ?? 0, 'byte')}).`,
      data: {
        source: from.shown,
        destination: to.shown,
        size_bytes: done.sizeBytes,
        overwritten: done.overwritten,
        ...recordFields(options, done.checkpointId),
      },
    };
  },
});

const moveFile = defineTool({
  name: 'move_file',
  description:
    'Move or rename a file or directory; folders are created. Refuses to overwrite unless overwrite is true.',
  input: transferInput,
  output: transferOutput,
  annotations: CHANGES,
  rewindable: true,
  async handler({ source, destination, overwrite }, context) {
    const { workspace } = context.services;
    const from = await fileToWrite(workspace, source);
    const to = await fileToWrite(workspace, destination);
    await refuseRoot(workspace, from, 'moved');
    const options = { ...changeOptions(context, 'move_file'), overwrite };
    const done = await move(from, to, options);
    return {
      summary: `Moved ${from.shown} to ${to.shown}.`,
      data: {
        source: from.shown,
        destination: to.shown,
        size_bytes: done.sizeBytes,
        overwritten: done.overwritten,
        ...recordFields(options, done.checkpointId),
      },
    };
  },
});

async function refuseRoot(workspace: Workspace, folder: FileRef, verb: string): Promise<void> {
  // Also when it is reached through a link above it.
  const real = await realEntry(folder);
  if (!workspace.holdsRoot(folder.path) && !workspace.holdsRoot(real.path)) return;
  throw new CodedError(
    'DENIED',
    `"${folder.shown}" is a workspace root, or holds one or the program's own state, and is never ${verb}.`,
    'Name a file or folder inside the workspace.',
  );
}

export const moveTools = [deleteFileTool, deleteDirectoryTool, copyFile, moveFile] as const;
