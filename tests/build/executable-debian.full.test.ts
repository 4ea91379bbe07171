import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { VERSION } from '../../src/runtime/version.ts';
import { EXECUTABLE, ensureBuilt } from '../support/built.ts';
import { runToEnd, startServer } from '../support/programs.ts';
import { debianRoot, missing, ROOT_LIMIT_MS } from './support/debian.ts';
import { everydayWork } from './support/everyday-work.ts';

const skip =
  process.platform === 'linux'
    ? missing('debootstrap', 'bwrap')
    : `only on Linux is there a Debian to make a root from`;

describe('the executable in a minimal Debian, without Node', { skip, timeout: ROOT_LIMIT_MS }, () => {
  let folder: string;
  let root: string;
  before(async () => {
    await ensureBuilt();
    root = await debianRoot();
    folder = await mkdtemp(join(tmpdir(), 'local-coder-debian-workspace-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** The root as it is, read-only; a home of its own; the served folder at /srv. */
  const inside = () => ({
    command: 'bwrap',
    args: [
      ...['--ro-bind', root, '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--tmpfs', '/root'],
      ...['--tmpfs', '/opt', '--ro-bind', EXECUTABLE, '/opt/local-coder', '--bind', folder, '/srv'],
      ...['--clearenv', '--setenv', 'HOME', '/root', '--setenv', 'PATH', '/usr/bin:/bin', '--chdir', '/srv'],
      ...['--die-with-parent', '/opt/local-coder'],
    ],
  });

  test('says its version', async () => {
    assert.deepEqual(await runToEnd({ program: inside(), args: ['--version'] }), {
      exitCode: 0,
      stdout: `${VERSION}\n`,
      stderr: '',
    });
  });

  test('serves a client outside', async () => {
    const server = await startServer({ program: inside(), args: ['--workspace', '/srv'] });
    try {
      const command = 'command -v node || echo no node; cat made.txt; . /etc/os-release; echo $ID';
      assert.equal(await everydayWork(server.url, folder, command), 'no node\nmade inside\ndebian\n');
    } finally {
      // bwrap takes the signal, and the program ends with it.
      await server.stop();
    }
  });
});
