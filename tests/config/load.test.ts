import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { SettingName } from '../../src/config/definitions.ts';
import { loadSettings } from '../../src/config/load.ts';
import { UsageError } from '../../src/config/usage-error.ts';

describe('settings', () => {
  let base: string;
  let folder: string;
  let state: string;
  before(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'lc-config-')));
  });
  after(() => rm(base, { recursive: true, force: true }));
  beforeEach(async () => {
    folder = await mkdtemp(join(base, 'project-'));
    state = await mkdtemp(join(base, 'state-'));
  });

  const load = (flags: Partial<Record<SettingName, unknown>> = {}, env: NodeJS.ProcessEnv = {}) =>
    loadSettings(
      new Map(Object.entries(flags) as [SettingName, unknown][]),
      { LOCAL_CODER_STATE_DIR: state, ...env },
      folder,
    );
  const refused = async (promise: Promise<unknown>, words: RegExp, exitCode = 2) => {
    await assert.rejects(promise, (error: unknown) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, words);
      assert.equal(error.exitCode, exitCode);
      return true;
    });
  };

  test('the defaults serve the current folder on loopback', async () => {
    const settings = await load();
    assert.deepEqual(settings.workspace, [folder]);
    assert.equal(settings.port, 3000);
    assert.equal(settings.host, '127.0.0.1');
    assert.equal(settings.access, 'full');
    assert.equal(settings.yield, 10_000);
    assert.deepEqual(settings.warnings, []);
  });

  test('flag wins over environment, environment over .env, .env over the configuration file', async () => {
    await writeFile(join(state, 'config.json'), '{ // ports\n "port": 1111, "yield": 500, }');
    assert.equal((await load()).port, 1111);
    assert.equal((await load()).yield, 500);
    await writeFile(join(folder, '.env'), 'PORT=2222\n');
    assert.equal((await load()).port, 2222);
    assert.equal((await load({}, { PORT: '3333' })).port, 3333);
    assert.equal((await load({}, { PORT: '3333', LOCAL_CODER_PORT: '4444' })).port, 4444);
    assert.equal((await load({ port: '5555' }, { LOCAL_CODER_PORT: '4444' })).port, 5555);
  });

  test('the older variables mean what they meant', async () => {
    const other = join(folder, 'sub');
    await mkdir(other);
    const settings = await load(
      {},
      { WORKSPACE_PATH: other, SHELL_TIMEOUT: '30', MCP_SESSION_RECOVERY: 'true', FULL_DISK_ACCESS: 'true' },
    );
    assert.deepEqual(settings.workspace, [other]);
    assert.equal(settings['shell-timeout'], 30);
    assert.equal(
      (await load({}, { AUDIT_LOG_PATH: 'audit.jsonl' }))['audit-log'],
      join(folder, 'audit.jsonl'),
    );
    assert.equal(settings.access, 'full');
  });

  test('a bad value names its source and what is allowed', async () => {
    await refused(load({ port: '99999' }), /^--port is "99999", but it must be a number from 0 to 65535/);
    await refused(
      load({}, { LOCAL_CODER_RESULTS: 'xml' }),
      /^LOCAL_CODER_RESULTS in the environment is "xml".*auto, both/,
    );
    await writeFile(join(state, 'config.json'), '{"log-level": "loud"}');
    await refused(load(), /"log-level" in .*config\.json is "loud"/);
    await writeFile(join(state, 'config.json'), '{"prot": 1}');
    await refused(load(), /"prot" in .*config\.json is not a setting/);
    await writeFile(join(state, 'config.json'), '{"port": }');
    await refused(load(), /config\.json is not valid JSON/);
  });

  test('the viewer is read-only whatever else is said', async () => {
    assert.equal((await load({ tools: 'viewer', access: 'full' })).access, 'read-only');
    assert.equal((await load({ tools: 'slim' })).access, 'full');
  });

  test('tunnels and public addresses are checked', async () => {
    assert.equal((await load({ tunnel: 'cloudflare' })).tunnel, 'cloudflare');
    await refused(load({ tunnel: 'bore' }), /--tunnel is "bore", but it must be none, cloudflare/);
    const url = 'https://code.example.org/';
    assert.equal((await load({ 'public-url': url }))['public-url'], url);
    assert.equal(
      (await load({ 'public-url': 'http://127.0.0.1:8080' }))['public-url'],
      'http://127.0.0.1:8080',
    );
    for (const bad of [
      'http://example.org',
      'example.org',
      'ftp://example.org',
      'https://',
      'https://x.example/mcp',
    ])
      await refused(load({ 'public-url': bad }), /it must be an https URL/);
    await refused(load({ 'public-port': '70000' }), /it must be a number from 0 to 65535/);
    await refused(load({ 'tunnel-version': '../../x' }), /it must be a version such as/);
    await writeFile(join(folder, '.env'), 'LOCAL_CODER_TUNNEL=custom\nLOCAL_CODER_TUNNEL_COMMAND=x {port}\n');
    const settings = await load();
    assert.equal(settings.tunnel, undefined, 'a project file cannot open a way in');
    assert.equal(settings['tunnel-command'], undefined);
  });

  test('access modes and the sandbox can be chosen; a bad value is refused', async () => {
    assert.equal((await load({ access: 'read-only' })).access, 'read-only');
    assert.equal((await load({}, { FULL_DISK_ACCESS: 'false' })).access, 'workspace');
    const settings = await load({
      access: 'workspace',
      'sandbox-network': 'off',
      'sandbox-read': ['/opt/sdk'],
    });
    assert.equal(settings['sandbox-network'], 'off');
    assert.deepEqual(settings['sandbox-read'], ['/opt/sdk']);
    await refused(load({ 'sandbox-network': 'maybe' }), /--sandbox-network is "maybe".*on or off/);
    await refused(load({ access: 'none' }), /full, workspace or read-only/);
  });

  test('a project file may tighten and name its own folders, nothing else', async () => {
    await mkdir(join(folder, 'inner'));
    await writeFile(
      join(folder, '.env'),
      'WORKSPACE_PATH=inner\nLOCAL_CODER_STATE_DIR=/tmp/evil\nLOCAL_CODER_SHELL=/tmp/evil-shell\nLOCAL_CODER_TOOLS=slim\nCHATGPT_AUTO_APPROVE=true\nOPENAI_TUNNEL_API_KEY=sk-x\n',
    );
    const settings = await load({ tools: 'full' });
    assert.deepEqual(settings.workspace, [join(folder, 'inner')]);
    assert.equal(settings['state-dir'], state);
    assert.equal(settings.shell, undefined);
    assert.equal(settings.tools, 'slim', 'a tighter value of the project wins over a looser flag');
    const warnings = settings.warnings.join('\n');
    for (const name of ['LOCAL_CODER_STATE_DIR', 'LOCAL_CODER_SHELL', 'CHATGPT_AUTO_APPROVE'])
      assert.match(warnings, new RegExp(`${name} in .env is ignored`));
    assert.match(warnings, /OPENAI_TUNNEL_API_KEY in .env can be read there by the model/);
    assert.deepEqual(settings.projectCredentials, { OPENAI_TUNNEL_API_KEY: 'sk-x' });
  });

  test('a project file cannot loosen, nor lead out of its folder', async () => {
    await writeFile(join(folder, '.env'), 'WORKSPACE_PATH=..\nLOCAL_CODER_TOOLS=full\n');
    const settings = await load({ tools: 'slim' });
    assert.equal(settings.tools, 'slim');
    assert.deepEqual(settings.workspace, [folder]);
    assert.match(settings.warnings.join(), /WORKSPACE_PATH in .env is ignored/);
    await rm(join(folder, '.env'));
    await writeFile(join(folder, '.local-coder.json'), '{"port": 4321, "shell": "evil"}');
    const second = await load();
    assert.equal(second.port, 4321);
    assert.equal(second.shell, undefined);
    assert.match(second.warnings.join(), /"shell" in .local-coder.json is ignored/);
  });

  test('a folder that cannot be served ends with code 4 and says why', async () => {
    await refused(load({ workspace: [join(folder, 'missing')] }), /does not exist/, 4);
    await writeFile(join(folder, 'file'), '');
    await refused(load({ workspace: [join(folder, 'file')] }), /is a file; name a folder/, 4);
  });
});
