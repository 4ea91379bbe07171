/** The ssh tunnel against a real OpenSSH server on a loopback port, with keys and configuration of its own. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { stopTree } from '../../src/runtime/process-tree.ts';
import { freePort } from '../../src/tunnel/free-port.ts';
import type { ProviderContext } from '../../src/tunnel/provider-context.ts';
import { parseDestination, sshProvider } from '../../src/tunnel/ssh.ts';
import { TunnelError } from '../../src/tunnel/types.ts';
import { processesWith, until } from './support/processes.ts';

const SSHD = ['/usr/sbin/sshd', '/usr/bin/sshd', '/usr/libexec/sshd'].find((file) => existsSync(file));

describe('ssh -R', { skip: SSHD === undefined && 'only on Linux with the package openssh-server' }, () => {
  let folder: string;
  let stateDir: string;
  let sshd: ChildProcess;
  let sshdLog = '';
  let sshPort: number;
  let local: Server;
  let port: number;
  const { username } = userInfo();
  const file = (name: string) => join(folder, name);
  const keygen = (name: string) =>
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)], { stdio: 'pipe' });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lc-ssh-'));
    local = createServer((_, response) => response.end('the local server')).listen(0, '127.0.0.1');
    await new Promise((resolve) => local.once('listening', resolve));
    port = (local.address() as AddressInfo).port;
    for (const key of ['host', 'user', 'stranger']) keygen(key);
    writeFileSync(file('authorized'), readFileSync(file('user.pub')));
    // The client finds its key, and nothing else of this machine's, by its home folder's configuration.
    mkdirSync(file('home/.ssh'), { recursive: true, mode: 0o700 });
    sshPort = await freePort();
    await startServer();
  });
  beforeEach(() => {
    stateDir = mkdtempSync(file('state-'));
  });
  after(async () => {
    await stopServer();
    local.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** @param greeting what the server's forced command prints, as a forwarding service does */
  const startServer = async (greeting = '') => {
    const command = file('greeting.sh');
    writeFileSync(command, `#!/bin/sh\n${greeting}\nexec cat\n`);
    chmodSync(command, 0o755);
    const config = [
      `Port ${sshPort}`,
      'AddressFamily inet',
      'ListenAddress 127.0.0.1',
      `HostKey ${file('host')}`,
      `AuthorizedKeysFile ${file('authorized')}`,
      `PidFile ${file('sshd.pid')}`,
      'StrictModes no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin yes',
      'UsePAM no',
      'PrintMotd no',
      'AllowTcpForwarding remote',
      `ForceCommand ${command}`,
    ];
    writeFileSync(file('sshd_config'), `${config.join('\n')}\n`);
    // Debian's sshd wants its folder for privilege separation.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
    sshdLog = '';
    sshd = spawn(SSHD!, ['-D', '-e', '-f', file('sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
    sshd.stderr?.on('data', (chunk) => (sshdLog += chunk));
    await until(
      () => `sshd\n${sshdLog}`,
      () => /Server listening/.test(sshdLog),
    );
  };
  const stopServer = async () => {
    // Its sessions outlive a server that is told to end.
    if (sshd.pid !== undefined) await stopTree({ pid: sshd.pid }, { graceMs: 0 });
  };

  /** ssh reads no HOME but the account's own, so that key and identity come by a wrapper, as a user would set them in ~/.ssh/config. */
  const bin = (key = 'user') => {
    const wrapper = file(`ssh-${key}`);
    writeFileSync(wrapper, `#!/bin/sh\nexec ssh -F none -o IdentitiesOnly=yes -i "${file(key)}" "$@"\n`);
    chmodSync(wrapper, 0o755);
    return wrapper;
  };
  const start = (more: Partial<ProviderContext>, key = 'user', signal = AbortSignal.timeout(30_000)) =>
    sshProvider({
      stateDir,
      bin: bin(key),
      hostname: `${username}@127.0.0.1:${sshPort}`,
      ...more,
      env: { PATH: process.env['PATH'], LC_TEST_FOLDER: folder },
    }).start({ port, signal, onProgress: () => {} });
  const clients = () => processesWith(`LC_TEST_FOLDER=${folder}`);
  const fails = async (starting: Promise<unknown>, reason: string, words: RegExp) => {
    await assert.rejects(starting, (error) => {
      assert.ok(error instanceof TunnelError, String(error));
      assert.equal(error.reason, reason, error.message);
      assert.match(`${error.message} ${error.hint}`, words);
      return true;
    });
    assert.deepEqual(clients(), []);
  };

  test('a server of one’s own: the address is known, the port is forwarded, stop ends it', async () => {
    const remotePort = await freePort();
    const origin = `http://127.0.0.1:${remotePort}`;
    const tunnel = await start({
      hostname: `${username}@127.0.0.1:${sshPort}/${remotePort}`,
      publicOrigin: origin,
    });
    assert.deepEqual(tunnel.address, { kind: 'url', origin });
    assert.equal(await (await fetch(origin)).text(), 'the local server');
    assert.match(readFileSync(join(stateDir, 'tunnel', 'known_hosts'), 'utf8'), /ssh-ed25519/);
    await tunnel.stop();
    assert.deepEqual(await tunnel.ended, { reason: 'stopped' });
    assert.deepEqual(clients(), []);
    await assert.rejects(fetch(origin));
  });

  test('a forwarding service: the address stands in what it prints, not the links of its greeting', async () => {
    await stopServer();
    const remotePort = await freePort();
    await startServer(
      `echo "Welcome! See https://localhost.run/docs/ and https://admin.localhost.run/"\necho "follow https://twitter.com/localhost_run"\necho "abc.lhr.life tunneled with tls termination, https://abc.lhr.life"`,
    );
    const hostname = `${username}@127.0.0.1:${sshPort}/${remotePort}`;
    const tunnel = await start({ hostname });
    assert.deepEqual(tunnel.address, { kind: 'url', origin: 'https://abc.lhr.life' });
    assert.equal(await (await fetch(`http://127.0.0.1:${remotePort}`)).text(), 'the local server');
    await tunnel.stop();
    const own = await start({ hostname, urlPattern: 'follow (https://\\S+)' });
    assert.deepEqual(own.address, { kind: 'url', origin: 'https://twitter.com' });
    await stopServer();
    const end = await own.ended;
    assert.ok(end.reason === 'error' && end.error.reason === 'failed');
    assert.deepEqual(clients(), []);
    await startServer();
  });

  test('a taken port, a stranger’s key, another host key, no server', async () => {
    await fails(
      start({ hostname: `${username}@127.0.0.1:${sshPort}/${port}`, publicOrigin: 'http://127.0.0.1:1' }),
      'failed',
      /does not forward its port/,
    );
    await fails(start({}, 'stranger'), 'refused', /does not let .* in\./);
    // This state folder knows the server's key from the attempts above.
    const known = join(stateDir, 'tunnel', 'known_hosts');
    writeFileSync(known, `[127.0.0.1]:${sshPort} ${readFileSync(file('stranger.pub'), 'utf8')}`);
    await fails(start({}), 'refused', /host key of 127\.0\.0\.1 is not the one/);
    const nobody = await freePort();
    await fails(start({ hostname: `127.0.0.1:${nobody}` }), 'failed', /Connection refused.*firewall/s);
  });

  test('the other side is named in one form', () => {
    assert.deepEqual(parseDestination('me@h.example:2222/8080'), {
      login: 'me@h.example',
      host: 'h.example',
      port: '2222',
      remotePort: '8080',
    });
    assert.equal(parseDestination()?.login, 'nokey@localhost.run');
    for (const bad of ['-oProxyCommand=x', 'a b', 'me@', 'h:port', ''])
      assert.equal(parseDestination(bad), undefined, bad);
  });
});
