import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PROTOCOL_VERSION } from '../../../../src/relay/protocol.ts';
import { pair, postPair, TestAgent } from '../support/agent.ts';
import { connectClient } from '../support/browser.ts';
import { forgetLimits, type Harness, TestUser } from '../support/harness.ts';
import { codeOf, rpc } from '../support/mcp.ts';
import { until } from './journey.ts';

export function isolation(relay: () => Harness): void {
  describe('every row belongs to somebody', () => {
    test('two users with every id crossed', async () => {
      const alice = await TestUser.signIn(relay(), 'alice');
      const mallory = await TestUser.signIn(relay(), 'mallory', 'full');
      const hers = await alice.agent('secrets');
      const his = await mallory.agent('own');

      for (const name of ['describeWorkspace', 'listTree', 'inspectFile', 'searchFile', 'batchExec']) {
        assert.equal(await codeOf(mallory.call(name, { workspaceId: 'secrets' })), 'WORKSPACE_NOT_FOUND');
      }
      const seen = JSON.stringify(await mallory.call('listWorkspaces', { includeOffline: true }));
      assert.ok(!seen.includes('secrets') && !seen.includes(hers.credential.agentId), seen);

      // Claiming the same workspace id takes nobody's row.
      his.agent.send({
        type: 'workspace_sync',
        workspaces: [{ workspaceId: 'secrets', displayName: 'Not yours' }],
      });
      await until(async () => (await mallory.call('listTree', { workspaceId: 'secrets' })).ok);
      const fromHis = await mallory.call('listTree', { workspaceId: 'secrets' });
      assert.equal(fromHis.data['agent'], his.credential.agentId);
      const fromHers = await alice.call('listTree', { workspaceId: 'secrets' });
      assert.equal(fromHers.data['agent'], hers.credential.agentId);

      // Another's agent id in hello is refused, and does nothing to the agent that has it.
      const posing = await TestAgent.open(relay().url, his.credential);
      posing.send({
        type: 'hello',
        protocol: PROTOCOL_VERSION,
        agentId: hers.credential.agentId,
        workspaces: [],
      });
      assert.equal(await posing.closed, 4003);
      assert.equal((await alice.call('listTree', { workspaceId: 'secrets' })).ok, true);

      // Revoking by the page, with another's ids.
      const home = await mallory.browser.open(`${relay().url}/`);
      const request = /name="request" value="([^"]+)"/.exec(home.html)?.[1] ?? '';
      await mallory.browser.send(`${relay().url}/account/revoke-agent`, {
        request,
        id: hers.credential.agentId,
      });
      const grant = await relay().sql.first('SELECT id FROM auth_grants WHERE subject = ?1', alice.id);
      await mallory.browser.send(`${relay().url}/account/revoke-client`, {
        request,
        id: String(grant?.['id']),
      });
      assert.equal((await alice.call('listTree', { workspaceId: 'secrets' })).ok, true);
      // A form that was made for another's browser.
      const foreign = await alice.browser.send(`${relay().url}/account/pairing-code`, { request });
      assert.equal(foreign.status, 403);

      // Tokens of the one kind are nothing to the other side.
      assert.equal((await rpc(relay().url, hers.credential.agentToken, 'tools/list', {})).status, 401);
      assert.equal(await TestAgent.refusal(relay().url, alice.token), 401);

      // A consent page of the one is not sent by the other.
      await assert.rejects(connectWithForeignConsent(relay(), alice, mallory));
      await Promise.all([hers.agent.close(), his.agent.close()]);
    });

    test('two agents of one user with the same workspace id are told apart', async () => {
      const user = await TestUser.signIn(relay(), 'twin');
      const first = await user.agent('copy');
      const second = await user.agent('copy');
      const { data } = await user.call('listWorkspaces');
      const listed = data['workspaces'] as { workspaceId: string; agentId: string }[];
      assert.equal(new Set(listed.map(({ workspaceId }) => workspaceId)).size, 2);
      for (const { workspaceId, agentId } of listed) {
        const answer = await user.call('listTree', { workspaceId });
        assert.equal(answer.data['agent'], agentId);
        assert.deepEqual(answer.data['input'], { workspaceId: 'copy' });
      }
      await Promise.all([first.agent.close(), second.agent.close()]);
    });

    test('a suspended user loses both sides within one call', async () => {
      const user = await TestUser.signIn(relay(), 'suspended');
      const other = await TestUser.signIn(relay(), 'neighbour');
      const { agent, credential } = await user.agent('mine');
      const neighbour = await other.agent('mine');
      const pending = String((await user.call('createAgentPairingCode')).data['pairingCode']);
      await relay().sql.batch([[`UPDATE relay_users SET status = 'suspended' WHERE id = ?1`, user.id]]);
      assert.equal((await rpc(relay().url, user.token, 'tools/list', {})).status, 403);
      assert.equal(await agent.closed, 4001);
      assert.equal(await TestAgent.refusal(relay().url, credential.agentToken), 403);
      assert.equal((await postPair(relay().url, pending)).status, 403);
      const home = await user.browser.open(`${relay().url}/`);
      assert.ok(!home.html.includes('Your agents'));
      assert.equal((await other.call('listTree', { workspaceId: 'mine' })).ok, true);
      await neighbour.agent.close();
    });
  });

  describe('pairing', () => {
    test('one answer for every failure: unknown, used, expired, malformed', async () => {
      const user = await TestUser.signIn(relay(), 'pairing');
      const fresh = async () => String((await user.call('createAgentPairingCode')).data['pairingCode']);
      const [used, expired] = [await fresh(), await fresh()];
      await pair(relay().url, used);
      await relay().sql.batch([
        ['UPDATE relay_pairings SET expires_ms = 1 WHERE user_id = ?1 AND agent_id IS NULL', user.id],
      ]);
      const answers = await Promise.all(
        [used, expired, 'ACDE-FGHJ-KMNP', 'x', "' OR 1=1 --", '\u0000'].map(async (code) => {
          const response = await postPair(relay().url, code);
          return `${response.status} ${await response.text()}`;
        }),
      );
      assert.equal(new Set(answers).size, 1, answers.join('\n'));
      assert.match(answers[0] ?? '', /^403 .*pairing_failed/);
      assert.equal((await fetch(`${relay().url}/agent/pair`, { method: 'POST', body: '{' })).status, 400);
    });

    test('ten at once with one code: one agent', async () => {
      const user = await TestUser.signIn(relay(), 'race');
      const code = String((await user.call('createAgentPairingCode')).data['pairingCode']);
      const statuses = await Promise.all(
        Array.from({ length: 10 }, async () => (await postPair(relay().url, code)).status),
      );
      assert.deepEqual(statuses.toSorted(), [200, ...Array.from({ length: 9 }, () => 403)]);
      const row = await relay().sql.first(
        'SELECT COUNT(*) AS n FROM relay_agents WHERE user_id = ?1',
        user.id,
      );
      assert.equal(row?.['n'], 1);
    });

    test('codes are kept hashed, limited per user, and guesses are limited', async () => {
      const user = await TestUser.signIn(relay(), 'limits');
      const codes: string[] = [];
      for (let index = 0; index < 10; index++) {
        codes.push(String((await user.call('createAgentPairingCode')).data['pairingCode']));
      }
      assert.equal(new Set(codes).size, 10);
      assert.equal(await codeOf(user.call('createAgentPairingCode')), 'BUSY');
      const kept = JSON.stringify(await relay().sql.all('SELECT * FROM relay_pairings'));
      for (const code of codes) assert.ok(!kept.includes(code) && !kept.includes(code.replaceAll('-', '')));
      let last = 0;
      for (let guess = 0; guess < 125 && last !== 429; guess++) {
        last = (await postPair(relay().url, 'ACDE-FGHJ-KMNP')).status;
      }
      assert.equal(last, 429);
      await forgetLimits(relay());
    });
  });
}

async function connectWithForeignConsent(relay: Harness, from: TestUser, by: TestUser): Promise<void> {
  const { consent } = await connectClient(relay.url, from.browser);
  const request = /name="request" value="([^"]+)"/.exec(consent)?.[1] ?? '';
  const answer = await by.browser.send(`${relay.url}/authorize`, {
    request,
    access: 'full',
    decision: 'allow',
  });
  if (answer.status !== 200) throw new Error(String(answer.status));
}
