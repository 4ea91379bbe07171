import { processTools } from './shell-processes.ts';
import { runCommand } from './shell-run.ts';
import { scriptTools } from './shell-scripts.ts';
import { shellStateTools } from './shell-states.ts';

/** Commands, scripts, shells and processes. */
export const shellTools = [...scriptTools, runCommand, ...shellStateTools, ...processTools];
