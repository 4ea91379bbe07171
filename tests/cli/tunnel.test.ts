import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { programCommand, programEnvironment, runToEnd } from '../support/programs.ts';

const ID = `tunnel_${'0a'.repeat(16)}`;
const KEY = 'sk-the-right-key-of-a-test';

describe('local-coder tunnel', () => {
  let base: string;
  let stateDir: string;
  let service: Server;
  let url: string;
  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'lc-tunnel-cli-'));
    service = createServer((request, response) => {
      const right = request.headers.authorization === `Bearer ${KEY}` && request.url === `/v1/tunnels/${ID}`;
      response.writeHead(right ? 200 : 401, { 'content-type': 'application/json' });
      response.end(
        right
          ? JSON.stringify({ id: ID, name: 'my tunnel' })
          : '{"error":{"code":"invalid_api_key","message":"no"}}',
      );
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => service.once('listening', resolve));
    url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    stateDir = mkdtempSync(join(base, 'state-'));
  });
  after(() => {
    service.close();
    rmSync(base, { recursive: true, force: true });
  });

  const init = async (answers: string) => {
    const { command, args } = await programCommand('source', [
      ...['tunnel', 'init', 'openai', '--state-dir', stateDir, '--tunnel-base-url', url],
    ]);
    const child = spawn(command, args, { cwd: base, env: programEnvironment(), stdio: 'pipe' });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (output.stdout += chunk));
    child.stderr.on('data', (chunk) => (output.stderr += chunk));
    child.stdin.end(answers);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    assert.ok(!`${output.stdout}${output.stderr}`.includes(KEY), 'the key is never shown');
    return { code, ...output };
  };

  test('list names each with what it lacks; nothing else is printed', async () => {
    const listed = await runToEnd({
      args: [
        'tunnel',
        'list',
        '--state-dir',
        stateDir,
        '--tunnel',
        'custom',
        '--tunnel-command',
        'my-tunnel {port}',
      ],
      env: { PATH: join(base, 'nothing') },
    });
    assert.equal(listed.exitCode, 0, listed.stderr);
    const lines = listed.stdout.trimEnd().split('\n');
    assert.equal(lines.length, 7);
    assert.match(
      lines[0] ?? '',
      /^ {2}cloudflare {2}missing {2}cloudflared is not installed\. Start once with --tunnel-install/,
    );
    assert.match(lines[1] ?? '', /^ {2}openai {6}missing .*tunnel init openai/);
    assert.match(
      lines[5] ?? '',
      /^ {2}relay {7}missing {2}This machine is not paired with a relay\..*local-coder pair/,
    );
    assert.match(lines[6] ?? '', /^\* custom {6}ready {4}command my-tunnel\.$/);
    const wrong = await runToEnd({ args: ['tunnel', 'lsit', '--state-dir', stateDir] });
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /Usage: local-coder tunnel list \| init openai/);
  });

  test('init openai asks, checks and stores', async () => {
    const done = await init(`${ID}\n${KEY}\n`);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /The service accepts them \(my tunnel\)\. Stored in/);
    const file = join(stateDir, 'openai-tunnel.json');
    if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).api_key, KEY);
    const listed = await runToEnd({
      args: ['tunnel', 'list', '--state-dir', stateDir, '--tunnel-base-url', url],
    });
    assert.match(listed.stdout, new RegExp(`openai {6}ready +configured for ${ID}`));
  });

  test('init openai stores nothing that is not accepted', async () => {
    const refused = await init(`${ID}\nsk-another-key\n`);
    assert.equal(refused.code, 5, refused.stderr);
    assert.match(refused.stderr, /Nothing was stored/);
    assert.equal((await init('not an id\n')).code, 2);
    assert.equal((await init('')).code, 2);
    assert.throws(() => statSync(join(stateDir, 'openai-tunnel.json')));
  });

  test('a tunnel is not for --stdio', async () => {
    const ended = await runToEnd({ args: ['--stdio', '--tunnel', 'cloudflare', '--state-dir', stateDir] });
    assert.equal(ended.exitCode, 2);
    assert.match(ended.stderr, /--stdio serves the one client/);
  });
});
