import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { shapesUnderTest } from '../../support/programs.ts';
import { startWorker } from '../cloudflare/harness.ts';
import { TestUser } from '../core/support/harness.ts';
import { startNode } from '../node/harness.ts';
import { machine } from './support/machine.ts';

/** Every shape of the program at the relay on Node; the sources at the relay on workerd, too. */
const PAIRS = [
  ...shapesUnderTest().map((shape) => ({ shape, runtime: 'Node', startRelay: startNode })),
  { shape: 'source' as const, runtime: 'workerd', startRelay: startWorker },
];

for (const { shape, runtime, startRelay } of PAIRS) {
  describe(`the real agent (${shape}) at the real relay (${runtime})`, () => {
    test('pairing code, pair, workspace add, agent, every tool, unpair', async (t) => {
      const relay = await startRelay({ maxToolMs: 30_000 });
      t.after(() => relay.close());
      const { run, start, project } = await machine(t, shape);
      const git = (...args: string[]) =>
        execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...args], {
          cwd: project,
        });
      git('init', '-q', '-b', 'main');
      await writeFile(join(project, '.env'), 'SECRET=1\n');
      git('add', '-A');
      git('commit', '-qm', 'first');
      await writeFile(join(project, 'hello.txt'), 'hello again\n');
      await writeFile(join(project, '.env'), 'SECRET=2\n');

      const user = await TestUser.signIn(relay, 'alice');
      const offered = await user.call('createAgentPairingCode', { agentDisplayName: 'desk' });
      const code = String(offered.data['pairingCode']);
      const paired = await run(['pair', code, '--relay', relay.url], 'y\n');
      assert.equal(paired.code, 0, paired.output);
      assert.match(paired.output, /Account {2}alice \(GitHub\)/);
      const again = await run(['pair', code, '--relay', relay.url], 'y\n');
      assert.equal(again.code, 1, 'already paired');
      assert.equal((await run(['workspace', 'add', '--name', 'My app', '--path', project])).code, 0);

      const agent = await start(['agent']);
      await t.waitFor(() => assert.match(agent.output(), /connected to .* for alice/), { timeout: 10_000 });
      const listed = await user.call('listWorkspaces');
      const [workspace] = listed.data['workspaces'] as { workspaceId: string; displayName: string }[];
      assert.equal(workspace?.displayName, 'My app');
      const workspaceId = workspace?.workspaceId;
      const call = (tool: string, input: Record<string, unknown> = {}) =>
        user.call(tool, { workspaceId, ...input });
      assert.deepEqual((await call('describeWorkspace')).data['markers'], ['git-repository']);
      assert.deepEqual((await call('listTree')).data['entries'], [
        { name: 'hello.txt', path: 'hello.txt', type: 'file' },
      ]);
      assert.equal((await call('inspectFile', { path: 'hello.txt' })).bulk, 'hello again\n');
      const found = await call('searchFile', { mode: 'content', query: 'AGAIN' });
      assert.deepEqual(found.data['matches'], [{ path: 'hello.txt', line: 1, preview: 'hello again' }]);
      const changes = await call('describeWorkspaceChanges');
      assert.deepEqual(changes.data['files'], [
        { path: 'hello.txt', status: 'modified', staged: false, unstaged: true },
      ]);
      const diff = await call('inspectWorkspaceDiff');
      assert.match(diff.bulk, /\+hello again/);
      assert.doesNotMatch(diff.bulk, /SECRET/);
      const batch = await call('batchExec', {
        operations: [
          { id: 'a', tool: 'inspectFile', input: { path: 'hello.txt' } },
          { id: 'b', tool: 'inspectFile', input: { path: '.env' } },
        ],
      });
      assert.match(JSON.stringify(batch.data), /hello again.*PATH_IGNORED/);
      assert.equal((await call('inspectFile', { path: '.env' })).data.error?.code, 'PATH_IGNORED');
      assert.equal((await call('inspectFile', { path: '../x' })).data.error?.code, 'PATH_OUTSIDE_WORKSPACE');

      const mallory = await TestUser.signIn(relay, 'mallory');
      const foreign = await mallory.call('inspectFile', { workspaceId, path: 'hello.txt' });
      assert.equal(foreign.data.error?.code, 'WORKSPACE_NOT_FOUND');

      const unpaired = await run(['unpair']);
      assert.equal(unpaired.code, 0, unpaired.output);
      assert.equal(await agent.exited, 5, agent.output());
      const gone = await call('listTree');
      assert.equal(gone.data.error?.code, 'WORKSPACE_NOT_FOUND');
      assert.deepEqual(relay.defects, []);
    });
  });
}
