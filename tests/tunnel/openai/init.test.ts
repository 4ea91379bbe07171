import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { programCommand, programEnvironment, startServer } from '../../support/programs.ts';
import { TestControlPlane } from './support/control-plane.ts';
import { until } from './support/setup.ts';

describe('local-coder tunnel init openai', { timeout: 60_000 }, () => {
  let stateDir: string;
  let service: TestControlPlane;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'lc-init-'));
    service = new TestControlPlane();
    await service.start();
  });
  afterEach(async () => {
    await service.stop();
    await rm(stateDir, { recursive: true, force: true });
  });
  const args = () => ['--state-dir', stateDir, '--tunnel-base-url', service.baseUrl];
  const stored = async () => (await readdir(stateDir)).filter((name) => name.includes('openai'));

  /** Runs the command with the given text on its standard input. */
  async function init(input: string) {
    const { command, args: all } = await programCommand('source', ['tunnel', 'init', 'openai', ...args()]);
    const child = spawn(command, all, { cwd: stateDir, env: programEnvironment(), stdio: 'pipe' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.stdin.end(input);
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { exitCode, output };
  }

  test('asks, checks, and stores what --tunnel openai then uses', async () => {
    const { exitCode, output } = await init(`${service.tunnelId}\n${service.apiKey}\n`);
    assert.equal(exitCode, 0, output);
    assert.match(output, /accepts them \(Test tunnel\)/);
    assert.ok(!output.includes(service.apiKey));
    assert.deepEqual(await stored(), ['openai-tunnel.json']);
    const file = join(stateDir, 'openai-tunnel.json');
    if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.match(await readFile(file, 'utf8'), new RegExp(service.apiKey));
    const server = await startServer({ args: ['--tunnel', 'openai', ...args()], cwd: stateDir });
    await until(() => service.polls.length > 0);
    assert.equal(await server.stop(), 0);
    assert.deepEqual(service.breaches, []);
  });

  test('what is refused is not stored: exit 5 and which key', async () => {
    service.fault = () => ({ status: 401 });
    const { exitCode, output } = await init(`${service.tunnelId}\n${service.apiKey}\n`);
    assert.equal(exitCode, 5);
    assert.match(output, /does not accept the API key.*OPENAI_TUNNEL_API_KEY.*Nothing was stored/s);
    assert.ok(!output.includes(service.apiKey));
    assert.deepEqual(await stored(), []);
  });

  test('answers that cannot be right, or none, are wrong usage and ask nobody', async () => {
    for (const input of ['', 'tunnel_1\n', `${service.tunnelId}\n`, `${service.tunnelId}\n"quoted key"\n`]) {
      const { exitCode, output } = await init(input);
      assert.equal(exitCode, 2, output);
      assert.match(output, /Nothing was stored/);
    }
    assert.equal(service.attempts.metadata, 0);
    assert.deepEqual(await stored(), []);
  });
});
