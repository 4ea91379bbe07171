/** Each line of doctor, in the good and in the bad state. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Check, DoctorContext, Finding } from '../../src/cli/doctor/check.ts';
import { CHECKS, doctor, findingLine } from '../../src/cli/doctor.ts';
import { openInstances } from '../../src/cli/instances.ts';
import type { SettingName } from '../../src/config/definitions.ts';
import { loadSettings } from '../../src/config/load.ts';
import { UsageError } from '../../src/config/usage-error.ts';
import { processStartTime } from '../../src/runtime/process-identity.ts';
import { findRipgrep } from '../../src/runtime/ripgrep-asset.ts';
import { which } from '../../src/runtime/which.ts';

describe('doctor', () => {
  let base: string;
  let folder: string;
  let stateDir: string;
  let outside: Server;
  let outsideUrl: URL;
  let skewMs = 0;
  before(async () => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'lc-doctor-')));
    outside = createServer((request, response) => {
      response.sendDate = false;
      response.setHeader('date', new Date(Date.now() + skewMs).toUTCString());
      response.end(request.url === '/health' ? '{}' : 'x');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => outside.once('listening', resolve));
    outsideUrl = new URL(`http://127.0.0.1:${(outside.address() as AddressInfo).port}`);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(base, 'project-'));
    stateDir = mkdtempSync(join(base, 'state-'));
    skewMs = 0;
  });
  after(() => {
    outside.close();
    rmSync(base, { recursive: true, force: true });
  });

  const context = async (
    flags: Partial<Record<SettingName, unknown>> = {},
    more: Partial<DoctorContext> = {},
  ): Promise<DoctorContext> => ({
    settings: await loadSettings(
      new Map(Object.entries({ 'state-dir': stateDir, port: '0', ...flags }) as [SettingName, unknown][]),
      {},
      folder,
    ),
    stateDir,
    env: process.env,
    outside: { url: outsideUrl, why: 'a test' },
    timeoutMs: 3_000,
    findRipgrep,
    ...more,
  });
  const line = (name: string): Check => {
    const found = CHECKS.find(([known]) => known === name);
    assert.ok(found, name);
    return found[1];
  };
  const says = (finding: Finding, state: Finding['state'], words: RegExp) => {
    assert.match(`${finding.says}. ${finding.fix ?? ''}`, words);
    assert.equal(finding.state, state, finding.says);
    assert.equal(finding.fix === undefined, state === 'ok', 'a fix where something is wrong, and only there');
  };
  const noPath = () => ({ env: { PATH: join(base, 'nothing') } });
  const script = (name: string, text: string) => {
    const bin = mkdtempSync(join(base, 'bin-'));
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
    return { env: { PATH: bin } };
  };

  test('workspace', async () => {
    says(await line('workspace')(await context()), 'ok', new RegExp(folder));
    says(await line('workspace')(await context({ workspace: [homedir()] })), 'warn', /everything you have/);
    const gone = await context();
    rmSync(folder, { recursive: true });
    says(await line('workspace')(gone), 'fail', /is no folder\. name an existing/);
  });

  test('access and prompts', async () => {
    says(await line('access')(await context()), 'warn', /full.*--access workspace/);
    says(await line('access')(await context({ access: 'workspace' })), 'ok', /PATH_OUTSIDE_WORKSPACE/);
    says(await line('access')(await context({ access: 'read-only' })), 'ok', /read-only/);
    says(await line('prompts')(await context()), 'ok', /always allow/);
    says(await line('prompts')(await context({ approve: 'all' })), 'warn', /--approve destructive/);
  });

  test('git', async () => {
    says(await line('git')(await context()), 'ok', /\d+\.\d+.* at \//);
    says(await line('git')(await context({}, noPath())), 'fail', /GIT_NOT_FOUND.*(install|winget|xcode)/);
    says(
      await line('git')(await context({}, script('git', 'echo git version 2.17.1'))),
      'fail',
      /older than 2\.30/,
    );
    says(await line('git')(await context({}, script('git', 'exit 1'))), 'fail', /does not start/);
  });

  test('ripgrep', async () => {
    says(await line('ripgrep')(await context()), 'ok', /ripgrep \d+/);
    const nowhere = { findRipgrep: async () => undefined };
    says(await line('ripgrep')(await context({}, nowhere)), 'warn', /slower engine.*--state-dir/);
  });

  test('shell', async () => {
    says(await line('shell')(await context()), 'ok', /sh|cmd/);
    says(
      await line('shell')(await context({ shell: '/nowhere/bash' })),
      'fail',
      /\/nowhere\/bash is no program.*--shell/,
    );
    says(await line('shell')(await context({ shell: 'csh' })), 'fail', /No shell was found/);
  });

  test('sandbox', async (t) => {
    says(await line('sandbox')(await context({ access: 'read-only' })), 'ok', /not needed/);
    if ((await which('bwrap')) !== undefined)
      says(
        await line('sandbox')(await context({ access: 'workspace' })),
        'ok',
        /bubblewrap confines commands/,
      );
    const without = await context({ access: 'workspace' }, noPath());
    if (process.platform === 'linux') {
      says(await line('sandbox')(without), 'fail', /commands are off.*bubblewrap/);
      says(await line('sandbox')(await context({}, noPath())), 'ok', /needed for --access workspace alone/);
    } else t.diagnostic('the sandbox of this platform cannot be hidden');
  });

  test('port', async () => {
    says(await line('port')(await context()), 'ok', /free one/);
    const taken = (outside.address() as AddressInfo).port;
    says(await line('port')(await context({ port: String(taken) })), 'fail', /is taken.*--port 0/);
    await asInstance(taken, async () => {
      says(await line('port')(await context({ port: String(taken) })), 'ok', /held by local-coder/);
    });
  });

  test('server', async () => {
    says(await line('server')(await context()), 'warn', /no instance serves.*local-coder --workspace/);
    await asInstance((outside.address() as AddressInfo).port, async () => {
      says(await line('server')(await context()), 'ok', /answers at 127\.0\.0\.1/);
    });
    await asInstance(1, async () => {
      says(await line('server')(await context()), 'fail', /does not answer.*local-coder stop/);
    });
  });

  test('calls', async () => {
    says(await line('calls')(await context()), 'warn', /no tool was ever called.*name the connector/);
    mkdirSync(join(stateDir, 'audit'));
    const entry = {
      time: new Date(Date.now() - 5 * 60_000).toISOString(),
      tool: 'grep',
      client: 'openai-mcp 1.0.0',
      target: '',
      outcome: 'ok',
      duration_ms: 1,
      result_bytes: 1,
      pid: 1,
    };
    writeFileSync(join(stateDir, 'audit', 'audit.jsonl'), `${JSON.stringify(entry)}\n`);
    says(await line('calls')(await context()), 'ok', /last 5 min ago by openai-mcp 1\.0\.0: grep ok/);
  });

  test('proxy', async () => {
    const url = { outside: { url: new URL('https://example.org'), why: 'a test' } };
    says(await line('proxy')(await context({}, { ...url, env: {} })), 'ok', /no proxy variable/);
    const env = { HTTPS_PROXY: 'http://user:secret@proxy.example:3128' };
    const found = await line('proxy')(await context({}, { ...url, env }));
    says(found, 'ok', /through proxy\.example:3128/);
    assert.ok(!found.says.includes('secret'));
    const socks = { HTTPS_PROXY: 'socks5://user:secret@proxy.example' };
    const refused = await line('proxy')(await context({}, { ...url, env: socks }));
    says(refused, 'fail', /https_proxy|HTTPS_PROXY/i);
    assert.ok(!refused.says.includes('secret'));
  });

  test('reachability and clock', async () => {
    const good = await context();
    says(await line('clock')(good), 'warn', /cannot be compared/);
    says(await line('reachability')(good), 'ok', /127\.0\.0\.1:\d+ answers/);
    says(await line('clock')(good), 'ok', /right/);
    skewMs = 10 * 60_000;
    const wrong = await context();
    await line('reachability')(wrong);
    says(await line('clock')(wrong), 'fail', /\d{3} s behind.*automatic time/);
    const nobody = { outside: { url: new URL('http://127.0.0.1:1'), why: 'a test' } };
    says(
      await line('reachability')(await context({ tunnel: 'ngrok' }, nobody)),
      'fail',
      /cannot be reached.*HTTPS_PROXY/,
    );
    says(await line('reachability')(await context({}, nobody)), 'warn', /cannot be reached/);
  });

  test('tunnel and address', async () => {
    says(await line('tunnel')(await context()), 'warn', /--tunnel cloudflare/);
    says(
      await line('tunnel')(await context({ tunnel: 'cloudflare' }, noPath())),
      'fail',
      /not installed.*--tunnel-install/,
    );
    const there = script('cloudflared', 'echo cloudflared version 2026.9.3');
    says(
      await line('tunnel')(await context({ tunnel: 'cloudflare' }, there)),
      'ok',
      /version 2026\.9\.3.*quick tunnel/,
    );
    says(await line('tunnel')(await context({ tunnel: 'openai' }, { env: {} })), 'fail', /OPENAI_TUNNEL_ID/);
    says(await line('address')(await context()), 'ok', /nothing is public/);
    says(
      await line('address')(await context({ tunnel: 'cloudflare' })),
      'warn',
      /another one at every start/,
    );
    says(await line('address')(await context({ tunnel: 'tailscale' })), 'ok', /the same/);
    says(await line('address')(await context({ 'public-url': 'https://x.example' })), 'ok', /the same/);
  });

  test('the command: one line each, 1 when one fails, a missing folder is a line', async () => {
    const run = async (flags: Partial<Record<SettingName, unknown>>) => {
      let text = '';
      const all = {
        'state-dir': stateDir,
        port: '0',
        tunnel: 'openai',
        'tunnel-base-url': outsideUrl.href,
        ...flags,
      };
      const code = await doctor(new Map(Object.entries(all) as [SettingName, unknown][]), {
        write: (part: string) => (text += part),
      });
      return { code, lines: text.trimEnd().split('\n') };
    };
    const { code, lines } = await run({ workspace: [join(base, 'missing')] });
    assert.equal(code, 1);
    assert.equal(lines.length, CHECKS.length);
    assert.match(lines[0] ?? '', /^FAIL {2}workspace +The folder .*missing.* does not exist\. Fix: /);
    for (const [index, [name]] of CHECKS.entries())
      assert.match(lines[index] ?? '', new RegExp(`^(ok  |warn|FAIL)  ${name} `));
    process.env['OPENAI_TUNNEL_ID'] = `tunnel_${'a'.repeat(32)}`;
    process.env['OPENAI_TUNNEL_API_KEY'] = 'sk-a-key-of-a-test';
    try {
      const fine = await run({ workspace: [folder] });
      assert.equal(fine.code, 0, fine.lines.join('\n'));
      assert.ok(!fine.lines.join('\n').includes('sk-a-key'));
    } finally {
      delete process.env['OPENAI_TUNNEL_ID'];
      delete process.env['OPENAI_TUNNEL_API_KEY'];
    }
    await assert.rejects(run({ port: 'x' }), UsageError);
  });

  test('what strangers named cannot reach the terminal', () => {
    const shown = findingLine('calls', { state: 'ok', says: 'a\u001b[2Jb\nc' }, {});
    assert.doesNotMatch(shown, /\u001b|\n/);
  });

  /** Runs with this process entered as the instance that serves the folder on a port. */
  async function asInstance(port: number, work: () => Promise<void>): Promise<void> {
    const instances = await openInstances(stateDir);
    const instance = {
      pid: process.pid,
      startTime: (await processStartTime(process.pid)) ?? '',
      host: '127.0.0.1',
      port,
      roots: [folder],
      access: 'full',
      version: '0',
      startedAtMs: Date.now(),
    };
    instances.add(instance);
    try {
      await work();
    } finally {
      instances.remove(instance);
      instances.close();
    }
  }
});
