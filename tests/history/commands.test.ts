import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { open, setUp } from './support/setup.ts';

const main = new URL('../../src/main.ts', import.meta.url).pathname;

/** Runs the real program in a folder. */
function program(cwd: string, stateDir: string, ...args: string[]) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [main, ...args, '--state-dir', stateDir], { cwd }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

describe('local-coder history and undo', () => {
  it('shows the changes of the folder and takes them back, the last one first', async () => {
    const { root, stateDir, checkpoint, history } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    await checkpoint('a.txt', 'two\n');
    await checkpoint('a.txt', 'three\n');
    await checkpoint('sub/odd \u001b[31m.txt', 'new\n');
    await history.close();

    const listed = await program(root, stateDir, 'history');
    assert.equal(listed.code, 0);
    const lines = listed.stdout.trimEnd().split('\n');
    assert.equal(lines.length, 3);
    assert.match(lines[0] ?? '', /^c3 {2}just now {2}write_file {2}sub\/odd \\u001b\[31m\.txt \(created\)$/);
    assert.match(lines[2] ?? '', /^c1 {2}just now {2}write_file {2}a\.txt$/);
    const older = await program(root, stateDir, 'history', 'c2');
    assert.equal(older.stdout.trimEnd().split('\n').length, 1);

    const undone = await program(root, stateDir, 'undo');
    assert.match(undone.stdout, /^Took c3 back:\n {2}removed {3}sub\/odd/);
    assert.match(undone.stdout, /To take this back: local-coder undo c4\n$/);
    await program(root, stateDir, 'undo');
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'two\n');
    await program(root, stateDir, 'undo');
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'one\n');
    const nothing = await program(root, stateDir, 'undo');
    assert.equal(nothing.code, 1);
    assert.match(nothing.stdout, /^There is no recorded change to undo/);

    await program(root, stateDir, 'undo', 'c4');
    assert.equal(await readFile(join(root, 'sub/odd \u001b[31m.txt'), 'utf8'), 'new\n');
  });

  it('names conflicts and changes nothing, and says what is wrong with an id', async () => {
    const { root, stateDir, checkpoint, history } = await setUp();
    await checkpoint('a.txt', 'two\n');
    await history.close();
    await writeFile(join(root, 'a.txt'), 'mine\n');
    const refused = await program(root, stateDir, 'undo');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Nothing was changed\. Since then something else changed:\n {2}a\.txt\n/);
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'mine\n');
    const unknown = await program(root, stateDir, 'undo', 'c77');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /There is no checkpoint c77.*local-coder history lists the changes/);
    for (const [command, id] of [
      ['history', 'undo'],
      ['undo', 'zz'],
    ] as const) {
      const noId = await program(root, stateDir, command, id);
      assert.equal(noId.code, 2);
      assert.match(
        noId.stderr,
        new RegExp(`"${id}" is no checkpoint id.*history lists .*local-coder undo ID`),
      );
    }
    assert.equal((await program(root, stateDir, 'undo', 'c1', 'c2')).code, 2);
    const empty = await program(join(root, '..', 'state'), stateDir, 'history');
    assert.match(empty.stdout, /^No recorded changes in /);
  });

  it('works beside a running instance', async () => {
    const { root, stateDir, checkpoint, history } = await setUp();
    await writeFile(join(root, 'a.txt'), 'one\n');
    await checkpoint('a.txt', 'two\n');
    await program(root, stateDir, 'undo');
    assert.equal(await readFile(join(root, 'a.txt'), 'utf8'), 'one\n');
    const again = open(root, stateDir);
    await Promise.all([checkpoint('a.txt', 'three\n'), again.checkpoint('b.txt', 'b\n')]);
    await history.redo({ tool: 'rewind', conversation: undefined }).then(
      () => assert.fail('the file was changed since'),
      (error: { code: string }) => assert.equal(error.code, 'CONFLICT'),
    );
    assert.equal((await history.list({ limit: 10 })).checkpoints.length, 4);
  });
});
