import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { listedTool } from '../../../src/mcp/tool-list.ts';
import { viewerContracts } from '../../../src/relay/viewer/contracts.ts';
import { selectTools } from '../../../src/tools/index.ts';
import { connect } from '../../support/clients.ts';
import { shapesUnderTest, startServer, stdioCommand } from '../../support/programs.ts';

describe('--tools viewer', () => {
  test('lists the viewer’s tools alone, all of them read-only, in few bytes', () => {
    const tools = selectTools('viewer');
    assert.deepEqual(
      tools.map(({ name }) => name),
      [
        'listWorkspaces',
        'describeWorkspace',
        'listTree',
        'inspectFile',
        'searchFile',
        'batchExec',
        'describeWorkspaceChanges',
        'inspectWorkspaceDiff',
      ],
    );
    for (const { annotations, description } of tools) {
      assert.deepEqual(annotations, {
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      });
      assert.match(description, /^[A-Z].*[.]/s);
      assert.doesNotMatch(description, /\b(only for|ALWAYS|NEVER|MUST|IMPORTANT)\b/);
    }
    const bytes = Buffer.byteLength(JSON.stringify(tools.map((tool) => listedTool(tool, 'auto'))));
    assert.ok(bytes < 9 * 1024, `${bytes}`);
    assert.deepEqual(
      Object.entries(viewerContracts()).filter(([name, contract]) => name !== contract.name),
      [],
    );
  });

  for (const shape of shapesUnderTest()) {
    test(`serves folders over HTTP and stdio (${shape})`, async (t) => {
      const folder = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-local-')));
      t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
      const [a, b] = [join(folder, 'one', 'app'), join(folder, 'two', 'app')];
      for (const path of [a, b]) {
        await mkdir(path, { recursive: true });
        await writeFile(join(path, 'name.txt'), `I am ${path.includes('one') ? 'one' : 'two'}\n`);
        await writeFile(join(path, '.env'), 'SECRET\n');
      }
      const args = ['--tools', 'viewer', '--workspace', a, '--workspace', b];
      const server = await startServer({ shape, args });
      t.after(() => server.stop());
      assert.match(server.stdout, /Access +read-only/);
      const ids: string[][] = [];
      for (const endpoint of [{ url: server.url }, { ...(await stdioCommand(shape, args)), cwd: folder }]) {
        const client = await connect('v2 auto', endpoint);
        try {
          assert.match(client.instructions() ?? '', /Start with listWorkspaces/);
          const listed = await client.call('listWorkspaces');
          const workspaces = listed.data['workspaces'] as { workspaceId: string; displayName: string }[];
          assert.deepEqual(
            workspaces.map(({ displayName }) => displayName),
            ['app (in one)', 'app (in two)'],
          );
          const workspaceId = workspaces[1]?.workspaceId;
          ids.push(workspaces.map((workspace) => workspace.workspaceId));
          const read = await client.call('inspectFile', { workspaceId, path: 'name.txt' });
          assert.equal(read.bulk, 'I am two\n');
          const refused = await client.call('inspectFile', { workspaceId, path: '.env' });
          assert.equal(refused.data.error?.code, 'PATH_IGNORED');
          assert.equal(refused.isError, true);
          const misspelt = await client.call('listTree', { workspaceid: 'x' });
          assert.match(misspelt.summary, /did you mean "workspaceId"/);
          const batch = await client.call('batchExec', {
            workspaceId,
            operations: [
              { id: 'tree', tool: 'listTree', input: { depth: 2 } },
              { id: 'file', tool: 'inspectFile', input: { path: 'name.txt' } },
              { id: 'write', tool: 'write_file', input: { path: 'x', content: 'x' } },
            ],
          });
          const results = batch.data['results'] as { id: string; ok: boolean }[];
          assert.deepEqual(
            results.map(({ id, ok }) => `${id} ${ok}`),
            ['tree true', 'file true', 'write false'],
          );
        } finally {
          await client.close();
        }
      }
      assert.deepEqual(ids[0], ids[1], 'the id of a folder is the same in every run');
    });
  }
});
