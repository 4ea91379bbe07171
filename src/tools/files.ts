import { editTools } from './files-edit.ts';
import { moveTools } from './files-move.ts';
import { readTools } from './files-read.ts';
import { treeTools } from './files-tree.ts';
import { writeTools } from './files-write.ts';

/** The tools of the chapter "Files" but for patches, searching, and files handed over by the chat. */
export const fileTools = [...readTools, ...writeTools, ...editTools, ...treeTools, ...moveTools] as const;
