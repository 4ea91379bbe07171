import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { VERSION } from '../../src/runtime/version.ts';
import { EXECUTABLE, ensureBuilt } from '../support/built.ts';

const run = promisify(execFile);
const ROUNDS = 25;
/** What the issue of the builds allows, beside `node --version` of the same base. */
const MAX_RATIO = 1.3;
const skip = process.platform === 'linux' ? false : 'only on Linux is --version answered before Node begins';

/** The same words through a shell, which can close and fill what a program writes to. */
function shell(script: string) {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', EXECUTABLE], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('--version of the executable', { skip }, () => {
  before(() => ensureBuilt());

  test('takes no longer than that of its Node', () => {
    const node = realpathSync(process.execPath);
    const times: Record<string, number[]> = { [node]: [], [EXECUTABLE]: [] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [program, measured] of Object.entries(times)) {
        const started = performance.now();
        assert.equal(spawnSync(program, ['--version']).status, 0);
        measured.push(performance.now() - started);
      }
    }
    const [nodeMs, ownMs] = Object.values(times).map((measured) => measured.toSorted((a, b) => a - b)[12]!);
    assert.ok(ownMs! <= nodeMs! * MAX_RATIO, `${ownMs} ms, node ${nodeMs} ms`);
  });

  test('is the version of package.json and nothing else, without an environment too', () => {
    const { status, stdout, stderr } = spawnSync(EXECUTABLE, ['--version'], { env: {}, encoding: 'utf8' });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  test('goes to a pipe that nobody reads, a closed output or a full disk as from the program', () => {
    assert.equal(shell('"$1" --version | true').status, 0);
    assert.match(shell('"$1" --version > /dev/full').stderr, /^local-coder: .*ENOSPC.*\n$/);
    assert.equal(shell('"$1" --version > /dev/full').status, 1);
    assert.equal(shell('"$1" --version >&-').stderr, '');
  });

  test('every other command line reaches the program as it is', async () => {
    for (const words of [['--versio'], ['--versions'], ['--version', ''], ['', '--version'], ['-'], ['']]) {
      const same = spawnSync(process.execPath, ['src/main.ts', ...words], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      const { status, stdout, stderr } = spawnSync(EXECUTABLE, words, { encoding: 'utf8', timeout: 20_000 });
      assert.deepEqual([status, stdout, stderr], [same.status, same.stdout, same.stderr], words.join(' '));
    }
    const { stdout } = await run(EXECUTABLE, ['--help'], { env: {} });
    assert.ok(stdout.startsWith(`local-coder ${VERSION}: `));
  });
});
