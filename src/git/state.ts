import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextInside } from '../workspace/index.ts';
import type { Repository } from './repository.ts';

export type Operation = 'merge' | 'rebase' | 'am' | 'cherry-pick' | 'revert' | 'bisect';

/** Something that git has begun and that waits to be finished. */
export interface OperationState {
  readonly operation: Operation;
  /** The branch that is being rebased or bisected. */
  readonly branch?: string;
  /** Commit that a rebase goes onto, or that is being merged, picked or reverted. */
  readonly commit?: string;
  /** Which of how many commits a rebase or am is at. */
  readonly step?: number;
  readonly total?: number;
  /** How to finish it, and how to give it up. */
  readonly next: string;
}

/** What HEAD points to, read from the file alone. */
export interface Head {
  /** Undefined when HEAD is detached. */
  readonly branch?: string;
  /** The commit of a detached HEAD. */
  readonly commit?: string;
}

/** Reads `.git/HEAD`; undefined where refs are not kept in files (reftable). */
export async function readHead(repository: Repository): Promise<Head | undefined> {
  const text = (await readTextInside(join(repository.gitDir, 'HEAD'), 'utf8')).trim();
  const branch = text.match(/^ref: refs\/heads\/(.+)$/)?.[1];
  if (branch === '.invalid') return undefined;
  if (branch !== undefined) return { branch };
  return text.startsWith('ref: ') ? undefined : { commit: text };
}

/** The merge, rebase or the like in progress, found as git itself finds it: by the files that it left. */
export async function operationInProgress(repository: Repository): Promise<OperationState | undefined> {
  const files = new Set(await readdir(repository.gitDir));
  const read = async (name: string): Promise<string | undefined> => {
    const text = await readTextInside(join(repository.gitDir, name), 'utf8').catch(() => undefined);
    return text?.trim() || undefined;
  };
  if (files.has('rebase-merge')) {
    const [branch, commit, step, total] = await Promise.all(
      ['head-name', 'onto', 'msgnum', 'end'].map((name) => read(`rebase-merge/${name}`)),
    );
    return withDetails('rebase', 'git rebase', { branch, commit, step, total });
  }
  if (files.has('rebase-apply')) {
    const [applying, branch, commit, step, total] = await Promise.all([
      readdir(join(repository.gitDir, 'rebase-apply')).then((names) => names.includes('applying')),
      ...['head-name', 'onto', 'next', 'last'].map((name) => read(`rebase-apply/${name}`)),
    ]);
    return applying
      ? withDetails('am', 'git am', { step, total })
      : withDetails('rebase', 'git rebase', { branch, commit, step, total });
  }
  if (files.has('MERGE_HEAD')) {
    const commit = (await read('MERGE_HEAD'))?.split('\n')[0];
    return {
      operation: 'merge',
      ...(commit && { commit }),
      next: 'Resolve the conflicts, git_add the files, then git_commit; or give up with run_command "git merge --abort".',
    };
  }
  if (files.has('CHERRY_PICK_HEAD')) {
    return withDetails('cherry-pick', 'git cherry-pick', { commit: await read('CHERRY_PICK_HEAD') });
  }
  if (files.has('REVERT_HEAD'))
    return withDetails('revert', 'git revert', { commit: await read('REVERT_HEAD') });
  if (files.has('BISECT_LOG')) {
    const branch = await read('BISECT_START');
    return {
      operation: 'bisect',
      ...(branch && { branch }),
      next: 'Test this commit, then run_command "git bisect good" or "git bisect bad"; "git bisect reset" ends it.',
    };
  }
  return undefined;
}

function withDetails(
  operation: Operation,
  command: string,
  found: {
    branch?: string | undefined;
    commit?: string | undefined;
    step?: string | undefined;
    total?: string | undefined;
  },
): OperationState {
  return {
    operation,
    ...(found.branch && { branch: found.branch.replace(/^refs\/heads\//, '') }),
    ...(found.commit && { commit: found.commit }),
    ...(found.step && { step: Number(found.step) }),
    ...(found.total && { total: Number(found.total) }),
    next: `Resolve the conflicts, git_add the files, then run_command "${command} --continue"; or give up with "${command} --abort".`,
  };
}
