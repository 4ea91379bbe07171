import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { machine } from '../agent/support/machine.ts';
import { connectClient } from '../core/support/browser.ts';
import { TestUser } from '../core/support/harness.ts';
import { startNode } from './harness.ts';

const SERVE = ['--tunnel', 'relay', '--port', '0'];

async function connectTo(t: TestContext, url: string, token?: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const requestInit = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  t.after(() => client.close());
  return client;
}

test('--tunnel relay: one server, reached on this machine and through the relay', async (t) => {
  const relay = await startNode({ maxToolMs: 30_000 });
  t.after(() => relay.close());
  const { run, start, project } = await machine(t, 'source');
  const user = await TestUser.signIn(relay, 'owner', 'full');
  const offered = await user.call('createAgentPairingCode');
  const paired = await run(['pair', String(offered.data['pairingCode']), '--relay', relay.url], 'y\n');
  assert.equal(paired.code, 0, paired.output);
  const listed = await run(['tunnel', 'list']);
  assert.match(listed.output, new RegExp(`relay +ready +paired with ${relay.url} for `));

  const server = await start([...SERVE, '--access', 'full']);
  await t.waitFor(() => assert.match(server.output(), /Connector.* for ChatGPT/), { timeout: 15_000 });
  assert.ok(server.output().includes(`Server URL      ${relay.url}/mcp`), server.output());
  assert.match(server.output(), /Authentication {2}OAuth \(sign in at the relay as /);
  const local = await connectTo(t, /http:\/\/127\.0\.0\.1:\d+\/mcp/.exec(server.output())?.[0] ?? '');
  const owner = await connectTo(t, `${relay.url}/mcp`, user.token);

  // A shell that a client on this machine left is the one that the relay's client finds.
  await local.callTool({ name: 'run_command', arguments: { command: 'here=kept; cd /', shell: 'both' } });
  const ran = await owner.callTool({
    name: 'run_command',
    arguments: { command: 'echo $here $PWD', shell: 'both' },
  });
  assert.match(JSON.stringify(ran.content), /kept \/\\n/);
  await owner.callTool({ name: 'write_file', arguments: { path: 'new.txt', content: 'written\n' } });
  assert.equal(await readFile(join(project, 'new.txt'), 'utf8'), 'written\n');

  // Who was let in with less gets less, in shells of its own.
  const reader = await connectTo(
    t,
    `${relay.url}/mcp`,
    (await connectClient(relay.url, user.browser, 'read-only')).token,
  );
  const names = (await reader.listTools()).tools.map(({ name }) => name);
  assert.ok(names.includes('read_text_file') && !names.includes('run_command'), names.join());
  const outside = await reader.callTool({ name: 'read_text_file', arguments: { path: '/etc/hostname' } });
  assert.equal(outside.isError, true);

  const second = await run(['agent']);
  assert.equal(second.code, 1);
  assert.match(second.output, /An agent runs on this machine already/);

  // A relay that was away is connected again, by itself.
  await relay.restart();
  await t.waitFor(() => assert.match(server.output(), /the tunnel is back at /), { timeout: 30_000 });
  const again = await connectTo(t, `${relay.url}/mcp`, user.token);
  const read = await again.callTool({ name: 'read_text_file', arguments: { path: 'new.txt' } });
  assert.match(JSON.stringify(read.content), /written/);

  // The end of the pairing ends the tunnel and not the server.
  const unpaired = await run(['unpair']);
  assert.equal(unpaired.code, 0, unpaired.output);
  await t.waitFor(() => assert.match(server.output(), /there is no tunnel any more/), { timeout: 15_000 });
  assert.notEqual((await local.callTool({ name: 'agent_status', arguments: {} })).isError, true);
  server.child.kill('SIGTERM');
  assert.equal(await server.exited, 0);
  assert.deepEqual(relay.defects, []);
});

test('--tunnel relay says what is missing, and refuses what nobody meant', async (t) => {
  const { run } = await machine(t, 'source');
  const unlimited = await run(SERVE);
  assert.equal(unlimited.code, 2, unlimited.output);
  assert.match(unlimited.output, /say how much with --access \(workspace is suggested/);
  const viewer = await run([...SERVE, '--access', 'full', '--tools', 'viewer']);
  assert.equal(viewer.code, 2, viewer.output);
  assert.match(viewer.output, /local-coder agent serves the workspaces/);
  const unpaired = await run([...SERVE, '--access', 'workspace']);
  assert.equal(unpaired.code, 2, unpaired.output);
  assert.match(unpaired.output, /not paired with a relay\..*local-coder pair CODE --relay URL/);
  const listed = await run(['tunnel', 'list']);
  assert.match(listed.output, /relay +missing +This machine is not paired/);
});

test('--tunnel relay: a credential that the relay does not know ends the start with 5', async (t) => {
  const relay = await startNode();
  t.after(() => relay.close());
  const { run } = await machine(t, 'source');
  const user = await TestUser.signIn(relay, 'owner', 'full');
  const offered = await user.call('createAgentPairingCode');
  await run(['pair', String(offered.data['pairingCode']), '--relay', relay.url], 'y\n');
  await relay.sql.first("UPDATE relay_agents SET token_hash = 'another' RETURNING id");
  const ended = await run([...SERVE, '--access', 'full']);
  assert.equal(ended.code, 5, ended.output);
  assert.match(ended.output, /local-coder unpair/);
});
