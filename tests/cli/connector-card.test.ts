import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectorCard } from '../../src/cli/connector-card.ts';

const origin = 'https://a-b-c.trycloudflare.com';
const url = { address: { kind: 'url', origin }, folder: '/home/me/project' } as const;
const secret = '/mcp/a-secret-that-is-long-enough-to-be-one';
const terminal = { isTTY: true, columns: 100 };

describe('the connector card', () => {
  test('names each field of the form', async () => {
    const card = await connectorCard({ ...url, auth: 'oauth' }, {});
    assert.match(card, /Name {12}local-coder\n/);
    assert.match(card, /Description {5}Files, .* of \/home\/me\/project on my own machine\n/);
    assert.match(card, new RegExp(`Server URL {6}${origin}/mcp\n`));
    assert.match(card, /Authentication {2}OAuth/);
    assert.doesNotMatch(card, /[█▀▄]/, 'no QR code where nobody can scan it');
  });

  test('a QR code on a wide terminal, and no line beyond its width', async () => {
    const card = await connectorCard({ ...url, auth: 'oauth' }, terminal);
    assert.match(card, /[█▀▄]{10}/);
    for (const line of card.split('\n').filter((text) => /[█▀▄]/.test(text))) assert.ok(line.length < 60);
    assert.doesNotMatch(
      await connectorCard({ ...url, auth: 'oauth' }, { isTTY: true, columns: 60 }),
      /[█▀▄]/,
    );
  });

  test('a secret address is for a terminal alone', async () => {
    const card = { ...url, auth: 'url', secretPath: secret } as const;
    assert.ok((await connectorCard(card, terminal)).includes(`${origin}${secret}`));
    const logged = await connectorCard(card, {});
    assert.ok(!logged.includes(secret));
    assert.match(logged, /local-coder token show/);
    assert.match(logged, /Authentication {2}No authentication/);
  });

  test('a tunnel without an address', async () => {
    const address = { kind: 'tunnel-id', id: `tunnel_${'a'.repeat(32)}`, name: 'my\u001b[2Jtunnel' } as const;
    const card = await connectorCard({ address, folder: '/x', auth: 'none' }, {});
    assert.match(card, /Connection {6}Tunnel, tunnel_a{32} \(my\\u001b\[2Jtunnel\)/);
    assert.match(card, /No authentication/);
  });
});
