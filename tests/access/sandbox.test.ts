import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { forLauncher } from '../../src/access/sandbox/environment.ts';
import {
  cleanEnvironment,
  createSandbox,
  isSandbox,
  withoutFolders,
} from '../../src/access/sandbox/index.ts';
import { seatbeltProfile } from '../../src/access/sandbox/seatbelt.ts';
import { socketFilter } from '../../src/access/sandbox/socket-filter.ts';
import { isLinux } from '../../src/runtime/platform.ts';
import { which } from '../../src/runtime/which.ts';
import { confinedWorld, run } from './support/sandbox.ts';
import { CANARY, STATE_CANARY, World } from './support/world.ts';

const node = JSON.stringify(process.execPath);

/** Says whether a socket can be connected to. */
function connects(address: string): string {
  const script = `require('node:net').connect(${address}).on('connect', () => { console.log('REACHED'); process.exit(0); }).on('error', (e) => { console.log('REFUSED ' + e.code); process.exit(0); });`;
  return `${node} -e ${JSON.stringify(script)}`;
}

/** What a command prints without a sandbox, while this process goes on serving. */
function outcome(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('/bin/sh', ['-c', command], (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

async function listening(address: string | { port: number; host: string }) {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, resolve);
  });
  return server;
}

describe('commands in workspace mode', () => {
  test('see and change the workspace, and nothing else', async (t) => {
    const world = await confinedWorld(t);
    if (!world) return;
    const before = world.outsideState();
    const output = await run(
      world,
      [
        'echo made > made-inside.txt && cat inside.txt',
        `cat ${world.outside}/secret.txt ../outside/secret.txt link-file link-dir/secret.txt ~/.ssh/id_rsa ~/secret.txt`,
        `ls ${world.outside} ${world.home} /root /home /etc/shadow /etc/ssh`,
        `echo x > ${world.outside}/made.txt; echo x > link-dir/made.txt; mkdir -p ${world.home}/.ssh && echo x > ${world.home}/.ssh/authorized_keys`,
        'echo x > /etc/made; echo x > /usr/made; touch /made; rm -f link-dir/secret.txt',
        `mv inside.txt ${world.folder}/moved; ln ${world.outside}/secret.txt hard`,
        'umount -l /home; mount -o remount,rw /usr; chroot / true; nsenter -t 1 -m true',
      ].join('\n'),
    );
    assert.match(output, /two/);
    assert.ok(!output.includes(CANARY), output);
    assert.equal(readFileSync(join(world.root, 'made-inside.txt'), 'utf8'), 'made\n');
    assert.equal(world.outsideState(), before);
    for (const path of ['/etc/made', '/usr/made', '/made']) assert.equal(existsSync(path), false, path);
  });

  test('cannot read or write the state folder, though it lies in the workspace', async (t) => {
    const world = await confinedWorld(t);
    if (!world) return;
    const output = await run(
      world,
      'ls -laR .state; cat .state/marker.txt link-state/marker.txt; echo x > .state/marker.txt; rm -rf .state; echo x > .state/made.txt; umount .state; cat .state/marker.txt; env',
    );
    assert.ok(!output.includes(STATE_CANARY), output);
    assert.ok(!output.includes('state.db'), output);
    assert.equal(readFileSync(join(world.stateDir, 'marker.txt'), 'utf8'), `${STATE_CANARY}\n`);
    assert.equal(existsSync(join(world.stateDir, 'made.txt')), false);
    const committed = await run(
      world,
      'git add -A && git -c user.name=a -c user.email=a@b commit -qm all && git ls-files',
    );
    assert.ok(!committed.includes('.state/'), committed);
  });

  test('variables that a command exported made the launcher of the next sandbox load a library, outside', async (t) => {
    const world = await confinedWorld(t);
    if (!world) return;
    const before = world.outsideState();
    // The dynamic linker writes this file before a program's first line; with LD_PRELOAD it would run one.
    await run(world, `export LD_DEBUG=libs LD_DEBUG_OUTPUT=${world.outside}/made SHELLOPTS=xtrace`);
    assert.match(await run(world, 'echo "[$LD_DEBUG]"'), /\[libs\]/, 'inside they are as they were set');
    await world.call('start_process', { command: 'true', pty: true });
    assert.equal(world.outsideState(), before);
  });

  test('a folder above the state folder was renamed, and the next command read the state there', async (t) => {
    const world = new World(t, 'workspace');
    const state = join(world.root, 'home', '.local', 'state');
    await world.start({ 'state-dir': state });
    const sandbox = await world.program.services.sandbox;
    if (!sandbox || !isSandbox(sandbox)) return t.skip(`no sandbox here: ${sandbox?.unavailable}`);
    // Where a rename fails, mv copies what it sees, which is an empty folder.
    await run(world, 'mv home/.local taken; rm -rf taken; mv home taken; rm -rf home');
    await run(world, 'echo kept > home/.local/other && mv -f home/.local/other home/other');
    assert.equal(readFileSync(join(world.root, 'home/other'), 'utf8'), 'kept\n');
    const output = await run(world, 'find . -name marker.txt -exec cat {} +');
    assert.ok(!output.includes(STATE_CANARY), output);
    assert.equal(readFileSync(join(state, 'marker.txt'), 'utf8'), `${STATE_CANARY}\n`);
  });

  test('a link in the place of an audit log in the workspace led what the server wrote outside', async (t) => {
    const world = new World(t, 'workspace');
    const log = join(world.root, 'logs', 'audit.jsonl');
    await world.start({ 'audit-log': log });
    const sandbox = await world.program.services.sandbox;
    if (!sandbox || !isSandbox(sandbox)) return t.skip(`no sandbox here: ${sandbox?.unavailable}`);
    const before = world.outsideState();
    await run(
      world,
      `rm -rf logs; mv logs old; mkdir -p logs; ln -s ${world.outside}/secret.txt logs/audit.jsonl`,
    );
    await run(world, 'echo forged >> logs/audit.jsonl');
    await world.program.services.audit?.flush();
    assert.equal(world.outsideState(), before);
    assert.match(readFileSync(log, 'utf8'), /^(\{.*\}\n){2}$/, 'the two calls and nothing forged');
  });

  test('carry their state on: folder, variables, functions, a long command', async (t) => {
    const world = await confinedWorld(t);
    if (!world) return;
    await run(world, 'cd sub; export KEPT=yes; greet() { echo "hello $1"; }');
    assert.match(await run(world, 'pwd; echo $KEPT; greet you'), /work\/sub\n+yes\nhello you/);
    await run(world, 'mkdir -p /tmp/gone && cd /tmp/gone');
    await assert.rejects(run(world, 'pwd'), /FILE_NOT_FOUND/);
    assert.match(await run(world, 'pwd'), /\/work\n/);
    assert.match(await run(world, `# ${'x'.repeat(150_000)}\necho long`), /long/);
    await world.call('shell_reset', {});
    assert.doesNotMatch(await run(world, 'echo "[$KEPT]"'), /\[yes\]/);
  });

  test('get no credentials of the environment', async (t) => {
    const secrets = {
      SSH_AUTH_SOCK: '/tmp/agent',
      DBUS_SESSION_BUS_ADDRESS: 'unix:abstract=x',
      DOCKER_HOST: 'unix:///run/docker.sock',
      XDG_RUNTIME_DIR: '/run/user/0',
      GITHUB_TOKEN: STATE_CANARY,
      AWS_SECRET_ACCESS_KEY: STATE_CANARY,
    };
    const before = { ...process.env };
    Object.assign(process.env, secrets);
    t.after(() => {
      for (const name of Object.keys(secrets)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    });
    const world = await confinedWorld(t);
    if (!world) return;
    const output = await run(world, 'env; cat /proc/*/environ');
    for (const name of Object.keys(secrets)) assert.ok(!output.includes(`${name}=`), output);
    assert.ok(!output.includes(STATE_CANARY), output);
    assert.match(output, /PATH=/);
  });

  test('reach no unix socket of the machine, by path or by abstract name, with the network on', async (t) => {
    if (!isLinux) return t.skip('only on Linux: abstract sockets');
    const world = await confinedWorld(t);
    if (!world) return;
    const name = `lc-test-${process.pid}`;
    const path = join(world.folder, 'socket');
    const inRunFolder = `/run/lc-test-${process.pid}.sock`;
    const open = [await listening(`\0${name}`), await listening(path)];
    const inRun = await listening(inRunFolder).catch(() => undefined);
    t.after(() => {
      for (const server of inRun ? [...open, inRun] : open) server.close();
      rmSync(inRunFolder, { force: true });
    });
    const abstract = `'\\u0000${name}'`;
    // From outside it can be reached: what refuses below is the sandbox.
    assert.match(await outcome(connects(abstract)), /REACHED/);
    for (const address of [abstract, `'${path}'`, `'${inRunFolder}'`]) {
      assert.match(await run(world, connects(address)), /REFUSED/, address);
    }
    // What programs use among themselves still works.
    world.write(
      join(world.root, 'fork.cjs'),
      "if (process.send) process.send('CHILD'); else require('node:child_process').fork(__filename).on('message', console.log);\n",
    );
    assert.match(await run(world, `${node} fork.cjs`), /CHILD/);
  });

  test('reach the network when it is on, and not when it is off', async (t) => {
    const server = await listening({ port: 0, host: '127.0.0.1' });
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const address = `{port:${port},host:'127.0.0.1'}`;
    const on = await confinedWorld(t, { network: 'on' });
    if (!on) return;
    assert.match(await run(on, connects(address)), /REACHED/);
    const off = await confinedWorld(t, { network: 'off' });
    assert.ok(off);
    const output = await run(off, `${connects(address)}; cat /proc/net/route | wc -l`);
    assert.match(output, /REFUSED/);
    assert.match(output, /^1$/m, 'no route leads anywhere');
    assert.match((await off.call('agent_status', {})).text, /network off/);
  });

  test('end with everything that they started', async (t) => {
    const world = await confinedWorld(t);
    if (!world) return;
    const started = await world.call('start_process', {
      command: 'setsid sleep 4242 & sleep 4243; echo over',
    });
    const id = /\\"process_id\\":\\"(\w+)\\"/.exec(started.text)?.[1];
    assert.ok(id, started.text);
    const stopped = await world.call('stop_process', { id, force: true });
    assert.equal(stopped.ok, true, stopped.text);
    const left = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout;
    assert.doesNotMatch(left, /^sleep 424[23]/m);
  });

  test('build and test a real npm project', async (t) => {
    const npm = await which('npm');
    if (npm === undefined) return t.skip('no npm on this machine');
    const world = await confinedWorld(t, {
      prepare(world) {
        const folder = join(world.root, 'app');
        mkdirSync(join(folder, 'lib'), { recursive: true });
        mkdirSync(join(folder, 'packages', 'adder'), { recursive: true });
        world.write(
          join(folder, 'packages', 'adder', 'package.json'),
          JSON.stringify({ name: 'adder', version: '1.0.0', main: 'index.js' }),
        );
        world.write(join(folder, 'packages', 'adder', 'index.js'), 'module.exports = (a, b) => a + b;\n');
        world.write(
          join(folder, 'package.json'),
          JSON.stringify({
            name: 'app',
            version: '1.0.0',
            private: true,
            workspaces: ['packages/*'],
            scripts: { build: 'node build.js', test: 'node --test test.js' },
          }),
        );
        world.write(
          join(folder, 'build.js'),
          "require('node:fs').mkdirSync('dist',{recursive:true});require('node:fs').writeFileSync('dist/out.js','module.exports='+require('adder')(40,2)+';');console.log('BUILT');\n",
        );
        world.write(
          join(folder, 'test.js'),
          "const {test}=require('node:test');test('sum',()=>{require('node:assert').equal(require('./dist/out.js'),42)});\n",
        );
      },
    });
    if (!world) return;
    const installed = await run(
      world,
      'cd app && npm install --offline --no-audit --no-fund 2>&1; ls node_modules',
    );
    assert.match(installed, /adder/, installed);
    for (const [name, words] of [
      ['build', /BUILT/],
      ['test', /pass 1/],
    ] as const) {
      const reply = await world.call('run_script', { name, path: 'app' });
      assert.match(reply.text, words, reply.text);
    }
    assert.ok(readdirSync(join(world.root, 'app', 'dist')).includes('out.js'));
  });
});

describe('git in workspace mode', () => {
  test('filters, hooks and the ssh command of a repository stay inside', async (t) => {
    const world = await confinedWorld(t);
    if (!world) return;
    const { root, outside, home } = world;
    const attack = `cat ${home}/.ssh/id_rsa ${outside}/secret.txt > ${root}/loot 2>/dev/null; echo x > ${outside}/made.txt; echo x > ${home}/made.txt; cat ${world.stateDir}/marker.txt >> ${root}/loot; echo ran >> ${root}/ran`;
    const script = join(root, 'attack.sh');
    world.executable(script, `#!/bin/sh\n${attack}\ncat\n`);
    mkdirSync(join(root, '.git/hooks'), { recursive: true });
    for (const hook of ['pre-commit', 'post-commit', 'post-index-change', 'post-checkout', 'pre-push']) {
      world.executable(join(root, '.git/hooks', hook), `#!/bin/sh\n(${attack}) </dev/null\n`);
    }
    world.git('config', 'filter.evil.clean', script);
    world.git('config', 'filter.evil.smudge', script);
    const connection = join(root, 'connect.sh');
    world.executable(connection, `#!/bin/sh\n(${attack}) </dev/null\nexit 1\n`);
    world.git('config', 'core.sshCommand', connection);
    world.git('config', 'core.fsmonitor', script);
    world.git('config', 'diff.external', script);
    world.git('config', 'credential.helper', `!${script}`);
    world.git('remote', 'add', 'origin', 'ssh://example.invalid/x.git');
    world.write(join(root, '.gitattributes'), '*.txt filter=evil diff=evil\n');
    world.write(join(root, 'inside.txt'), 'changed\n');
    const before = world.outsideState();
    for (const [tool, args] of [
      ['git_status', {}],
      ['git_diff', {}],
      ['git_add', { files: ['inside.txt'] }],
      ['git_commit', { message: 'two' }],
      ['git_show', { ref: 'HEAD' }],
      ['git_branch', { action: 'create-and-switch', name: 'other' }],
      ['git_checkout', { branch: 'main' }],
      ['git_stash', { action: 'push' }],
      ['git_fetch', {}],
      ['git_push', { remote: 'origin', branch: 'main' }],
      ['git_reset', { mode: 'hard' }],
    ] as const) {
      const reply = await world.call(tool, args);
      assert.ok(!reply.text.includes(CANARY) && !reply.text.includes(STATE_CANARY), `${tool}: ${reply.text}`);
      assert.equal(world.outsideState(), before, tool);
    }
    const ran = readFileSync(join(root, 'ran'), 'utf8');
    assert.match(ran, /ran/, 'the programs ran, inside');
    const loot = readFileSync(join(root, 'loot'), 'utf8');
    assert.ok(!loot.includes(CANARY) && !loot.includes(STATE_CANARY), loot);
  });

  test('commits as the user, whose configuration stays outside', async (t) => {
    const world = await confinedWorld(t, {
      prepare(world) {
        world.write(
          join(world.home, '.gitconfig'),
          `[user]\n\tname = Ada \\"the\\" Tester\n\temail = ada@example.org\n[credential]\n\thelper = ${CANARY}\n`,
        );
      },
    });
    if (!world) return;
    world.write(join(world.root, 'inside.txt'), 'changed\n');
    const reply = await world.call('git_commit', { message: 'two', files: ['inside.txt'] });
    assert.equal(reply.ok, true, reply.text);
    assert.match(world.git('log', '-1', '--format=%an <%ae>'), /Ada "the" Tester <ada@example.org>/);
    assert.ok(!(await run(world, 'cat ~/.gitconfig')).includes(CANARY));
  });

  test('files that git keeps lead nowhere, although the server reads them itself', async (t) => {
    const world = await confinedWorld(t);
    if (!world) return;
    for (const command of [
      'ln -sf ../../outside/secret.txt .git/MERGE_HEAD',
      'mkdir -p .git/rebase-merge && ln -sf ../../../outside/secret.txt .git/rebase-merge/head-name',
      'ln -sf ../../outside/secret.txt .git/HEAD',
      'rm -rf .git; ln -s ../outside .git',
      'rm .git; echo "gitdir: ../outside" > .git',
    ]) {
      await run(world, command);
      for (const tool of ['git_status', 'git_log', 'project_context', 'git_branch']) {
        const args = tool === 'git_branch' ? { action: 'list' } : {};
        const reply = await world.call(tool, args);
        assert.ok(!reply.text.includes(CANARY), `${command}, ${tool}: ${reply.text}`);
      }
      assert.ok(!(await world.program.instructions()).includes(CANARY), command);
    }
  });

  test('a repository around the workspace is left alone', async (t) => {
    const world = new World(t, 'workspace');
    spawnSync('git', ['init', '-q', world.folder]);
    rmSync(join(world.root, '.git'), { recursive: true });
    await world.start();
    assert.equal((await world.call('git_status', {})).code, 'PATH_OUTSIDE_WORKSPACE');
  });
});

test('programs in the workspace that stand in front of PATH never run unconfined', async (t) => {
  const path = process.env['PATH'];
  t.after(() => {
    process.env['PATH'] = path;
  });
  const world = await confinedWorld(t, {
    prepare(world) {
      const bin = join(world.root, 'node_modules', '.bin');
      mkdirSync(bin, { recursive: true });
      for (const name of ['git', 'bash', 'sh', 'rg', 'bwrap', 'fallocate', 'ps']) {
        world.executable(join(bin, name), `#!/bin/sh\necho planted > ${world.outside}/made.txt\nexit 1\n`);
      }
      process.env['PATH'] = `${bin}:${path}`;
    },
  });
  if (!world) return;
  world.git('config', 'user.name', 'a');
  world.git('config', 'user.email', 'a@example.org');
  const before = world.outsideState();
  world.write(join(world.root, '.env'), 'changed\n');
  for (const [tool, args] of [
    ['run_command', { command: 'echo hello' }],
    ['git_status', {}],
    ['git_diff', {}],
    ['grep', { pattern: 'one' }],
    ['write_file', { path: '.env', content: 'x' }],
    ['write_file', { path: 'inside.txt', content: 'x' }],
    ['git_commit', { message: 'x', files: ['inside.txt'] }],
  ] as const) {
    const reply = await world.call(tool, args);
    assert.equal(reply.ok, true, `${tool}: ${reply.text}`);
    assert.equal(world.outsideState(), before, tool);
  }
  assert.match(
    await run(world, 'command -v git'),
    /node_modules\/\.bin\/git/,
    'confined, they are what is found',
  );
});

test('a process on a pseudo-terminal is confined as well', async (t) => {
  const world = await confinedWorld(t);
  if (!world) return;
  const started = await world.call('start_process', {
    command: `test -t 0 && echo TERMINAL; cat ${world.outside}/secret.txt; ls .state; echo END`,
    pty: true,
  });
  const id = /\\"process_id\\":\\"(\w+)\\"/.exec(started.text)?.[1];
  assert.ok(id, started.text);
  let output = '';
  for (let round = 0; round < 20 && !output.includes('END'); round++) {
    output = (await world.call('process_output', { id, cursor: '0', wait_ms: 2000 })).text;
  }
  assert.match(output, /TERMINAL/);
  assert.match(output, /END/);
  assert.ok(!output.includes(CANARY) && !output.includes(STATE_CANARY), output);
});

test('without a sandbox commands and changing git tools are refused with what to install', async (t) => {
  const path = process.env['PATH'];
  t.after(() => {
    process.env['PATH'] = path;
  });
  // A PATH on which there is git and no bwrap.
  const world = new World(t, 'workspace');
  const bin = join(world.folder, 'bin');
  mkdirSync(bin);
  for (const name of ['git', 'bash', 'sh', 'cat']) {
    const program = await which(name);
    if (program !== undefined) world.executable(join(bin, name), `#!/bin/sh\nexec ${program} "$@"\n`);
  }
  process.env['PATH'] = bin;
  await world.start();
  world.git('config', 'filter.evil.clean', `touch ${world.outside}/made.txt; cat`);
  world.write(join(world.root, '.gitattributes'), '*.txt filter=evil\n');
  world.write(join(world.root, 'inside.txt'), 'changed\n');
  const before = world.outsideState();
  for (const [tool, args] of [
    ['run_command', { command: 'touch made' }],
    ['start_process', { command: 'touch made' }],
    ['git_add', { all: true }],
    ['git_commit', { message: 'x', stage_all: true }],
    ['git_reset', { mode: 'hard' }],
    ['git_branch', { action: 'create', name: 'x' }],
  ] as const) {
    const reply = await world.call(tool, args);
    assert.equal(reply.code, 'NOT_AVAILABLE', `${tool}: ${reply.text}`);
    if (isLinux) assert.match(reply.text, /apt install bubblewrap/);
  }
  for (const [tool, args] of [
    ['git_status', {}],
    ['git_diff', {}],
    ['grep', { pattern: 'changed' }],
    ['read_text_file', { path: 'inside.txt' }],
    ['write_file', { path: 'written.txt', content: 'x' }],
  ] as const) {
    const reply = await world.call(tool, args);
    assert.equal(reply.ok, true, `${tool}: ${reply.text}`);
  }
  assert.match((await world.call('agent_status', {})).text, /none: bubblewrap \(bwrap\) is not installed/);
  assert.equal(world.outsideState(), before, 'a filter of the repository ran');
});

test('bubblewrap serves an ordinary user as well as root', async (t) => {
  if (!isLinux) return t.skip('only on Linux: bubblewrap');
  const world = new World(t, 'workspace');
  mkdirSync(world.stateDir);
  const sandbox = await createSandbox({
    roots: [world.root],
    network: false,
    readDirs: [],
    stateDir: world.stateDir,
    // Tool chains of root's home are not an ordinary user's.
    env: { PATH: '/usr/bin:/bin', HOME: world.home },
  });
  if (!isSandbox(sandbox)) return t.skip(`no sandbox here: ${sandbox.unavailable}`);
  spawnSync('chmod', ['-R', 'a+rwX', world.folder]);
  const command = `id -u; cat ${world.outside}/secret.txt; echo x > ${world.root}/by-user; echo x > /etc/made; cat /proc/self/status`;
  const start = sandbox.wrap('/bin/sh', ['-c', command], { cwd: world.root, env: { PATH: '/usr/bin:/bin' } });
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const { stdout, stderr, status } = spawnSync(start.file, start.args, {
    env: start.env,
    encoding: 'utf8',
    ...user,
  });
  if (/namespace|uid map/.test(stderr)) return t.skip(`no sandbox here: for an ordinary user ${stderr}`);
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stdout, /^0$/m);
  assert.ok(!stdout.includes(CANARY));
  assert.match(stdout, /CapEff:\t0+$/m);
  assert.equal(existsSync(join(world.root, 'by-user')), true, stderr);
});

