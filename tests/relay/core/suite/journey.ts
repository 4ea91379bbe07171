import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { viewerContracts } from '../../../../src/relay/viewer/contracts.ts';
import { echo, pair, TestAgent, textResult } from '../support/agent.ts';
import { connectClient, TestBrowser } from '../support/browser.ts';
import { forgetLimits, type Harness, REVIEW_PASSWORD, TestUser } from '../support/harness.ts';
import { codeOf, rpc } from '../support/mcp.ts';

const TOOLS = [...Object.keys(viewerContracts()), 'createAgentPairingCode'];

export function journey(relay: () => Harness): void {
  describe('the whole way', () => {
    test('sign-in, pairing code, agent, every tool, unpair', async () => {
      const user = await TestUser.signIn(relay(), 'alice');
      const listed = await rpc(relay().url, user.token, 'tools/list', {});
      const tools = listed.message.result?.['tools'] as {
        name: string;
        annotations: Record<string, boolean>;
      }[];
      assert.deepEqual(tools.map(({ name }) => name).sort(), [...TOOLS].sort());
      for (const { annotations } of tools) assert.equal(Object.keys(annotations).length, 4);

      const offered = await user.call('createAgentPairingCode', { agentDisplayName: 'desk' });
      const code = String(offered.data['pairingCode']);
      assert.equal(offered.data['commandHint'], `local-coder pair ${code} --relay ${relay().url}`);
      const left = Date.parse(String(offered.data['expiresAt'])) - Date.now();
      assert.ok(left > 9 * 60_000 && left <= 10 * 60_000, `${left}`);

      const credential = await pair(relay().url, code.toLowerCase().replaceAll('-', ' '));
      assert.equal(credential.account, 'alice (GitHub)');
      assert.equal(credential.agentDisplayName, 'desk');
      const agent = await TestAgent.connect(relay().url, credential, {
        workspaces: [{ workspaceId: 'shop', displayName: 'Shop', languages: ['TypeScript'] }],
      });
      const workspaces = await user.call('listWorkspaces');
      assert.deepEqual(workspaces.data['workspaces'], [
        {
          workspaceId: 'shop',
          displayName: 'Shop',
          agentId: credential.agentId,
          agentDisplayName: 'desk',
          agentOnline: true,
          languages: ['TypeScript'],
        },
      ]);
      for (const name of TOOLS) {
        if (name === 'listWorkspaces' || name === 'createAgentPairingCode') continue;
        const { data } = await user.call(name, { workspaceId: 'shop', path: 'src/ä.ts' });
        assert.deepEqual(data, {
          tool: name,
          input: { workspaceId: 'shop', path: 'src/ä.ts' },
          agent: credential.agentId,
        });
      }

      agent.send({ type: 'workspace_sync', workspaces: [{ workspaceId: 'blog', displayName: 'Blog' }] });
      await until(
        async () => (await codeOf(user.call('listTree', { workspaceId: 'shop' }))) === 'WORKSPACE_NOT_FOUND',
      );
      assert.equal((await user.call('listTree', { workspaceId: 'blog' })).ok, true);

      const unpaired = await fetch(`${relay().url}/agent/unpair`, {
        method: 'POST',
        headers: { authorization: `Bearer ${credential.agentToken}` },
      });
      assert.equal(unpaired.status, 204);
      assert.equal(await agent.closed, 4001);
      assert.equal(await TestAgent.refusal(relay().url, credential.agentToken), 401);
      assert.equal(await codeOf(user.call('listTree', { workspaceId: 'blog' })), 'WORKSPACE_NOT_FOUND');
      assert.deepEqual((await user.call('listWorkspaces', { includeOffline: true })).data['workspaces'], []);
    });

    test('SDK clients of both eras list and call', async () => {
      const user = await TestUser.signIn(relay(), 'carol');
      const { agent } = await user.agent('lib');
      const url = new URL(`${relay().url}/mcp`);
      const requestInit = { headers: { authorization: `Bearer ${user.token}` } };
      const call = { name: 'describeWorkspace', arguments: { workspaceId: 'lib' } };
      const v1 = new ClientV1({ name: 'test', version: '1' });
      await v1.connect(new HttpV1(url, { requestInit }));
      assert.equal((await v1.listTools()).tools.length, TOOLS.length);
      // The stand-in agent has no structured content, which the SDK asks for where a tool has an output schema.
      agent.behaviour = (request, me) => ({
        ...textResult(request.tool, {}),
        structuredContent: { ok: true, tool: request.tool, summary: me.agentId, data: {} },
      });
      assert.notEqual((await v1.callTool(call)).isError, true);
      await v1.close();
      for (const mode of ['auto', 'legacy'] as const) {
        const v2 = new ClientV2({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
        await v2.connect(new HttpV2(url, { requestInit }));
        assert.match(v2.getInstructions() ?? '', /listWorkspaces/);
        assert.equal((await v2.listTools()).tools.length, TOOLS.length);
        assert.notEqual((await v2.callTool(call)).isError, true);
        await v2.close();
      }
      await agent.close();
    });

    test('without a token: 401 that names where to get one', async () => {
      const response = await fetch(`${relay().url}/mcp`, { method: 'POST', body: '{}' });
      assert.equal(response.status, 401);
      assert.match(
        response.headers.get('www-authenticate') ?? '',
        /resource_metadata="http:\/\/[^"]+\/\.well-known\/oauth-protected-resource\/mcp"/,
      );
      const metadata = await fetch(`${relay().url}/.well-known/oauth-authorization-server`);
      assert.equal(((await metadata.json()) as { issuer: string }).issuer, relay().url);
    });

    test('the consent page names client, host and user before any code is issued', async () => {
      const browser = new TestBrowser();
      await forgetLimits(relay());
      relay().github.user = { id: 77, login: 'grace' };
      await browser.open(`${relay().url}/sign-in/github`);
      const { consent } = await connectClient(relay().url, browser);
      assert.match(consent, /Test client/);
      assert.match(consent, /127\.0\.0\.1:9/);
      assert.match(consent, /grace \(GitHub\)/);
    });

    test('the reviewer signs in by password, nobody else does', async () => {
      await forgetLimits(relay());
      const browser = new TestBrowser();
      const page = await browser.open(`${relay().url}/sign-in/review`);
      const request = /name="request" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
      const send = (email: string, password: string) =>
        browser.send(`${relay().url}/sign-in/review`, { request, email, password });
      assert.equal((await send('reviewer@example.com', 'wrong password')).status, 403);
      assert.equal((await send('somebody@example.com', REVIEW_PASSWORD)).status, 403);
      const home = await send('reviewer@example.com', REVIEW_PASSWORD);
      assert.equal(home.status, 200);
      assert.match(home.html, /the reviewer/);
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 40; attempt++) statuses.push((await send('a@example.com', 'b')).status);
      assert.equal(statuses.at(-1), 429);
    });

    test('a GitHub sign-in cannot be finished by another browser, nor twice; GitHub being down is said', async () => {
      await forgetLimits(relay());
      const victim = new TestBrowser();
      const start = await fetch(`${relay().url}/sign-in/github`, { redirect: 'manual' });
      const toGitHub = start.headers.get('location') ?? '';
      const back = (await fetch(toGitHub, { redirect: 'manual' })).headers.get('location') ?? '';
      assert.match(back, /\/sign-in\/github\/callback\?code=/);
      const landed = await victim.open(back);
      assert.equal(landed.status, 403);
      const cookie = start.headers
        .getSetCookie()
        .map((line) => line.split(';')[0])
        .join('; ');
      const finish = () => fetch(back, { redirect: 'manual', headers: { cookie } });
      assert.equal((await finish()).status, 303);
      assert.equal((await finish()).status, 403);
      relay().github.broken = true;
      const again = await fetch(`${relay().url}/sign-in/github`, { redirect: 'manual', headers: { cookie } });
      const state = new URL(again.headers.get('location') ?? '').searchParams.get('state');
      const down = await fetch(`${relay().url}/sign-in/github/callback?code=x&state=${state}`, {
        headers: { cookie },
      });
      relay().github.broken = false;
      assert.equal(down.status, 503);
    });

    test('the page shows agents and workspaces, connects and revokes; a foreign form does nothing', async () => {
      const user = await TestUser.signIn(relay(), 'dora');
      const { agent, credential } = await user.agent('garden');
      await user.call('listTree', { workspaceId: 'garden' });
      const home = await user.browser.open(`${relay().url}/`);
      for (const shown of [
        'laptop',
        'online',
        'The garden project',
        'last used just now',
        'Test client',
        'dora',
      ]) {
        assert.ok(home.html.includes(shown), shown);
      }
      const request = /name="request" value="([^"]+)"/.exec(home.html)?.[1] ?? '';
      const withCode = await user.browser.send(`${relay().url}/account/pairing-code`, { request });
      assert.match(withCode.html, /local-coder pair [A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4} --relay/);

      const revoke = { request, id: credential.agentId };
      const foreign = await user.browser.send(`${relay().url}/account/revoke-agent`, revoke, {
        origin: 'https://evil.example',
      });
      assert.equal(foreign.status, 403);
      assert.equal(
        (await user.browser.send(`${relay().url}/account/revoke-agent`, { id: credential.agentId })).status,
        403,
      );
      assert.equal((await user.call('listTree', { workspaceId: 'garden' })).ok, true);
      const after = await user.browser.send(`${relay().url}/account/revoke-agent`, revoke);
      assert.equal(after.status, 200);
      assert.ok(!after.html.includes('The garden project'));
      assert.equal(await agent.closed, 4001);

      const grant = /name="id" value="([^"]+)"><button class="plain">Disconnect/.exec(after.html)?.[1] ?? '';
      await user.browser.send(`${relay().url}/account/revoke-client`, { request, id: grant });
      assert.equal((await rpc(relay().url, user.token, 'tools/list', {})).status, 401);
      const out = await user.browser.send(`${relay().url}/account/sign-out`, { request });
      assert.match(out.html, /Sign in/);
    });

    test('a full agent: its tools are listed for whoever was granted them, and called with the access granted', async () => {
      const user = await TestUser.signIn(relay(), 'emil', 'full');
      const credential = await user.pair();
      const tool = (name: string, readOnlyHint: boolean) => ({
        name,
        description: 'A tool.',
        inputSchema: { type: 'object' as const, properties: { path: { type: 'string' } } },
        annotations: {
          readOnlyHint,
          destructiveHint: !readOnlyHint,
          idempotentHint: false,
          openWorldHint: false,
        },
      });
      const agent = await TestAgent.connect(relay().url, credential, {
        hello: { kind: 'full', access: 'workspace', tools: [tool('write_file', false), tool('grep', true)] },
        behaviour: echo,
      });
      const names = async (token: string) => {
        const { message } = await rpc(relay().url, token, 'tools/list', {});
        return (message.result!['tools'] as { name: string }[]).map(({ name }) => name);
      };
      assert.deepEqual((await names(user.token)).slice(-2), ['write_file', 'grep']);
      assert.equal((await user.call('write_file', { path: 'a' })).ok, true);
      const sent = agent.received.at(-1);
      assert.ok(sent?.type === 'request');
      assert.equal(sent.access, 'workspace');
      assert.deepEqual(sent.input, { path: 'a' });
      const reader = await connectClient(relay().url, user.browser, 'read-only');
      assert.ok(!(await names(reader.token)).includes('write_file'));
      const { message } = await rpc(relay().url, reader.token, 'tools/call', {
        name: 'write_file',
        arguments: {},
      });
      assert.match(JSON.stringify(message), /UNKNOWN_TOOL/);
      const home = await user.browser.open(`${relay().url}/`);
      assert.match(home.html, /serves tools, access workspace/);
      const second = await TestAgent.connect(relay().url, await user.pair('other'), {
        hello: { kind: 'full', access: 'workspace', tools: [tool('grep', true)] },
      });
      assert.equal(await codeOf(user.call('grep', {})), 'INVALID_PARAMS');
      assert.equal((await user.call('grep', { agentId: second.agentId })).data['agent'], second.agentId);
      await Promise.all([agent.close(), second.close()]);
    });
  });
}

/** Waits for a condition that another party brings about. */
export async function until(condition: () => Promise<boolean> | boolean, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, 'the condition did not come true');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
