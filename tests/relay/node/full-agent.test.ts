import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { machine } from '../agent/support/machine.ts';
import { connectClient } from '../core/support/browser.ts';
import { TestUser } from '../core/support/harness.ts';
import { startNode } from './harness.ts';

test('an agent with --serve-tools: the normal tools through the relay, for a client that was granted them', async (t) => {
  const relay = await startNode({ maxToolMs: 30_000 });
  t.after(() => relay.close());
  const { run, start, project } = await machine(t, 'source');
  const user = await TestUser.signIn(relay, 'owner', 'full');
  const offered = await user.call('createAgentPairingCode');
  const paired = await run(['pair', String(offered.data['pairingCode']), '--relay', relay.url], 'y\n');
  assert.equal(paired.code, 0, paired.output);
  const agent = await start(['agent', '--serve-tools', '--access', 'full', '--workspace', project]);
  await t.waitFor(() => assert.match(agent.output(), /connected to /), { timeout: 15_000 });

  const connect = async (token: string) => {
    const client = new Client({ name: 'test', version: '1' });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${relay.url}/mcp`), { requestInit }));
    t.after(() => client.close());
    return client;
  };
  const owner = await connect(user.token);
  const names = (await owner.listTools()).tools.map(({ name }) => name);
  for (const name of ['write_file', 'run_command', 'read_text_file', 'listTree'])
    assert.ok(names.includes(name), name);

  const written = await owner.callTool({
    name: 'write_file',
    arguments: { path: 'new.txt', content: 'written\n' },
  });
  assert.notEqual(written.isError, true, JSON.stringify(written));
  assert.equal(await readFile(join(project, 'new.txt'), 'utf8'), 'written\n');
  const ran = await owner.callTool({ name: 'run_command', arguments: { command: 'cat new.txt' } });
  assert.match(JSON.stringify(ran.content), /written/);
  const wrong = await owner.callTool({ name: 'write_file', arguments: { path: 'x', contents: 'y' } });
  assert.match(JSON.stringify(wrong.content), /did you mean/);

  const reader = await connect((await connectClient(relay.url, user.browser, 'read-only')).token);
  const readerNames = (await reader.listTools()).tools.map(({ name }) => name);
  assert.ok(!readerNames.includes('write_file') && !readerNames.includes('run_command'));
  const refused = await reader.callTool({ name: 'write_file', arguments: { path: 'no.txt', content: '' } });
  assert.match(JSON.stringify(refused.content), /UNKNOWN_TOOL/);
  const outside = await reader.callTool({ name: 'read_text_file', arguments: { path: '/etc/hostname' } });
  assert.equal(outside.isError, true, 'the agent holds a reader to its folders');
  assert.deepEqual(relay.defects, []);
});
