import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ConnectionOptions, connect, TIMINGS } from '../../../src/relay/agent/connection.ts';
import { AGENT_CONNECT_PATH, PROTOCOL_VERSION } from '../../../src/relay/protocol.ts';
import { selfSigned } from '../../support/certificate.ts';
import { startProxy } from '../../support/connect-proxy.ts';
import { AGENT_ID, FakeRelay, TOKEN } from './support/fake-relay.ts';

describe('an agent of a relay on the internet', () => {
  test('speaks TLS, through the proxy of the environment, and trusts no other certificate', async (t) => {
    const tls = await selfSigned(['relay.test']);
    const [relay, proxy] = await Promise.all([FakeRelay.start(tls), startProxy()]);
    t.after(() => Promise.all([relay.close(), proxy.stop()]));
    const welcome = Promise.withResolvers<string>();
    const options: ConnectionOptions = {
      url: `wss://relay.test:${relay.port}${AGENT_CONNECT_PATH}`,
      token: TOKEN,
      hello: {
        type: 'hello',
        protocol: PROTOCOL_VERSION,
        agentId: AGENT_ID,
        kind: 'viewer',
        workspaces: [],
      },
      serve: async () => ({ content: [{ type: 'text', text: 'served' }] }),
      env: { HTTPS_PROXY: proxy.url.replace('//', '//me:secret@') },
      timings: TIMINGS,
      ca: tls.cert,
      onWelcome: welcome.resolve,
    };
    const connection = await connect(options);
    assert.equal(await welcome.promise, 'someone');
    assert.deepEqual(
      proxy.requests.map(({ line }) => line),
      [`CONNECT relay.test:${relay.port}`],
    );
    const connected = await relay.connected();
    connected.request({ id: 'a', tool: 'x' });
    assert.equal((await connected.result('a')).ok, true);
    connection.close();
    await connection.ended;

    const stranger = await connect({ ...options, ca: undefined });
    const end = await stranger.ended;
    assert.equal(end.kind, 'lost');
    assert.match(end.message, /certificate/i);
    proxy.refuseWith = 407;
    assert.match((await (await connect(options)).ended).message, /refused the connection with status 407/);
    const socks = await connect({ ...options, env: { HTTPS_PROXY: 'socks5://127.0.0.1:1' } });
    assert.deepEqual([(await socks.ended).kind], ['stop']);
  });
});
