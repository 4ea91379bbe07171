import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { passwordMatches } from '../../../src/relay/identity/password.ts';
import { programCommand, type Shape, shapesUnderTest } from '../../support/programs.ts';
import { pair, TestAgent } from '../core/support/agent.ts';
import { connectClient, sealedField, TestBrowser } from '../core/support/browser.ts';
import { callTool, rpc } from '../core/support/mcp.ts';

const CODE = /One-time code: ([A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4})/;

type Program = ChildProcessByStdio<Writable, Readable, Readable>;

for (const shape of shapesUnderTest()) {
  describe(`local-coder relay (${shape})`, () => relayCommand(shape));
}

function relayCommand(shape: Shape): void {
  let folder: string;
  let program: Program;
  let url: string;
  let code: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-coder-relay-'));
    program = await start(shape, folder, ['relay', '--port', '0']);
    const printed = await outputUntil(program, CODE);
    url = /^Relay\s+(http:\S+)$/m.exec(printed)?.[1] ?? '';
    code = CODE.exec(printed)?.[1] ?? '';
    assert.match(printed, new RegExp(`^Connector +${url}/mcp$`, 'm'));
  });
  after(async () => {
    program.kill('SIGTERM');
    if (program.exitCode === null) await once(program, 'exit');
    await rm(folder, { recursive: true, force: true });
  });

  test('the owner signs in by the code of the terminal, once; pairs an agent; suspends and resumes', async () => {
    const browser = new TestBrowser();
    const page = await browser.open(`${url}/`);
    assert.match(page.html, /Sign in as the owner/);
    const request = sealedField(page.html);
    const send = (typed: string) => browser.send(`${url}/sign-in/code`, { request, code: typed });
    assert.equal((await send('ACDE-FGHJ-KMNP')).status, 403);
    const home = await send(` ${code.toLowerCase()} `);
    assert.match(home.html, /Your agents/);
    assert.match(home.html, /the owner/);
    assert.equal((await send(code)).status, 403);

    const { token } = await connectClient(url, browser);
    const offered = await callTool(url, token, 'createAgentPairingCode');
    const credential = await pair(url, String(offered.data['pairingCode']));
    const workspaces = [{ workspaceId: 'w', displayName: 'W' }];
    const agent = await TestAgent.connect(url, credential, { workspaces });
    assert.equal((await callTool(url, token, 'listTree', { workspaceId: 'w' })).ok, true);

    const users = await run(shape, folder, ['relay', 'users']);
    const id = /^(user_\S+) {2}owner/m.exec(users.stdout)?.[1] ?? '';
    assert.equal((await run(shape, folder, ['relay', 'suspend', id])).exitCode, 0);
    assert.equal((await rpc(url, token, 'tools/list', {})).status, 403);
    assert.equal(await agent.closed, 4001);
    assert.equal((await run(shape, folder, ['relay', 'resume', id])).exitCode, 0);
    assert.equal((await rpc(url, token, 'tools/list', {})).status, 200);
    assert.equal((await run(shape, folder, ['relay', 'suspend', 'user_nobody'])).exitCode, 1);

    const another = CODE.exec((await run(shape, folder, ['relay', 'code'])).stdout)?.[1] ?? '';
    const second = new TestBrowser();
    const form = sealedField((await second.open(`${url}/sign-in`)).html);
    assert.match(
      (await second.send(`${url}/sign-in/code`, { request: form, code: another })).html,
      /Your agents/,
    );
  });

  test('no secret reaches the log', async () => {
    const agentToken = 'lc_agent_0123456789012345678901234567890123456789';
    const logged = outputUntil(program, /GET \/agent\/connect → 401/, 'stderr');
    assert.equal(await TestAgent.refusal(url, agentToken), 401);
    assert.ok(!(await logged).includes(agentToken));
  });

  test('hash-password reads standard input', async () => {
    const { stdout } = await run(shape, folder, ['relay', 'hash-password'], {}, 'a long password\n');
    assert.match(stdout, /^scrypt:/);
    assert.ok(await passwordMatches('a long password', stdout.trim()));
    assert.ok(!(await passwordMatches('another password', stdout.trim())));
    assert.equal((await run(shape, folder, ['relay', 'hash-password'], {}, 'short')).exitCode, 2);
  });

  const refused: readonly [string, string[], Record<string, string>, number, RegExp][] = [
    ['an unknown word', ['relay', 'dance'], {}, 2, /Usage: local-coder relay/],
    ['a public URL with a path', ['relay', '--public-url', 'https://a.example/x'], {}, 2, /without a path/],
    [
      'the development sign-in in public',
      ['relay', '--port', '0', '--public-url', 'https://a.example'],
      { DEV_AUTH_BYPASS_ENABLED: 'true' },
      5,
      /loopback/,
    ],
    [
      'half of the GitHub app',
      ['relay', '--port', '0'],
      { GITHUB_CLIENT_ID: 'x' },
      2,
      /GITHUB_CLIENT_SECRET/,
    ],
    [
      'a reviewer’s password in plain',
      ['relay', '--port', '0'],
      { REVIEW_EMAIL: 'a@b.example', REVIEW_PASSWORD_HASH: 'secret' },
      2,
      /hash-password/,
    ],
  ];
  for (const [what, args, env, exitCode, message] of refused) {
    test(`refuses ${what}`, async () => {
      const outcome = await run(shape, folder, args, env);
      assert.equal(outcome.exitCode, exitCode, outcome.stderr);
      assert.match(outcome.stderr, message);
      assert.ok(!outcome.stderr.includes('    at '));
    });
  }

  test('refuses a taken port', async () => {
    const outcome = await run(shape, folder, ['relay', '--port', new URL(url).port]);
    assert.equal(outcome.exitCode, 3, outcome.stderr);
  });

  test('the development sign-in works on loopback', async () => {
    const own = await mkdtemp(join(tmpdir(), 'local-coder-relay-'));
    const dev = await start(shape, own, ['relay', '--port', '0'], { DEV_AUTH_BYPASS_ENABLED: 'true' });
    try {
      const at = /^Relay\s+(http:\S+)$/m.exec(await outputUntil(dev, CODE))?.[1] ?? '';
      const browser = new TestBrowser();
      const page = await browser.open(`${at}/sign-in/dev`);
      const home = await browser.send(`${at}/sign-in/dev`, { request: sealedField(page.html) });
      assert.match(home.html, /the developer/);
    } finally {
      dev.kill('SIGTERM');
      await once(dev, 'exit');
      await rm(own, { recursive: true, force: true });
    }
  });
}

async function start(
  shape: Shape,
  folder: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Program> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(LOCAL_CODER_|GITHUB_|REVIEW_|RELAY_|DEV_AUTH|OAUTH_|PORT$|NODE_OPTIONS$)/.test(name),
  );
  const program = await programCommand(shape, [...args, '--state-dir', join(folder, 'state')]);
  return spawn(program.command, program.args, {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), HOME: folder, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

async function run(
  shape: Shape,
  folder: string,
  args: string[],
  env: Record<string, string> = {},
  input = '',
) {
  const child = await start(shape, folder, args, env);
  child.stdin.end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, stdout, stderr };
}

/** What the program has printed when the pattern appears. */
async function outputUntil(program: Program, pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout') {
  let text = '';
  program.stderr.resume();
  for await (const chunk of program[stream].iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (pattern.test(text)) break;
  }
  assert.match(text, pattern);
  return text;
}
