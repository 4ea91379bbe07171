/** Providers in this process: cloudflare's bad days, ngrok, tailscale, custom; then ssh against a real server. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createHttpClient, type HttpClient } from '../../src/runtime/http-client.ts';
import { listTree } from '../../src/runtime/process-tree.ts';
import { readLine as readCloudflaredLine } from '../../src/tunnel/cloudflare.ts';
import { OutputLines } from '../../src/tunnel/output-lines.ts';
import { startProgramTunnel } from '../../src/tunnel/program-tunnel.ts';
import { type ProviderContext, programEnvironment, publicOrigin } from '../../src/tunnel/provider-context.ts';
import { PROGRAM_TUNNELS, type ProgramTunnelName, programTunnel } from '../../src/tunnel/providers.ts';
import { type RunningTunnel, TunnelError, type TunnelErrorReason } from '../../src/tunnel/types.ts';
import { urlFinder } from '../../src/tunnel/url-pattern.ts';
import { type Internet, openInternet } from './support/internet.ts';
import { processesWith } from './support/processes.ts';

const SECRET = 'a-secret-of-the-user-0123456789';

describe('tunnels by programs', {
  skip: process.platform === 'win32' && 'only on Linux and macOS: stand-ins are shell scripts',
}, () => {
  let internet: Internet;
  let client: HttpClient;
  let local: Server;
  let port: number;
  let stateDir: string;
  before(async () => {
    internet = await openInternet();
    await internet.install('cloudflared', 'ngrok', 'tailscale');
    client = createHttpClient({ env: internet.env, maxConnections: 2, ca: internet.ca });
    local = createServer((_, response) => response.end('the local server')).listen(0, '127.0.0.1');
    await new Promise((resolve) => local.once('listening', resolve));
    port = (local.address() as AddressInfo).port;
  });
  beforeEach(() => {
    stateDir = mkdtempSync(join(internet.folder, 'state-'));
  });
  after(async () => {
    client.close();
    local.close();
    await internet.close();
    assert.deepEqual(await listTree({ marker: `tunnel.${process.pid}.` }), [], 'no child is left');
  });

  const provider = (name: ProgramTunnelName, more: Partial<ProviderContext> = {}, mode = '') =>
    programTunnel(name, {
      stateDir,
      ...more,
      env: { HOME: process.env['HOME'], ...internet.env, STAND_IN_MODE: mode, ...more.env },
    });
  const start = async (
    name: ProgramTunnelName,
    more: Partial<ProviderContext> = {},
    mode = '',
    signal = AbortSignal.timeout(30_000),
  ) => {
    const progress: string[] = [];
    const tunnel = await (await provider(name, more, mode)).start({
      port,
      signal,
      onProgress: (message) => progress.push(message),
    });
    return { tunnel, progress };
  };
  const get = async (tunnel: RunningTunnel) => {
    assert.ok(tunnel.address.kind === 'url');
    const answer = await client.send({
      method: 'GET',
      url: new URL('/', tunnel.address.origin),
      headers: {},
      headersTimeoutMs: 9_000,
      bodyTimeoutMs: 9_000,
      maxBodyBytes: 10_000,
    });
    return answer.body;
  };
  const fails = async (
    starting: Promise<unknown>,
    reason: TunnelErrorReason,
    words: RegExp,
  ): Promise<TunnelError> => {
    let caught: unknown;
    await assert.rejects(starting, (error) => {
      caught = error;
      return true;
    });
    assert.ok(caught instanceof TunnelError, String(caught));
    assert.equal(caught.reason, reason, caught.message);
    assert.match(`${caught.message} ${caught.hint}`, words);
    assert.ok(!`${caught.message} ${caught.hint} ${caught.logTail}`.includes(SECRET));
    assert.deepEqual(processesWith(stateDir), [], 'nothing is left running');
    return caught;
  };
  const kept = () =>
    readdirSync(stateDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      .join('\n');

  test('each leads to the local port, ends with stop, and leaves nothing behind', async () => {
    const command = `"${process.execPath}" "${join(import.meta.dirname, 'support/stand-in.mjs')}" ngrok http http://127.0.0.1:{port} --log stdout`;
    const cases: [ProgramTunnelName, Partial<ProviderContext>, RegExp][] = [
      ['cloudflare', {}, /^https:\/\/[a-z0-9-]+\.trycloudflare\.com$/],
      ['ngrok', {}, /^https:\/\/[a-z0-9-]+\.ngrok-free\.app$/],
      ['ngrok', { hostname: 'mine.example.org' }, /^https:\/\/mine\.example\.org$/],
      ['tailscale', {}, /^https:\/\/box\.tail0123\.ts\.net$/],
      ['custom', { command }, /^https:\/\/[a-z0-9-]+\.ngrok-free\.app$/],
      ['custom', { command, urlPattern: '"url":"(.+?)"' }, /^https:\/\/[a-z0-9-]+\.ngrok-free\.app$/],
    ];
    for (const [name, more, address] of cases) {
      const { tunnel } = await start(name, more);
      assert.ok(tunnel.address.kind === 'url');
      assert.match(tunnel.address.origin, address, name);
      assert.equal(tunnel.status().state, 'connected');
      assert.equal(await get(tunnel), 'the local server', name);
      await tunnel.stop();
      await tunnel.stop();
      assert.deepEqual(await tunnel.ended, { reason: 'stopped' });
      assert.equal(tunnel.status().state, 'ended');
      assert.deepEqual(processesWith(stateDir), [], name);
    }
    assert.ok(!readdirSync(join(stateDir, 'tunnel')).some((file) => /running|token/.test(file)));
  });

  test('addresses by the second way', async () => {
    for (const [name, mode] of [
      ['cloudflare', 'no-quicktunnel'],
      ['ngrok', 'api-only'],
    ] as const) {
      const { tunnel } = await start(name, {}, mode);
      assert.equal(await get(tunnel), 'the local server', name);
      await tunnel.stop();
    }
  });

  test('a slow start says what it waits for', async () => {
    const { tunnel, progress } = await start('cloudflare', {}, 'slow');
    assert.ok(progress.includes('cloudflare: asking Cloudflare for a quick tunnel'), progress.join('\n'));
    await tunnel.stop();
  });

  test('garbage is no address, and its end says so with the last lines', async () => {
    const error = await fails(start('cloudflare', {}, 'garbage'), 'failed', /ended with exit code 1/);
    assert.match(error.logTail ?? '', /gave error code: 1015/);
    assert.ok(Buffer.byteLength(error.logTail ?? '') < 10_000);
    assert.doesNotMatch(error.logTail ?? '', /\u001b/);
  });

  test('a start that hangs is given up with the signal, a stubborn program is killed', async () => {
    const stop = new AbortController();
    const hanging = start('cloudflare', {}, 'hang', stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 300);
    await assert.rejects(hanging, /enough/);
    assert.deepEqual(processesWith(stateDir), []);
    const { tunnel } = await start('ngrok', {}, 'stubborn');
    await tunnel.stop();
    assert.deepEqual(processesWith(stateDir), []);
  });

  test('a program that says nothing is given up in time', async () => {
    const starting = startProgramTunnel(
      {
        name: 'custom',
        file: '/bin/sh',
        args: ['-c', 'echo waiting for something; exec cat'],
        env: { EDGE_DIR: stateDir },
        logFile: join(stateDir, 'tunnel', 'silent.log'),
        readLine: () => undefined,
        addressTimeoutMs: 300,
      },
      { port, signal: AbortSignal.timeout(20_000), onProgress: () => {} },
    );
    const error = await fails(starting, 'failed', /gave no address within 1 s/);
    assert.equal(error.logTail, 'waiting for something');
  });

  test('death is told with a reason', async () => {
    for (const name of ['cloudflare', 'ngrok', 'tailscale'] as const) {
      const { tunnel } = await start(name);
      for (const { pid } of processesWith(internet.folder)) {
        if (
          processesWith(internet.folder).some(
            (seen) => seen.pid === pid && seen.commandLine.includes('stand-in'),
          )
        )
          process.kill(pid, 'SIGKILL');
      }
      const end = await tunnel.ended;
      assert.ok(end.reason === 'error' && end.error.reason === 'failed', name);
      assert.match(end.error.message, /was killed/);
    }
  });

  test('refused credentials, without showing them', async () => {
    const env = { NGROK_AUTHTOKEN: SECRET };
    await fails(
      start('ngrok', { env }, 'badtoken'),
      'refused',
      /does not accept the authtoken.*dashboard\.ngrok\.com/s,
    );
    const named = { hostname: 'x.example.org', publicPort: port, env: { TUNNEL_TOKEN: SECRET } };
    await fails(start('cloudflare', named, 'badtoken'), 'refused', /Copy the whole token again/);
    await fails(start('tailscale', {}, 'not-enabled'), 'refused', /Funnel is not allowed/);
    await fails(start('tailscale', {}, 'logged-out'), 'refused', /tailscale up/);
    await fails(start('tailscale', {}, 'down'), 'failed', /service does not answer/);
    assert.ok(!kept().includes(SECRET));
  });

  test('a token is no part of command lines and environments', async () => {
    const { tunnel } = await start('ngrok', {
      env: { NGROK_AUTHTOKEN: SECRET, OPENAI_TUNNEL_API_KEY: SECRET },
    });
    const shown = processesWith(SECRET);
    await tunnel.stop();
    assert.deepEqual(shown, []);
    assert.ok(!kept().includes(SECRET), 'the file with it is gone');
    const env = { LOCAL_CODER_X: '1', OPENAI_API_KEY: 'x', TUNNEL_TOKEN: 'x', PATH: 'p' };
    assert.deepEqual(programEnvironment(env), { PATH: 'p' });
  });

  test('what is not installed or not configured is told with what to do', async () => {
    const nowhere = { env: { PATH: join(internet.folder, 'empty') } };
    for (const name of ['cloudflare', 'ngrok', 'tailscale', 'ssh'] as const) {
      await fails(start(name, nowhere), 'missing-program', /install/i);
      const readiness = await (await provider(name, nowhere)).inspect();
      assert.equal(readiness.ready, false);
      assert.match(readiness.fix ?? '', /install/i);
    }
    await fails(
      start('cloudflare', { bin: '/nowhere/cloudflared' }),
      'missing-program',
      /--tunnel-bin names \/nowhere/,
    );
    await fails(
      start('custom', { command: 'no-such-program-here {port}' }),
      'missing-program',
      /no-such-program-here/,
    );
    await fails(start('custom'), 'not-configured', /--tunnel-command/);
    await fails(start('custom', { command: 'x' }), 'not-configured', /\{port\}/);
    await fails(start('cloudflare', { hostname: 'x.example.org' }), 'not-configured', /TUNNEL_TOKEN/);
    await fails(start('cloudflare', { env: { TUNNEL_TOKEN: 'x' } }), 'not-configured', /--tunnel-hostname/);
    await fails(start('ssh', { hostname: '-oProxyCommand=x' }), 'not-configured', /\[USER@\]HOST/);
  });

  test('inspect names program and version', async () => {
    assert.match(
      (await (await provider('cloudflare')).inspect()).summary,
      /cloudflared version 2026\.9\.3.*quick tunnel/,
    );
    assert.match((await (await provider('tailscale')).inspect()).summary, /box\.tail0123\.ts\.net/);
    assert.deepEqual(
      await Promise.all(PROGRAM_TUNNELS.map(async (name) => (await provider(name)).name)),
      PROGRAM_TUNNELS,
    );
  });

  test('--tunnel-bin goes before PATH, a file beside counts when it is executable', async () => {
    const bin = join(internet.folder, 'my tunnel');
    writeFileSync(bin, '#!/bin/sh\necho mine\n');
    assert.match(
      (await (await provider('ngrok', { bin })).inspect().catch((error) => error)).message,
      /no program/,
    );
    chmodSync(bin, 0o755);
    assert.match((await (await provider('ngrok', { bin })).inspect()).summary, /my tunnel \(mine\)/);
  });
});

describe('reading output', () => {
  test('cloudflared: only the box holds the address', () => {
    const line = (text: string) => readCloudflaredLine(text)?.origin;
    assert.equal(
      line('2026-10-01T00:00:00Z INF |  https://a-b-c.trycloudflare.com    |'),
      'https://a-b-c.trycloudflare.com',
    );
    assert.equal(
      line('2026-10-01T00:00:00Z INF Requesting new quick Tunnel on trycloudflare.com...'),
      undefined,
    );
    assert.equal(line('see https://api.trycloudflare.com/tunnel'), undefined);
    assert.equal(line('ERR failed to request: Post "https://api.trycloudflare.com/tunnel": EOF'), undefined);
  });

  test('lines: cut characters, carriage returns, colours, no end', () => {
    const lines: string[] = [];
    const output = new OutputLines((text) => lines.push(text));
    const bytes = Buffer.from('ä\r\n\u001b[31mred\u001b[0m\nlast');
    for (const byte of bytes) output.add(Buffer.from([byte]));
    output.end();
    assert.deepEqual(
      lines.filter((text) => text !== ''),
      ['ä', 'red', 'last'],
    );
    output.add(Buffer.alloc(100_000, 'x'));
    assert.ok(lines.every((text) => text.length <= 16 * 1024));
  });

  test('addresses: https, or http on this machine', () => {
    assert.equal(publicOrigin('https://x.example/path?x'), 'https://x.example');
    assert.equal(publicOrigin('http://127.0.0.1:80/'), 'http://127.0.0.1');
    for (const bad of ['http://x.example', 'ftp://x', 'https://u@x.example', 'x', ''])
      assert.equal(publicOrigin(bad), undefined);
    assert.equal(urlFinder(undefined)('at (https://x.example/y), see'), 'https://x.example');
    assert.equal(urlFinder('host=(\\S+)')('host=x.example '), 'https://x.example');
    assert.throws(() => urlFinder('('), /no regular expression/);
  });
});
