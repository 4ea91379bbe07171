import assert from 'node:assert/strict';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { changeConfiguration, readConfiguration } from '../../../src/relay/agent/configuration.ts';
import { takeRunLock } from '../../../src/relay/agent/run-lock.ts';
import { openDatabase } from '../../../src/runtime/sqlite.ts';
import { shapesUnderTest } from '../../support/programs.ts';
import { AGENT_ID, CODE, TOKEN } from './support/fake-relay.ts';
import { machine } from './support/machine.ts';

for (const shape of shapesUnderTest()) {
  describe(`commands of the agent (${shape})`, () => {
    test('pair, workspace, agent, unpair', async (t) => {
      const { run, start, relay, stateDir, project, folder } = await machine(t, shape);
      const paired = await run(['pair', CODE, '--relay', `${relay.url}/`], 'yes\n');
      assert.equal(paired.code, 0, paired.output);
      assert.match(paired.output, /Account {2}some\\u001b\[2Jone@example\.org/, 'shown, and harmless');
      const file = join(stateDir, 'agent.json');
      assert.equal((await stat(file)).mode & 0o077, 0);
      assert.deepEqual(JSON.parse(await readFile(file, 'utf8')).agent.serverBaseUrl, relay.url);
      const again = await run(['pair', CODE, '--relay', relay.url], 'y\n');
      assert.equal(again.code, 1);
      assert.match(again.output, /paired with .* already/);

      await symlink(project, join(folder, 'link'));
      const added = await run([
        'workspace',
        'add',
        '--name',
        'My app',
        '--path',
        join(folder, 'link'),
        '--ignore',
        '*.log',
        '--ignore',
        'tmp/',
      ]);
      assert.equal(added.code, 0, added.output);
      const { workspaces } = await readConfiguration(stateDir);
      const [workspace] = workspaces;
      assert.deepEqual(
        { ...workspace, workspaceId: '' },
        {
          workspaceId: '',
          displayName: 'My app',
          rootPath: project,
          accessMode: 'read_only',
          ignore: ['*.log', 'tmp/'],
        },
      );
      const id = workspace?.workspaceId ?? '';

      const agent = await start(['agent']);
      const connected = await relay.connected(1);
      assert.deepEqual(connected.hello.workspaces, [{ workspaceId: id, displayName: 'My app' }]);
      connected.request({ id: 'a', tool: 'inspectFile', workspaceId: id, input: { path: 'hello.txt' } });
      assert.match(JSON.stringify(await connected.result('a')), /hello\\\\?n?/);
      connected.request({
        id: 'b',
        tool: 'searchFile',
        workspaceId: id,
        input: { mode: 'content', query: 'HELLO' },
      });
      assert.match(JSON.stringify(await connected.result('b')), /hello\.txt/);

      const second = await run(['run']);
      assert.equal(second.code, 1);
      assert.match(second.output, new RegExp(`runs on this machine already \\(pid ${agent.child.pid}\\)`));
      assert.match((await run(['workspace', 'list'])).output, new RegExp(`${id} {2}My app`));
      assert.equal((await run(['workspace', 'remove', id])).code, 0);
      await relay.until(() => connected.messages.some((message) => message['type'] === 'workspace_sync'));
      assert.equal((await run(['workspace', 'remove', id])).code, 1);

      const unpaired = await run(['unpair']);
      assert.equal(unpaired.code, 0, unpaired.output);
      assert.deepEqual(relay.revoked, [`Bearer ${TOKEN}`]);
      assert.equal(await agent.exited, 5, agent.output());
      assert.match(agent.output(), /not paired/);
      assert.match((await run(['agent'])).output, /not paired/);
      const logged = (await run(['log', '--json'])).output;
      assert.match(logged, /"tool":"inspectFile","client":"relay".*"target":.*hello\.txt.*"outcome":"ok"/);
      assert.match((await run(['unpair'])).output, /is not paired/);
    });

    test('an agent ends politely, and its lock with it', async (t) => {
      const { start, run, relay, stateDir, project } = await machine(t, shape);
      await mkdir(stateDir, { mode: 0o700 });
      await changeConfiguration(stateDir, () => ({
        agent: { agentId: AGENT_ID, agentToken: TOKEN, serverBaseUrl: relay.url },
        workspaces: [{ workspaceId: 'ws', displayName: 'W', rootPath: project, accessMode: 'read_only' }],
      }));
      const killed = await start(['agent']);
      await relay.connected(1);
      killed.child.kill('SIGKILL');
      await killed.exited;
      const next = await start(['agent']);
      await relay.connected(2);
      next.child.kill('SIGTERM');
      assert.equal(await next.exited, 0, next.output());
      const after = await takeRunLock(stateDir);
      assert.ok('release' in after);
      after.release();
      relay.refusals.push(403);
      const refused = await run(['agent']);
      assert.equal(refused.code, 5);
      assert.match(refused.output, /\(403\)/);
    });

    test('the normal tools are carried when that is asked for, with --access', async (t) => {
      const { start, run, relay, stateDir, project } = await machine(t, shape);
      await mkdir(stateDir, { mode: 0o700 });
      await changeConfiguration(stateDir, () => ({
        agent: { agentId: AGENT_ID, agentToken: TOKEN, serverBaseUrl: relay.url },
        workspaces: [{ workspaceId: 'ws', displayName: 'W', rootPath: project, accessMode: 'read_only' }],
      }));
      const without = await run(['agent', '--serve-tools']);
      assert.equal(without.code, 2);
      assert.match(without.output, /say how much with --access/);
      const agent = await start(['agent', '--serve-tools', '--access', 'full']);
      const connected = await relay.connected(1);
      assert.deepEqual([connected.hello.kind, connected.hello.access], ['full', 'full']);
      const names = connected.hello.tools?.map(({ name }) => name) ?? [];
      assert.ok(names.includes('write_file') && names.includes('run_command'));
      connected.request({ id: 'a', tool: 'write_file', input: { path: 'new.txt', content: 'new\n' } });
      const written = await connected.result('a');
      assert.ok(written.ok && written.result.isError === undefined, JSON.stringify(written));
      assert.equal(await readFile(join(project, 'new.txt'), 'utf8'), 'new\n');
      connected.request({
        id: 'b',
        tool: 'write_file',
        input: { path: 'no.txt', content: 'x' },
        access: 'read-only',
      });
      const refused = await connected.result('b');
      assert.ok(refused.ok && refused.result.isError, 'a caller who was let in to read alone');
      connected.request({ id: 'c', tool: 'listTree', workspaceId: 'ws', input: { workspaceId: 'ws' } });
      assert.match(JSON.stringify(await connected.result('c')), /new\.txt/);
      agent.child.kill('SIGTERM');
      assert.equal(await agent.exited, 0, agent.output());
    });
  });
}

describe('commands of the agent', () => {
  test('nothing is stored without a yes', async (t) => {
    const { run, relay, stateDir } = await machine(t, 'source');
    for (const input of ['', 'n\n', '\n', 'yesterday\n']) {
      const { code, output } = await run(['pair', CODE, '--relay', relay.url], input);
      assert.equal(code, 1, output);
      assert.match(output, /Nothing was stored/);
    }
    assert.equal(relay.revoked.length, 4, 'the credential is given back');
    assert.deepEqual(await readConfiguration(stateDir), { workspaces: [] });
  });

  test('wrong usage, wrong codes and wrong addresses are named', async (t) => {
    const { run, relay, folder, stateDir } = await machine(t, 'source');
    const cases: [string[], number, RegExp][] = [
      [['pair'], 2, /Usage: local-coder pair CODE --relay URL/],
      [['pair', 'X'], 2, /Usage/],
      [['pair', 'X', '--relay', 'http://example.org'], 2, /must be an https URL/],
      [['pair', 'X', '--relay', 'https://user@example.org'], 2, /must be an https URL/],
      [['pair', 'X', '--relay', relay.url], 5, /pairing_failed.*The code is not valid/],
      [['pair', 'X', '--relay', `${relay.url}/elsewhere`], 1, /is no relay of this program \(status 404\)/],
      [['pair', 'X', '--relay', 'http://127.0.0.1:1'], 1, /cannot be reached/],
      [['pair', 'X', '--rely', 'x'], 2, /Did you mean --relay/],
      [['workspace'], 2, /Usage: local-coder workspace add/],
      [['workspace', 'add'], 2, /Usage/],
      [['workspace', 'add', '--path', join(folder, 'missing')], 4, /does not exist/],
      [['workspace', 'add', '--path', join(folder, 'project', 'hello.txt')], 4, /is a file/],
      [['workspace', 'add', '--path', '/'], 2, /whole file system/],
      [['workspace', 'add', '--path', stateDir], 2, /state of local-coder/],
      [['workspace', 'add', '--path='], 2, /--path needs a value/],
      [['status', '--path', '.'], 2, /--path is not an option of this command/],
    ];
    await mkdir(stateDir, { mode: 0o700 });
    for (const [args, expected, says] of cases) {
      const { code, output } = await run(args);
      assert.equal(code, expected, `${args.join(' ')}: ${output}`);
      assert.match(output, says);
    }
  });

  test('a broken configuration is named, and commands at the same time lose nothing', async (t) => {
    const { stateDir } = await machine(t, 'source');
    await mkdir(stateDir, { mode: 0o700 });
    await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        changeConfiguration(stateDir, (present) => ({
          ...present,
          workspaces: [
            ...present.workspaces,
            { workspaceId: `w${index}`, displayName: 'W', rootPath: `/w${index}`, accessMode: 'read_only' },
          ],
        })),
      ),
    );
    assert.equal((await readConfiguration(stateDir)).workspaces.length, 12);
    await writeFile(join(stateDir, 'agent.json'), '{"workspaces": 1}');
    await assert.rejects(readConfiguration(stateDir), /agent\.json cannot be used \("workspaces"/);
    await writeFile(join(stateDir, 'agent.json'), '{');
    await assert.rejects(readConfiguration(stateDir), /not valid JSON/);
  });

  test('a stale lock is taken over by one', async (t) => {
    const { stateDir } = await machine(t, 'source');
    await mkdir(stateDir, { mode: 0o700 });
    const first = await takeRunLock(stateDir);
    assert.ok('release' in first);
    assert.deepEqual(await takeRunLock(stateDir), { heldBy: process.pid });
    const database = await openDatabase(join(stateDir, 'state.db'));
    database.exec("UPDATE agent_run_lock SET start_time = 'of another process'");
    const both = await Promise.all([takeRunLock(stateDir), takeRunLock(stateDir)]);
    assert.equal(both.filter((lock) => 'release' in lock).length, 1);
    for (const lock of both) if ('release' in lock) lock.release();
    database.close();
  });
});
