import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import { parse as parseToml } from 'smol-toml';
import { readArguments } from '../../src/cli/arguments.ts';
import type { ClientName, Scope } from '../../src/cli/client/clients.ts';
import { readConfigFile, replaceConfigFile } from '../../src/cli/client/config-file.ts';
import { configFile } from '../../src/cli/client/locations.ts';
import { client } from '../../src/cli/client.ts';
import { UsageError } from '../../src/config/usage-error.ts';
import { programCommand, programEnvironment, runToEnd } from '../support/programs.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const BACKUP = /\.local-coder-backup-\d{8}T\d{9}Z$/;

describe('client', () => {
  let base: string;
  let home: string;
  let project: string;
  let env: Record<string, string | undefined>;
  before(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'lc-client-')));
  });
  beforeEach(async () => {
    home = await mkdtemp(join(base, 'home-'));
    project = await mkdtemp(join(base, 'project '));
    env = {
      HOME: home,
      XDG_CONFIG_HOME: join(home, '.config'),
      CODEX_HOME: undefined,
      CLAUDE_CONFIG_DIR: undefined,
      LOCAL_CODER_STATE_DIR: join(home, 'state'),
      APPDATA: join(home, 'AppData'),
      VSCODE_PORTABLE: undefined,
    };
  });
  after(() => rm(base, { recursive: true, force: true }));

  const run = (...args: string[]) => runToEnd({ args: ['client', ...args], env, cwd: project });
  /** Without a process of its own. */
  const inProcess = (args: string[]) => {
    const { words, flags, values, switches } = readArguments(['client', ...args]);
    const machine = { platform: process.platform, env: {}, home, cwd: project };
    const own = {
      http: values.get('http')?.at(-1),
      name: values.get('name')?.at(-1),
      scope: values.get('scope')?.at(-1),
      yes: switches.has('yes'),
    };
    return client(words, flags, own, {
      machine,
      terminal: { input: new PassThrough(), output: new PassThrough() },
    });
  };
  /** Puts a fixture at its real place. @returns that place */
  const put = async (name: ClientName, scope: Scope, fixture: string) => {
    const machine = {
      platform: process.platform,
      env: { XDG_CONFIG_HOME: join(home, '.config') },
      home,
      cwd: project,
    };
    const file = await configFile(name, scope, machine);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, await readFile(join(fixtures, fixture)));
    return file;
  };
  const backupsOf = async (file: string) =>
    (await readdir(join(file, '..')))
      .filter((name) => BACKUP.test(name))
      .map((name) => join(file, '..', name));

  const cases: [ClientName, Scope, string, (text: string) => unknown][] = [
    ['claude-desktop', 'user', 'claude_desktop_config.json', (text) => JSON.parse(text).mcpServers],
    ['claude-code', 'user', 'claude.json', (text) => JSON.parse(text).mcpServers],
    ['codex', 'user', 'codex-config.toml', (text) => parseToml(text)['mcp_servers']],
    ['cursor', 'project', 'cursor-mcp.json', (text) => JSON.parse(text.slice(1)).mcpServers],
  ];
  for (const [name, scope, fixture, servers] of cases) {
    test(`${name}: added, already there, removed; the file is as it was`, async () => {
      const file = await put(name, scope, fixture);
      const old = await readFile(file);
      await chmod(file, 0o640);
      const given = scope === 'project' ? ['--scope', 'project'] : [];
      const added = await run('add', name, '--access', 'workspace', '--yes', ...given);
      assert.equal(added.exitCode, 0, added.stderr);
      assert.match(added.stdout, /^\+.*--stdio/m);
      assert.match(added.stdout, /^Next: /m);
      assert.ok(!added.stdout.includes('PGPASSWORD'), 'what stands around it is not shown to a pipe');
      const text = await readFile(file, 'utf8');
      const entry = (servers(text) as Record<string, { command: string; args: string[] }>)['local-coder'];
      assert.equal(entry?.command, await realpath(process.execPath).catch(() => process.execPath));
      assert.deepEqual(entry?.args.slice(entry.args.indexOf('--stdio')), [
        ...['--stdio', '--workspace', project],
        ...['--state-dir', join(home, 'state')],
        ...['--access', 'workspace'],
      ]);
      if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o640);
      const [backup, ...more] = await backupsOf(file);
      assert.deepEqual(more, []);
      assert.deepEqual(await readFile(backup ?? ''), old);

      const again = await run('add', name, '--access', 'workspace', '--yes', ...given);
      assert.match(again.stdout, /has it already: "local-coder"/);
      assert.equal((await backupsOf(file)).length, 1, 'nothing was written, so no second backup');

      const other = await run('add', name, '--yes', ...given);
      assert.match(other.stdout, /^-.*workspace/m);
      const removed = await run('remove', name, '--yes', ...given);
      assert.equal(removed.exitCode, 0, removed.stderr);
      assert.deepEqual(await readFile(file), old);
      assert.doesNotMatch(removed.stdout, /^Left:/m);
      assert.match((await run('remove', name, '--yes', ...given)).stdout, /has no entry "local-coder"/);
    });
  }

  test('VS Code: comments stay, and the entry starts a server that answers', async () => {
    const file = await put('vscode', 'project', 'vscode-mcp.json');
    const old = await readFile(file, 'utf8');
    const added = await run('add', 'vscode', '--scope', 'project', '--yes');
    assert.equal(added.exitCode, 0, added.stderr);
    const text = await readFile(file, 'utf8');
    for (const comment of old.match(/\/\/.*|\/\*.*\*\//g) ?? []) assert.ok(text.includes(comment));
    const entry = JSON.parse(/"local-coder": (\{[\s\S]*?\n {4}\})/.exec(text)?.[1] ?? '');
    const child: ChildProcess = spawn(entry.command, entry.args, {
      cwd: base,
      env: programEnvironment(env),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const answered = new Promise<string>((resolve, reject) => {
      let output = '';
      child.stdout?.on('data', (chunk) => {
        output += chunk;
        if (output.includes('\n')) resolve(output);
      });
      child.once('error', reject);
      child.once('close', () => reject(new Error(`ended: ${output}`)));
    });
    const params = {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    };
    child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`);
    assert.equal(JSON.parse(await answered).result.serverInfo.name, 'local-coder');
    child.stdin?.end();
    await new Promise((resolve) => child.once('exit', resolve));
  });

  test('of a file of the project it is said that it is shared, and of paths only where there are some', async () => {
    const scope = ['--scope', 'project', '--yes'];
    assert.match((await run('add', 'cursor', ...scope)).stdout, /the entry holds paths of this machine/);
    const http = await run('add', 'cursor', '--http', 'http://127.0.0.1:3999/mcp', ...scope);
    assert.match(http.stdout, /often shared with a repository; the entry leads to a server of this machine/);
    assert.doesNotMatch(http.stdout, /paths of this machine/);
  });

  test('a comment that somebody wrote around the entry stays, and the object around it', async () => {
    const file = await put('vscode', 'user', 'claude.json');
    for (const backup of await backupsOf(file)) await rm(backup);
    await writeFile(file, '{\n  "n": 1\n}\n');
    await run('add', 'vscode', '--yes');
    const added = await readFile(file, 'utf8');
    await writeFile(file, added.replace('"servers": {', '"servers": { // mine'));
    await run('remove', 'vscode', '--yes');
    assert.equal(await readFile(file, 'utf8'), '{\n  "n": 1,\n  "servers": { // mine\n  }\n}\n');
  });

  test('what was added around the entry goes with it, whatever the client changed since; what was there stays', async () => {
    const cases: [string, string, string | undefined][] = [
      ['{}\n', '{}\n', undefined],
      ['{\n}\n', '{\n}\n', undefined],
      ['{"mcpServers": {}}', '{"mcpServers": {}}', undefined],
      ['{\n  "mcpServers": {\n  }\n}\n', '{\n  "mcpServers": {\n  }\n}\n', undefined],
      ['{\n  "n": 1\n}\n', '{\n  "n": 2\n}\n', '"n": 2'],
      ['{\n  "n": 1,\n  "mcpServers": {}\n}\n', '{\n  "n": 2,\n  "mcpServers": {}\n}\n', '"n": 2'],
    ];
    for (const [before, after, change] of cases) {
      const file = await put('claude-code', 'user', 'claude.json');
      for (const backup of await backupsOf(file)) await rm(backup);
      await writeFile(file, before);
      assert.equal((await run('add', 'claude-code', '--yes')).exitCode, 0);
      if (change) await writeFile(file, (await readFile(file, 'utf8')).replace('"n": 1', change));
      const removed = await run('remove', 'claude-code', '--yes');
      assert.equal(await readFile(file, 'utf8'), after);
      assert.equal(/^Left: {4}"mcpServers", which is empty now$/m.test(removed.stdout), /"mcpS/.test(after));
    }
    // Without a backup nobody knows who made the object.
    const file = await put('claude-code', 'user', 'claude.json');
    for (const backup of await backupsOf(file)) await rm(backup);
    await writeFile(file, '{\n  "n": 1\n}\n');
    await run('add', 'claude-code', '--yes');
    for (const backup of await backupsOf(file)) await rm(backup);
    await run('remove', 'claude-code', '--yes');
    assert.equal(await readFile(file, 'utf8'), '{\n  "n": 1,\n  "mcpServers": {}\n}\n');
  });

  test('a file that is not there is made, with its folder', async () => {
    const added = await run('add', 'codex', '--http', 'http://127.0.0.1:3000/mcp', '--yes');
    assert.equal(added.exitCode, 0, added.stderr);
    assert.match(added.stdout, /is not there yet and will be made; is Codex installed/);
    const file = join(home, '.codex/config.toml');
    assert.equal(
      await readFile(file, 'utf8'),
      '[mcp_servers.local-coder]\nurl = "http://127.0.0.1:3000/mcp"\n',
    );
    assert.deepEqual(await backupsOf(file), []);
    const listed = await run('list');
    assert.match(listed.stdout, /^codex +user +local-coder: http:\/\/127\.0\.0\.1:3000\/mcp /m);
    assert.match(listed.stdout, /^cursor +user +no file /m);
  });

  test('a link to a dotfile stays a link; its target is written, the backup stands beside the link', async () => {
    const target = join(project, 'dotfiles.json');
    await writeFile(target, '{"mcpServers": {}}\n');
    await mkdir(join(home, '.cursor'));
    await symlink(target, join(home, '.cursor/mcp.json'));
    assert.equal((await run('add', 'cursor', '--yes')).exitCode, 0);
    assert.ok((await lstat(join(home, '.cursor/mcp.json'))).isSymbolicLink());
    assert.ok(JSON.parse(await readFile(target, 'utf8')).mcpServers['local-coder']);
    assert.deepEqual(await backupsOf(target), []);
    assert.equal((await backupsOf(join(home, '.cursor/mcp.json'))).length, 1);
    await symlink(join(project, 'gone'), join(home, '.claude.json'));
    const dangling = await run('add', 'claude-code', '--yes');
    assert.equal(dangling.exitCode, 1);
    assert.match(dangling.stderr, /symbolic link to .*which does not exist/);
  });

  test('a hard link keeps both names', async () => {
    const file = await put('claude-desktop', 'user', 'claude_desktop_config.json');
    await link(file, join(project, 'second'));
    assert.equal((await run('add', 'claude-desktop', '--yes')).exitCode, 0);
    assert.deepEqual(await readFile(join(project, 'second')), await readFile(file));
  });

  test('a broken file is left alone; what to put in is printed', async () => {
    const file = await put('claude-desktop', 'user', 'claude_desktop_config.json');
    await writeFile(file, '{\n  "mcpServers": {\n    "a": nonsense\n  }\n}\n');
    const old = await readFile(file);
    const refused = await run('add', 'claude-desktop', '--yes');
    assert.equal(refused.exitCode, 1);
    assert.match(
      refused.stderr,
      /left as it is: it is not valid JSON: invalid symbol at line 3, column 10\. Mend it/,
    );
    assert.match(refused.stdout, /"mcpServers": \{\n {4}"local-coder": \{\n {6}"command"/);
    assert.deepEqual(await readFile(file), old);
    assert.deepEqual(await backupsOf(file), []);
    await writeFile(file, Buffer.from('{"a": "\xff"}', 'latin1'));
    assert.match((await run('add', 'claude-desktop', '--yes')).stderr, /not text in UTF-8/);
    assert.match((await run('list')).stdout, /claude-desktop +user +.*not text in UTF-8/);
  });

  test('without a terminal and --yes nothing is written', async () => {
    const file = await put('cursor', 'user', 'cursor-mcp.json');
    const old = await readFile(file);
    const refused = await run('add', 'cursor');
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /Say --yes/);
    assert.match(refused.stdout, /^\+.*"local-coder"/m);
    assert.deepEqual(await readFile(file), old);
  });

  test('the entry of another server is named before it is changed, and never removed', async () => {
    const file = await put('claude-desktop', 'user', 'claude_desktop_config.json');
    const changed = await run('add', 'claude-desktop', '--name', 'memory');
    assert.match(changed.stdout, /warning: "memory" in .* is the entry of another server/);
    const refused = await run('remove', 'claude-desktop', '--name', 'memory', '--yes');
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /entry of another server, so it stays/);
    assert.deepEqual(await readFile(file), await readFile(join(fixtures, 'claude_desktop_config.json')));
  });

  test('an empty file is one without entries', async () => {
    for (const [name, text] of [
      ['cursor', ''],
      ['claude-desktop', ' \r\n'],
      ['codex', ''],
    ] as const) {
      const file = await put(name, 'user', 'cursor-mcp.json');
      await writeFile(file, text);
      assert.match((await run('remove', name, '--yes')).stdout, /has no entry "local-coder"/);
      const { exitCode, stderr } = await run('add', name, '--yes');
      assert.equal(`${stderr}${exitCode}`, '0', name);
      assert.match(await readFile(file, 'utf8'), /local-coder/);
      assert.equal((await run('remove', name, '--yes')).exitCode, 0);
    }
  });

  test('an entry of another name goes away again: over HTTP by its address, of a renamed executable', async () => {
    const address = 'http://127.0.0.1:3999/mcp';
    assert.equal((await run('add', 'cursor', '--name', 'mine', '--http', address, '--yes')).exitCode, 0);
    const refused = await run('remove', 'cursor', '--name', 'mine', '--yes');
    assert.match(
      refused.stderr,
      /so it stays\. If it leads to local-coder, name its address too: --http URL/,
    );
    const other = await run('remove', 'cursor', '--name', 'mine', '--http', 'http://h/mcp', '--yes');
    assert.match(other.stderr, /"mine" in .* does not lead to http:\/\/h\/mcp, so it stays/);
    const file = join(home, '.cursor', 'mcp.json');
    assert.deepEqual(Object.keys(JSON.parse(await readFile(file, 'utf8')).mcpServers), ['mine']);
    assert.equal((await run('remove', 'cursor', '--name', 'mine', '--http', address, '--yes')).exitCode, 0);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { mcpServers: {} });

    const renamed = { command: '/opt/coder', args: ['--stdio', '--workspace', '/srv'] };
    await writeFile(file, JSON.stringify({ mcpServers: { mine: renamed } }));
    assert.match((await run('list')).stdout, /cursor +user +mine: \/opt\/coder --stdio/);
    assert.equal((await run('remove', 'cursor', '--name', 'mine', '--yes')).exitCode, 0);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { mcpServers: {} });
  });

  test('what is no file, or lies below one: said to a person, not to a model', async () => {
    const file = join(home, '.cursor', 'mcp.json');
    await mkdir(file, { recursive: true });
    const folder = await run('add', 'cursor', '--yes');
    assert.match(folder.stderr, /is a directory, not a file\. Move it away and run this again\.\n$/);
    await rm(join(home, '.cursor'), { recursive: true });
    await writeFile(join(home, '.cursor'), '');
    const below = await run('add', 'cursor', '--yes');
    assert.match(
      below.stderr,
      /\(ENOTDIR\) A file stands where one of its folders should be: look at .*\.cursor\./,
    );
    assert.equal(below.exitCode, 1);
  });

  test('what is typed wrongly is refused with the next step', async () => {
    const wrong: [string[], RegExp][] = [
      [[], /Usage: local-coder client add claude-desktop\|/],
      [['add'], /Usage: /],
      [['add', 'claude'], /"claude" is not a client .* claude-desktop, claude-code/],
      [['add', 'cursr'], /Did you mean cursor\?/],
      [['add', 'claude-desktop', '--scope', 'project'], /for Claude Desktop it must be user/],
      [['add', 'claude-desktop', '--http', 'http://127.0.0.1:3000/mcp'], /over stdio only; leave --http out/],
      [['add', 'cursor', '--http', 'https://x.example/mcp/SECRET'], /holds a secret/],
      [['add', 'cursor', '--http', 'https://me:pw@x.example/mcp'], /holds a secret/],
      [['add', 'cursor', '--http', 'localhost:3000'], /must be the address/],
      [['add', 'cursor', '--http', 'http://127.0.0.1:3000/'], /ends in \/mcp/],
      [
        ['add', 'cursor', '--http', 'http://h/mcp', '--access', 'full'],
        /--access has no meaning here with --http/,
      ],
      [['add', 'cursor', '--port', '3000'], /--port has no meaning here/],
      [['add', 'cursor', '--name', '__proto__'], /--name is "__proto__"/],
      [['list', 'cursor'], /Usage: /],
    ];
    for (const [args, words] of wrong) {
      await assert.rejects(inProcess(args), (error) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.exitCode, 2, error.message);
        assert.match(error.message, words);
        return true;
      });
    }
    const usage = await run('add');
    assert.equal(usage.exitCode, 2);
    assert.match(usage.stderr, /^local-coder: Usage: local-coder client add .*\n$/);
    assert.equal((await run('add', 'cursor', '--workspace', join(base, 'gone'))).exitCode, 4);
    assert.deepEqual(await readdir(home), []);
    assert.match((await run('--help')).stdout, /^local-coder client add CLIENT[\s\S]*--workspace DIR/);
  });

  test('a terminal is asked; only yes writes; a change in between is noticed', async () => {
    const file = await put('claude-desktop', 'user', 'claude_desktop_config.json');
    const old = await readFile(file, 'utf8');
    const machine = {
      platform: process.platform,
      env: { XDG_CONFIG_HOME: join(home, '.config') },
      home,
      cwd: project,
    };
    const answer = async (text: string, meanwhile: () => Promise<void> = async () => {}) => {
      const input = Object.assign(new PassThrough(), { isTTY: true });
      let shown = '';
      const output = {
        isTTY: true,
        write: (part: string) => {
          shown += part;
          if (part.includes('[y/N]')) void meanwhile().then(() => input.end(text));
        },
      };
      const flags = { yes: false };
      const code = await client(['add', 'claude-desktop'], new Map([['workspace', [project]]]), flags, {
        machine,
        terminal: { input, output },
      });
      return { code, shown };
    };
    const no = await answer('n\n');
    assert.equal(no.code, 1);
    assert.match(no.shown, /Nothing was changed/);
    assert.match(no.shown, /^ .*Users\/someone\/Desktop/m, 'a terminal sees what stands around it');
    assert.equal((await answer('')).code, 1);
    assert.equal(await readFile(file, 'utf8'), old);
    const late = answer('y\n', () => writeFile(file, `${old}\n`));
    await assert.rejects(late, (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /changed by another program in the meantime/);
      return true;
    });
    assert.equal(await readFile(file, 'utf8'), `${old}\n`);
    assert.deepEqual(await backupsOf(file), []);
    assert.equal((await answer('yes\n')).code, 0);
  });

  test('a write-protected file stays as it is', async () => {
    const file = await put('cursor', 'user', 'cursor-mcp.json');
    const old = await readFile(file);
    await chmod(file, 0o444);
    const { exitCode, stderr } = await run('add', 'cursor', '--yes');
    assert.equal(exitCode, 1);
    assert.match(stderr, /mcp\.json is write-protected, so it was left as it is/);
    assert.deepEqual(await readFile(file), old);
    assert.deepEqual(await backupsOf(file), []);
    await chmod(file, 0o644);
    assert.equal((await run('add', 'cursor', '--yes')).exitCode, 0);
    await chmod(file, 0o444);
    assert.match((await run('remove', 'cursor', '--yes')).stderr, /is write-protected/);
    await chmod(file, 0o644);
  });

  test('a folder that cannot be written leaves the file and no backup', async (context) => {
    if (process.getuid?.() === 0) return context.skip('root may open everything');
    const file = await put('cursor', 'user', 'cursor-mcp.json');
    await chmod(join(file, '..'), 0o500);
    await assert.rejects(replaceConfigFile(await readConfigFile(file), 'x'), /cannot be written/);
    await chmod(join(file, '..'), 0o700);
  });

  test('a variable in a path is no path for a client that reads variables', async () => {
    const odd = join(project, ['$', '{HOME}'].join(''));
    await mkdir(odd);
    const refused = await run('add', 'cursor', '--workspace', odd, '--yes');
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /would take \$\{…\}/);
    assert.equal((await run('add', 'codex', '--workspace', odd, '--yes')).exitCode, 0);
  });

  test('each place on each system', async () => {
    const at = (platform: NodeJS.Platform, machineEnv: NodeJS.ProcessEnv = {}) => {
      const machine = {
        platform,
        env: machineEnv,
        home: platform === 'win32' ? 'C:\\Users\\me' : '/home/me',
        cwd: platform === 'win32' ? 'D:\\app' : '/app',
      };
      return (name: ClientName, scope: Scope = 'user') => configFile(name, scope, machine);
    };
    const linux = at('linux');
    assert.equal(await linux('claude-desktop'), '/home/me/.config/Claude/claude_desktop_config.json');
    assert.equal(await linux('claude-code'), '/home/me/.claude.json');
    assert.equal(await linux('claude-code', 'project'), '/app/.mcp.json');
    assert.equal(await linux('codex'), '/home/me/.codex/config.toml');
    assert.equal(await linux('codex', 'project'), '/app/.codex/config.toml');
    assert.equal(await linux('cursor'), '/home/me/.cursor/mcp.json');
    assert.equal(await linux('vscode'), '/home/me/.config/Code/User/mcp.json');
    assert.equal(await linux('vscode', 'project'), '/app/.vscode/mcp.json');
    assert.equal(await at('linux', { CLAUDE_CONFIG_DIR: '/c' })('claude-code'), '/c/.claude.json');
    assert.equal(await at('linux', { CODEX_HOME: '/x' })('codex'), '/x/config.toml');
    const mac = at('darwin');
    assert.equal(
      await mac('claude-desktop'),
      '/home/me/Library/Application Support/Claude/claude_desktop_config.json',
    );
    assert.equal(await mac('vscode'), '/home/me/Library/Application Support/Code/User/mcp.json');
    const windows = at('win32', { APPDATA: 'C:\\Users\\me\\AppData\\Roaming' });
    assert.equal(
      await windows('claude-desktop'),
      'C:\\Users\\me\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
    );
    assert.equal(await windows('vscode'), 'C:\\Users\\me\\AppData\\Roaming\\Code\\User\\mcp.json');
    assert.equal(await windows('codex', 'project'), 'D:\\app\\.codex\\config.toml');
    assert.equal(await windows('claude-code'), 'C:\\Users\\me\\.claude.json');
  });

  test('from the other shapes', {
    skip: process.env['LOCAL_CODER_TEST_FULL'] !== '1' && 'runs with npm run test:full',
  }, async () => {
    for (const shape of ['bundle', 'executable', 'deno'] as const) {
      const { command, args } = await programCommand(shape);
      const ended = await runToEnd({
        shape,
        args: ['client', 'add', 'codex', '--name', shape, '--yes'],
        env,
        cwd: project,
      });
      assert.equal(ended.exitCode, 0, ended.stderr);
      const text = await readFile(join(home, '.codex/config.toml'), 'utf8');
      const entry = (parseToml(text)['mcp_servers'] as Record<string, { command: string; args: string[] }>)[
        shape
      ];
      assert.equal(entry?.command, command);
      assert.deepEqual(entry?.args.slice(0, args.length), args);
      const json = await runToEnd({ shape, args: ['client', 'add', 'vscode', '--yes'], env, cwd: project });
      assert.equal(json.exitCode, 0, json.stderr);
    }
  });
});
