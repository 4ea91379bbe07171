import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { shapesUnderTest, startServer } from '../support/programs.ts';
import { post } from '../support/test-server.ts';

const SECRET = 'sk-very-secret-1234567890abcdef';

for (const shape of shapesUnderTest()) {
  describe(`credentials in the environment: ${shape}`, { timeout: 60_000 }, () => {
    test('are in no process’s visible environment, and no command gets them', async (t) => {
      if (process.platform !== 'linux') return t.skip('only on Linux can a process replace itself');
      if (shape === 'deno') return t.skip('only on Linux under Node: Deno cannot replace a process');
      const temporary = await mkdtemp(join(tmpdir(), 'lc-clean-'));
      const server = await startServer({
        shape,
        cwd: temporary,
        env: { OPENAI_TUNNEL_API_KEY: SECRET, TUNNEL_TOKEN: SECRET, KEPT: 'yes', TMPDIR: temporary },
      });
      try {
        const environ = await readFile(`/proc/${server.pid}/environ`, 'utf8');
        assert.ok(environ.includes('KEPT=yes'), 'it is the environment of the right process');
        assert.equal(environ.includes(SECRET), false);
        assert.deepEqual(
          (await readdir(temporary)).filter((name) => name.startsWith('local-coder-')),
          [],
          'the hand-over file is gone',
        );
        const command = { name: 'run_command', arguments: { command: 'env; cat /proc/$PPID/environ' } };
        const answer = await post(server.url, {
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: command,
        });
        assert.match(answer.text, /KEPT=yes/);
        assert.equal(answer.text.includes(SECRET), false);
        assert.equal(server.stderr.includes('Warning'), false, server.stderr);
        assert.equal((server.stderr + server.stdout).includes(SECRET), false);
      } finally {
        await server.stop();
        await rm(temporary, { recursive: true, force: true });
      }
    });
  });
}