test('a bubblewrap that does not work is found out at the start, with the reason', async (t) => {
  if (!isLinux) return t.skip('only on Linux: bubblewrap');
  const world = new World(t, 'workspace');
  const bin = join(world.folder, 'bin');
  mkdirSync(bin);
  mkdirSync(world.stateDir);
  const options = {
    roots: [world.root] as [string],
    network: true,
    readDirs: [],
    stateDir: world.stateDir,
  };
  const env = { HOME: world.home, PATH: bin };
  world.executable(
    join(bin, 'bwrap'),
    '#!/bin/sh\necho "bwrap: setting up uid map: Permission denied" >&2\nexit 1\n',
  );
  const refused = await createSandbox({ ...options, env });
  assert.ok(!isSandbox(refused));
  assert.match(refused.unavailable, /setting up uid map: Permission denied/);
  assert.match(refused.hint, /user namespaces.*AppArmor/);
  // One that the model could have put there is not even looked at.
  mkdirSync(join(world.root, 'bin'));
  world.executable(join(world.root, 'bin', 'bwrap'), '#!/bin/sh\nexit 0\n');
  const planted = await createSandbox({ ...options, env: { ...env, PATH: join(world.root, 'bin') } });
  assert.ok(!isSandbox(planted));
  assert.match(planted.unavailable, /not installed/);
});

