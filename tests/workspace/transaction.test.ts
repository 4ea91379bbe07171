import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { commitFiles, recoverTransactions, takeSnapshot } from '../../src/workspace/index.ts';
import { exampleCommits, makeExample, treeOf } from './transaction-support/example.ts';

const isFull = process.env['LOCAL_CODER_TEST_FULL'] === '1';
const root = await mkdtemp(join(tmpdir(), 'local-coder-transaction-'));
after(() => rm(root, { recursive: true, force: true }));
const support = new URL('./transaction-support/', import.meta.url);
const preload = new URL('kill-at-step.mjs', support).href;
const child = new URL('commit-child.ts', support).pathname;

let counter = 0;
async function fresh() {
  const base = join(root, String(counter++));
  const folder = join(base, 'folder');
  const stateDir = join(base, 'state');
  await mkdir(stateDir, { recursive: true });
  await makeExample(folder);
  return { folder, stateDir };
}

async function journals(stateDir: string): Promise<string[]> {
  return readdir(join(stateDir, 'journal')).catch(() => []);
}

describe('commitFiles', () => {
  it('makes every kind of change and leaves nothing beside it', async () => {
    const { folder, stateDir } = await fresh();
    await commitFiles(await exampleCommits(folder), { stateDir });
    const tree = await treeOf(folder);
    assert.deepEqual(Object.keys(tree), [
      'deep',
      'deep/new',
      'deep/new/moved.txt',
      'edited.txt',
      'lib',
      'link',
      'new.txt',
      'other-name.txt',
      'program.sh',
      'two-names.txt',
    ]);
    assert.match(tree['program.sh'] ?? '', /^file 755 /);
    assert.equal(tree['link'], 'link new.txt');
    assert.equal(tree['two-names.txt'], tree['other-name.txt'], 'the hard link is kept');
    assert.equal(await readFile(join(folder, 'other-name.txt'), 'utf8'), 'short\n');
    assert.deepEqual(await journals(stateDir), []);
  });

  it('changes nothing when a file is not what was read', async () => {
    const { folder, stateDir } = await fresh();
    const commits = await exampleCommits(folder);
    await writeFile(join(folder, 'program.sh'), '#!/bin/zsh\n');
    const before = await treeOf(folder);
    await assert.rejects(commitFiles(commits, { stateDir }), { code: 'CHANGED_ON_DISK' });
    assert.deepEqual(await treeOf(folder), before);
    assert.deepEqual(await journals(stateDir), []);
  });

  it('takes everything back when a file changes or cannot be written half way', async () => {
    const { folder, stateDir } = await fresh();
    const commits = await exampleCommits(folder);
    const before = await treeOf(folder);
    // From the moment on in which the change is decided, the last file seems to be another one than was read.
    const meddling = commits.map((commit) => {
      if (commit.file.shown !== 'link') return commit;
      const right = commit.before;
      const wrong = { type: 'link' as const, target: 'elsewhere' };
      return {
        file: commit.file,
        after: commit.after,
        get before() {
          return decided(stateDir) ? wrong : right;
        },
      };
    });
    await assert.rejects(commitFiles(meddling, { stateDir }), { code: 'CHANGED_ON_DISK' });
    assert.deepEqual(await treeOf(folder), before);
    assert.deepEqual(await journals(stateDir), []);
  });

  it('changes nothing when it is cancelled before it happens', async () => {
    const { folder, stateDir } = await fresh();
    const before = await treeOf(folder);
    const commits = await exampleCommits(folder);
    const controller = new AbortController();
    const recorder = {
      prepare: async () => {
        controller.abort(new Error('stop'));
        return { checkpointId: 'c1', committed: async () => {}, abandoned: async () => {} };
      },
    };
    await assert.rejects(commitFiles(commits, { stateDir, recorder, signal: controller.signal }), /stop/);
    assert.deepEqual(await treeOf(folder), before);
  });

  it('changes 1,000 files in under 5 seconds', async (t) => {
    const { folder, stateDir } = await fresh();
    const names = Array.from({ length: 1000 }, (_, index) => `many-${index}.txt`);
    await Promise.all(names.map((name) => writeFile(join(folder, name), `${name}\n`.repeat(100))));
    const commits = await Promise.all(
      names.map(async (name) => {
        const file = { path: join(folder, name), shown: name };
        const content = Buffer.from(`new ${name}\n`);
        return { file, before: await takeSnapshot(file, 1 << 20), after: { type: 'file' as const, content } };
      }),
    );
    const started = performance.now();
    await commitFiles(commits, { stateDir });
    const tookMs = performance.now() - started;
    t.diagnostic(`1,000 files in ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < 5_000);
    assert.equal(await readFile(join(folder, 'many-999.txt'), 'utf8'), 'new many-999.txt\n');
  });
});

describe('a multi-file change that is killed', () => {
  it('is whole after the next start, at whichever step it was killed', async (t) => {
    const model = await fresh();
    const old = await treeOf(model.folder);
    await commitFiles(await exampleCommits(model.folder), { stateDir: model.stateDir });
    const changed = await treeOf(model.folder);

    const outcomes = { finished: 0, undone: 0, nothing: 0 };
    // Every step in the full run; in the normal one a different third would be luck, so it is always the same one.
    for (let step = 1; ; step += isFull ? 1 : 3) {
      const { folder, stateDir } = await fresh();
      const { code, output } = await runChild(['--import', preload], [folder, stateDir], {
        KILL_AT_STEP: String(step),
      });
      if (code === 0) {
        t.diagnostic(`${step} steps tried: ${JSON.stringify(outcomes)}`);
        break;
      }
      assert.equal(output, '', `step ${step}`);
      const [recovered, ...more] = await recoverTransactions(stateDir);
      assert.deepEqual(more, []);
      assert.deepEqual(recovered?.problems ?? [], [], `step ${step}`);
      outcomes[(recovered?.outcome ?? 'nothing') as keyof typeof outcomes]++;
      const expected = recovered?.outcome === 'finished' ? changed : old;
      assert.deepEqual(await treeOf(folder), expected, `step ${step}: ${recovered?.outcome}`);
      assert.deepEqual(await journals(stateDir), [], `step ${step}`);
    }
    assert.ok(outcomes.finished > 0 && outcomes.undone > 0);
  });

  it('is whole when 200 files are rewritten in a loop and the process is killed at random', async (t) => {
    const base = join(root, 'loop');
    const folder = join(base, 'folder');
    const stateDir = join(base, 'state');
    await mkdir(folder, { recursive: true });
    const names = Array.from({ length: 200 }, (_, index) => `f${index}.txt`);
    await Promise.all(names.map((name) => writeFile(join(folder, name), 'start\nstart\n')));
    const outcomes: Record<string, number> = {};
    const kills = isFull ? 100 : 15;
    for (let kill = 0; kill < kills; kill++) {
      const running = spawn(process.execPath, [child, folder, stateDir, 'loop'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(running.stdout, 'data');
      await delay(((kill * 37) % 100) * 1.7); // spread over a round or two, not a wait for anything
      running.kill('SIGKILL');
      await once(running, 'close');
      for (const { outcome, problems } of await recoverTransactions(stateDir)) {
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        assert.deepEqual(problems, []);
      }
      const firstLines = new Set<string>();
      for (const name of await readdir(folder)) {
        assert.ok(!name.startsWith('.'), `left over: ${name}`);
        const [first = '', second = ''] = (await readFile(join(folder, name), 'utf8')).split('\n');
        firstLines.add(first);
        assert.ok(second === 'start' || second === `${name} `.repeat(300));
      }
      assert.equal(firstLines.size, 1, `a mixture after kill ${kill}: ${[...firstLines]}`);
    }
    t.diagnostic(`${kills} kills: ${JSON.stringify(outcomes)}`);
  });

  it('leaves alone what somebody else wrote meanwhile and says so', async () => {
    // Killed when the file is replaced and the change as a whole is not done.
    let { folder, stateDir } = await fresh();
    for (let step = 20; ; step++) {
      const { code } = await runChild(['--import', preload], [folder, stateDir], {
        KILL_AT_STEP: String(step),
      });
      assert.equal(code, null);
      if (decided(stateDir) && (await readFile(join(folder, 'edited.txt'), 'utf8')) === 'new text\n') break;
      ({ folder, stateDir } = await fresh());
    }
    await writeFile(join(folder, 'edited.txt'), 'mine\n');
    const [recovered] = await recoverTransactions(stateDir);
    assert.equal(await readFile(join(folder, 'edited.txt'), 'utf8'), 'mine\n');
    assert.deepEqual(
      recovered?.problems.map(({ path, isForeign }) => ({ path, isForeign })),
      [{ path: join(folder, 'edited.txt'), isForeign: true }],
    );
    assert.deepEqual(await journals(stateDir), []);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('.')),
      [],
    );
  });

  it('is not touched while its owner lives', async () => {
    const { folder, stateDir } = await fresh();
    const commits = await exampleCommits(folder);
    const change = commitFiles(commits, { stateDir });
    while ((await journals(stateDir)).length === 0) await delay(0);
    assert.deepEqual(await recoverTransactions(stateDir), []);
    await change;
    assert.equal(await readFile(join(folder, 'new.txt'), 'utf8'), 'new\n');
  });
});

/** Whether a change has passed the point from which on it is finished and not undone. */
function decided(stateDir: string): boolean {
  const folder = join(stateDir, 'journal');
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.commit'));
}

async function runChild(
  nodeArgs: string[],
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const running = spawn(process.execPath, [...nodeArgs, child, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  running.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  const [code] = (await once(running, 'close')) as [number | null];
  return { code, output };
}
