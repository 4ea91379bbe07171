import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { shapesUnderTest, startServer } from '../support/programs.ts';
import { post } from '../support/test-server.ts';

for (const shape of shapesUnderTest()) {
  describe(`the access modes of the program: ${shape}`, () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lc-modes-'));
      await writeFile(join(folder, 'inside.txt'), 'inside\n');
    });
    after(() => rm(folder, { recursive: true, force: true }));

    const call = async (url: string, name: string, args: object) => {
      const params = { name, arguments: args };
      return (await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params })).text;
    };
    const names = async (url: string) => {
      const { text } = await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
      return [...text.matchAll(/"name":"(\w+)","description"/g)].map((match) => match[1]);
    };

    test('workspace: the card says how commands run, and paths stay inside', async () => {
      const server = await startServer({ shape, cwd: folder, args: ['--access', 'workspace'] });
      try {
        assert.match(server.stdout, /Access {4}workspace: only what is in this folder/);
        assert.match(server.stdout, /Commands {2}(confined to the folders by|none: )/);
        assert.match(await call(server.url, 'read_text_file', { path: 'inside.txt' }), /inside/);
        assert.match(
          await call(server.url, 'read_text_file', { path: '/etc/passwd' }),
          /PATH_OUTSIDE_WORKSPACE/,
        );
        const confined = await call(server.url, 'run_command', { command: 'cat inside.txt; ls /etc/shadow' });
        assert.match(confined, /inside|NOT_AVAILABLE/);
      } finally {
        await server.stop();
      }
    });

    test('read-only: no tool that changes anything', async () => {
      const server = await startServer({ shape, cwd: folder, args: ['--access', 'read-only'] });
      try {
        assert.match(server.stdout, /Access {4}read-only/);
        const listed = await names(server.url);
        assert.ok(listed.includes('read_text_file') && listed.includes('git_diff'));
        for (const name of ['write_file', 'run_command', 'git_commit', 'rewind']) {
          assert.ok(!listed.includes(name), name);
        }
        assert.match(await call(server.url, 'write_file', { path: 'x', content: 'x' }), /UNKNOWN_TOOL/);
      } finally {
        await server.stop();
      }
    });

    test('FULL_DISK_ACCESS=false means workspace', async () => {
      const server = await startServer({ shape, cwd: folder, env: { FULL_DISK_ACCESS: 'false' } });
      try {
        assert.match(server.stdout, /Access {4}workspace/);
      } finally {
        await server.stop();
      }
    });
  });
}
