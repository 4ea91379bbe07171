import { processTools } from './shell-processes.ts';
import { runCommand } from './shell-run.ts';
import { shellStateTools } from './shell-states.ts';

/** Commands, shells and processes. */
export const shellTools = [runCommand, ...shellStateTools, ...processTools];
