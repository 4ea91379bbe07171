import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../support/built.ts';
import { applyTo, type Tree } from './support/apply.ts';
import { renderCodex } from './support/render.ts';

const run = promisify(execFile);
const MAX_COMMITS = 120;

const git = async (...args: string[]) =>
  (await run('git', ['-C', ROOT, ...args], { maxBuffer: 256 * 1024 * 1024 })).stdout;

/** The old and new texts of the files that a commit touches; undefined for one that is no plain text change. */
async function treesOf(commit: string): Promise<{ before: Tree; after: Tree } | undefined> {
  const raw = await git('diff-tree', '-r', '-z', '--no-renames', `${commit}^`, commit);
  const fields = raw.split('\0').filter(Boolean);
  const before: Record<string, string> = {};
  const after: Record<string, string> = {};
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [oldMode, newMode, , , status] = fields[index]!.slice(1).split(' ');
    const path = fields[index + 1]!;
    if (oldMode === '120000' || newMode === '120000' || newMode === '160000') return undefined;
    if (status !== 'A') before[path] = await git('show', `${commit}^:${path}`);
    if (status !== 'D') after[path] = await git('show', `${commit}:${path}`);
  }
  return { before, after };
}

/** How models send a diff: as it is, with wrong numbers, in a fence, as a heredoc, with CRLF. */
const DRESSES: Readonly<Record<string, (diff: string) => string>> = {
  plain: (diff) => diff,
  'wrong line numbers': (diff) =>
    diff.replace(
      /^@@ -(\d+)(,\d+)? \+(\d+)/gm,
      (_, a, n = '', b) => `@@ -${Number(a) + 3}${n} +${Number(b) + 1}`,
    ),
  fenced: (diff) => `Here is the change:\n\n\`\`\`diff\n${diff}\`\`\`\n\nDone.`,
  heredoc: (diff) => `apply_patch <<'EOF'\n${diff}EOF\n`,
  crlf: (diff) => diff.replaceAll('\n', '\r\n'),
};

test("every commit of this repository's own history applies to its parent exactly", {
  timeout: 120_000,
}, async (t) => {
  const shallow = (await git('rev-parse', '--is-shallow-repository')).trim() === 'true';
  const commits = (await git('rev-list', '--no-merges', `--max-count=${MAX_COMMITS}`, 'HEAD'))
    .trim()
    .split('\n');
  if (shallow || commits.length < 20)
    return t.skip('only on Linux, macOS or Windows with the whole history at hand');
  let applied = 0;
  let asCodex = 0;
  let files = 0;
  for (const [index, commit] of commits.entries()) {
    const hasParent = (await git('rev-list', '--parents', '-n', '1', commit)).trim().includes(' ');
    const trees = hasParent ? await treesOf(commit) : undefined;
    if (trees === undefined) continue;
    const diff = await git('diff', '--no-renames', '--no-color', '--no-ext-diff', `${commit}^`, commit);
    if (/^(GIT binary patch|Binary files )/m.test(diff)) continue;
    // Every dress for every commit would be the same work five times over: they take turns.
    const names = Object.keys(DRESSES);
    for (const name of new Set(['plain', names[index % names.length]!])) {
      // A patch whose added lines end in CRLF is taken at its word when the file's own lines do not contradict.
      if (name === 'crlf' && Object.keys(trees.before).length < Object.keys(trees.after).length) continue;
      const result = await applyTo(trees.before, DRESSES[name]!(diff));
      assert.deepEqual(result, trees.after, `${commit} ${name}`);
      applied++;
    }
    for (const [path, text] of Object.entries(trees.after)) {
      const old: string | undefined = trees.before[path];
      const codex: string | undefined = old === undefined ? undefined : renderCodex(path, old, text);
      // This notation cannot say that the final newline comes or goes.
      if (codex === undefined || old?.endsWith('\n') !== text.endsWith('\n')) continue;
      assert.equal(
        (await applyTo({ [path]: old! }, codex))[path],
        text,
        `${commit} ${path} as a Codex patch`,
      );
      asCodex++;
    }
    files += Object.keys(trees.after).length;
  }
  t.diagnostic(
    `${applied} patches of ${commits.length} commits, ${files} files; ${asCodex} files as Codex patches`,
  );
  assert.ok(applied >= 20);
});