describe('what confined programs get', () => {
  test('of the environment', () => {
    const kept = cleanEnvironment({
      PATH: '/usr/bin',
      LC_ALL: 'C',
      GIT_AUTHOR_NAME: 'a',
      NPM_TOKEN: 'x',
      npm_config__authToken: 'x',
      SSH_AUTH_SOCK: 'x',
      OPENAI_API_KEY: 'x',
    });
    assert.deepEqual(kept, { PATH: '/usr/bin', LC_ALL: 'C', GIT_AUTHOR_NAME: 'a' });
    assert.equal(
      withoutFolders({ PATH: '/project/bin:/usr/bin:relative:/project' }, ['/project'])['PATH'],
      '/usr/bin',
    );
  });

  test('what loads code is set inside only', () => {
    const { env, inside } = forLauncher({
      PATH: '/usr/bin',
      MY_TOKEN: 'x',
      LD_PRELOAD: 'x',
      LD_AUDIT: 'x',
      GLIBC_TUNABLES: 'x',
      GCONV_PATH: 'x',
      SHELLOPTS: 'xtrace',
      PS4: '$(x)',
      BASH_ENV: 'x',
      'BASH_FUNC_exec%%': '() { x; }',
    });
    assert.deepEqual(env, { PATH: '/usr/bin', MY_TOKEN: 'x' });
    assert.equal(Object.keys(inside).length, 8);
  });

  test('the socket filter is whole: every jump lands on an instruction', () => {
    for (const architecture of ['x64', 'arm64']) {
      const filter = socketFilter(architecture, true);
      assert.ok(filter);
      const count = filter.length / 8;
      for (let at = 0; at < count; at++) {
        const isJump = (filter.readUInt16LE(at * 8) & 7) === 5;
        const isReturn = filter.readUInt16LE(at * 8) === 6;
        for (const offset of isJump ? [2, 3] : []) {
          assert.ok(at + 1 + filter.readUInt8(at * 8 + offset) < count, `${architecture} ${at}`);
        }
        if (at === count - 1) assert.ok(isReturn);
      }
    }
    assert.equal(socketFilter('ppc64', true), undefined);
  });

  test('confined programs had the keys of the user’s session, with the network and without', () => {
    const [allow, noSuchCall, denied] = [0x7fff0000, 0x00050000 + 38, 0x00050000 + 13];
    for (const [architecture, audit, keys, socket, read] of [
      ['x64', 0xc000003e, [248, 249, 250], 41, 0],
      ['arm64', 0xc00000b7, [217, 218, 219], 198, 63],
    ] as const) {
      for (const network of [true, false]) {
        const filter = socketFilter(architecture, network)!;
        const answer = (call: number, ...args: number[]) => answerOf(filter, [call, audit, ...args]);
        for (const call of keys) assert.equal(answer(call), noSuchCall);
        assert.equal(answer(read), allow);
        assert.equal(answer(socket, 2), allow);
        assert.equal(answer(socket, 1), network ? denied : allow);
        assert.equal(answerOf(filter, [read, 1]), noSuchCall, 'another architecture');
      }
    }
  });

  test('the profile for macOS is well formed and closes the state folder after the roots', () => {
    const profile = seatbeltProfile({
      roots: ['/Users/me/work', '/Users/me/odd "name\\'],
      readDirs: ['/opt/sdk'],
      scratch: '/private/tmp/lc',
      stateDir: '/Users/me/work/.state',
      protectedFiles: ['/Users/me/work/audit.jsonl'],
      network: false,
      read: ['/Users/me/work/.state/restore-1'],
      write: ['/Users/me/work/.state/p.state'],
      rootsOnly: false,
    });
    assert.equal(balance(profile), 0);
    const lines = profile.split('\n');
    const opened = lines.findIndex(
      (line) => line.includes('file-write*') && line.includes('/Users/me/work"'),
    );
    const closed = lines.findIndex((line) => line.startsWith('(deny file-read* file-write*'));
    const single = lines.findIndex((line) => line.includes('restore-1'));
    assert.ok(opened > 0 && opened < closed && closed < single, profile);
    assert.equal(lines[1], '(deny default)');
    assert.ok(!profile.includes('network'), profile);
    assert.ok(profile.includes('"/Users/me/odd \\"name\\\\"'));
  });
});

/** Open minus closed parentheses, strings left out; -1 when one closes too early or a string does not end. */
function balance(text: string): number {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString && character === '\\') at++;
    else if (character === '"') inString = !inString;
    else if (!inString && character === '(') depth++;
    else if (!inString && character === ')' && --depth < 0) return -1;
  }
  return inString ? -1 : depth;
}

/** Runs a filter as the kernel does. @param call number, architecture, arguments */
function answerOf(filter: Buffer, [number = 0, architecture = 0, ...args]: readonly number[]): number {
  const words = new Map([
    [0, number],
    [4, architecture],
  ]);
  args.forEach((value, index) => {
    words.set(16 + 8 * index, value);
  });
  let value = 0;
  for (let at = 0; ; at++) {
    const code = filter.readUInt16LE(at * 8);
    const operand = filter.readUInt32LE(at * 8 + 4);
    if (code === 0x06) return operand;
    if (code === 0x20) value = words.get(operand) ?? 0;
    else if (code === 0x54) value &= operand;
    else at += filter.readUInt8(at * 8 + ((code === 0x15 ? value === operand : value >= operand) ? 2 : 3));
  }
}
