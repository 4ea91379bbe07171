import { gitBranch, gitCheckout } from './git-branches.ts';
import { gitAdd, gitCommit } from './git-commit.ts';
import { gitBlame, gitDiff, gitLog, gitShow } from './git-history.ts';
import { gitFetch, gitPull, gitPush } from './git-network.ts';
import { gitStatus } from './git-status.ts';
import { gitReset, gitRestore, gitStash } from './git-undo.ts';

/** The git tools, in the order in which tools/list shows them. */
export const gitTools = [
  gitStatus,
  gitDiff,
  gitLog,
  gitShow,
  gitBlame,
  gitAdd,
  gitCommit,
  gitBranch,
  gitCheckout,
  gitRestore,
  gitFetch,
  gitPush,
  gitPull,
  gitStash,
  gitReset,
];
