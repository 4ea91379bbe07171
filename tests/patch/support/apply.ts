import assert from 'node:assert/strict';
import { type PatchPlan, planPatch, type ReadForPatch } from '../../../src/patch/index.ts';
import { CodedError } from '../../../src/runtime/errors.ts';

/** A folder in memory: text by name. */
export type Tree = Readonly<Record<string, string>>;

export function readerOf(tree: Tree): ReadForPatch {
  return async (path) => {
    const text = Object.hasOwn(tree, path) ? tree[path] : undefined;
    return text === undefined ? { kind: 'missing' } : { kind: 'text', text };
  };
}

/** Carries a plan out on a tree; the tree that was given is left alone. */
export function commitTo(tree: Tree, plan: PatchPlan): Tree {
  const result: Record<string, string> = { ...tree };
  for (const change of plan.changes) {
    assert.deepEqual(
      change.before,
      Object.hasOwn(tree, change.path) ? { kind: 'text', text: tree[change.path] } : undefined,
      'a plan must know what it replaces',
    );
  }
  for (const { path, after } of plan.changes) {
    if (after === undefined) delete result[path];
    else if (after.kind === 'text') result[path] = after.text;
  }
  return result;
}

export async function applyTo(tree: Tree, patch: string): Promise<Tree> {
  return commitTo(tree, await planPatch(patch, readerOf(tree)));
}

/** The text of one file after a patch. */
export async function applyToText(text: string, patch: string, path = 'f.txt'): Promise<string | undefined> {
  return (await applyTo({ [path]: text }, patch))[path];
}

/** The error that a patch is refused with; fails when it is not refused. */
export async function refusalOf(tree: Tree, patch: string): Promise<CodedError> {
  try {
    await planPatch(patch, readerOf(tree));
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
  assert.fail(`not refused:\n${patch}`);
}
