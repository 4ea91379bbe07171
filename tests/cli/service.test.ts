import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { readArguments } from '../../src/cli/arguments.ts';
import { BoundedLog, lastLines } from '../../src/cli/service/bounded-log.ts';
import {
  assertPrintable,
  markerLine,
  readMarker,
  type ServiceDefinition,
} from '../../src/cli/service/definition.ts';
import { installedNames, managerFor } from '../../src/cli/service/managers.ts';
import type { Ran, System } from '../../src/cli/service/system.ts';
import { service } from '../../src/cli/service.ts';
import { UsageError } from '../../src/config/usage-error.ts';
import { which } from '../../src/runtime/which.ts';
import { runToEnd } from '../support/programs.ts';

const run = promisify(execFile);

/** A path with everything that one of the three formats treats in its own way. */
const ODD = `/tmp/a b %h $HOME \${X} "q" 'p' \\t <&> --> ; é#`;
const definition: ServiceDefinition = {
  name: 'work',
  command: `${ODD}/local-coder`,
  args: ['--require', `${ODD}/guard.cjs`],
  options: ['--workspace', ODD, '--port', '3999', '--tunnel-command', 'x --y {port} ; z'],
  folder: ODD,
  path: `/usr/bin:${ODD}`,
  stateDir: `${ODD}/state--x`,
};

/** A system that answers from a table and records what it was asked. */
function fakeSystem(
  platform: NodeJS.Platform,
  home: string,
  answer: (line: string) => Partial<Ran> | undefined,
): System & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    platform,
    env: { USERDOMAIN: 'PC', USERNAME: 'me & you', SystemRoot: 'C:\\Windows', USER: 'me' },
    home,
    uid: 501,
    asked,
    async run(program, args) {
      const line = [program, ...args].join(' ');
      asked.push(line);
      const given = answer(line);
      return given && { exitCode: 0, stdout: '', stderr: '', ...given };
    },
  };
}

describe('service', () => {
  let base: string;
  before(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'lc-service-')));
  });
  after(() => rm(base, { recursive: true, force: true }));

  test('a marker survives every format, and is not seen where there is none', () => {
    const line = markerLine(definition);
    assert.doesNotMatch(line, /--|[<>&]/);
    assert.deepEqual(readMarker(`# ${line}\n[Unit]`), { name: 'work', stateDir: definition.stateDir });
    assert.equal(readMarker('[Unit]\nDescription=mine\n'), undefined);
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      const manager = managerFor(
        'work',
        '/s',
        fakeSystem(platform, base, () => ({})),
      );
      assert.deepEqual(readMarker(manager.text(definition)), { name: 'work', stateDir: definition.stateDir });
    }
    assert.throws(() => assertPrintable({ ...definition, folder: '/a\nb' }), /control character/);
  });

  test('the unit is one that systemd reads as it was meant', async (context) => {
    const text = managerFor(
      'work',
      '/s',
      fakeSystem('linux', base, () => ({})),
    ).text(definition);
    assert.match(text, /^KillMode=mixed$/m);
    assert.match(text, /^Restart=on-failure$/m);
    assert.doesNotMatch(text, /SECRET|TOKEN/);
    for (const folder of ['/tmp/ends in space ', '/tmp/ends in backslash\\']) {
      const lines = managerFor(
        'work',
        '/s',
        fakeSystem('linux', base, () => ({})),
      )
        .text({ ...definition, folder })
        .split('\n');
      assert.ok(lines.includes(`WorkingDirectory=${folder}/`), 'systemd cuts the end off otherwise');
      assert.ok(
        lines.includes(`Description=local-coder serves ${folder}/`),
        'or reads the next line as well',
      );
    }
    if ((await which('systemd-analyze')) === undefined) return context.skip('no systemd on this machine');
    // verify wants the program to be there, so that ExecStart is a real one with an odd name.
    const folder = join(base, `u ${ODD.slice(5)}`.replaceAll('/', ''));
    await mkdir(folder, { recursive: true });
    const command = join(folder, 'local-coder');
    await writeFile(command, '#!/bin/sh\n');
    await chmod(command, 0o755);
    const unit = join(base, 'local-coder-work.service');
    const manager = managerFor(
      'work',
      '/s',
      fakeSystem('linux', base, () => ({})),
    );
    await writeFile(unit, manager.text({ ...definition, command, folder }));
    const verified = await run('systemd-analyze', ['verify', '--user', '--man=no', unit], {
      env: { ...process.env, XDG_RUNTIME_DIR: base },
    });
    assert.equal(verified.stderr.replace(/^.*(unified|cgroup).*\n/gim, ''), '');
  });

  test('the plist is one that a parser reads as it was meant', async (context) => {
    const python = await which('python3');
    if (python === undefined) return context.skip('no python3 on this machine');
    const file = join(base, 'x.plist');
    await writeFile(
      file,
      managerFor(
        'work',
        '/s',
        fakeSystem('darwin', base, () => ({})),
      ).text(definition),
    );
    const program = 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))';
    const plist = JSON.parse((await run(python, ['-c', program, file])).stdout);
    assert.deepEqual(plist.ProgramArguments, [
      definition.command,
      ...definition.args,
      ...['service', 'run', '--name', 'work', '--'],
      ...definition.options,
    ]);
    assert.equal(plist.Label, 'local-coder.work');
    assert.equal(plist.WorkingDirectory, ODD);
    assert.deepEqual(plist.EnvironmentVariables, { PATH: definition.path });
    assert.equal(plist.RunAtLoad, true);
    assert.deepEqual(plist.KeepAlive, { Crashed: true });
  });

  test('the task is one that a parser reads as it was meant', async (context) => {
    const python = await which('python3');
    if (python === undefined) return context.skip('no python3 on this machine');
    const file = join(base, 'x.xml');
    const windows = {
      ...definition,
      command: 'C:\\Program Files\\lc\\local-coder.exe',
      folder: 'D:\\my app\\',
    };
    const options = ['--workspace', 'D:\\my app\\', '--x', 'say "hi" \\\\', ''];
    const text = managerFor(
      'work',
      'C:\\s',
      fakeSystem('win32', base, () => ({})),
    ).text({ ...windows, options });
    await writeFile(file, Buffer.from(`\uFEFF${text}`, 'utf16le'));
    const program = `import json, sys, xml.etree.ElementTree as E
r = E.parse(sys.argv[1]).getroot()
n = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
print(json.dumps([[c.tag.replace(n, "") for c in r], {e.tag.replace(n, ""): e.text for e in r.iter()}]))`;
    const [order, values] = JSON.parse((await run(python, ['-c', program, file])).stdout);
    assert.deepEqual(order, ['RegistrationInfo', 'Triggers', 'Principals', 'Settings', 'Actions']);
    assert.equal(values.UserId, 'PC\\me & you');
    assert.equal(values.RunLevel, 'LeastPrivilege');
    assert.equal(values.ExecutionTimeLimit, 'PT0S');
    assert.equal(values.Command, 'C:\\Windows\\System32\\conhost.exe');
    assert.deepEqual(windowsWords(values.Arguments), [
      '--headless',
      windows.command,
      ...definition.args,
      ...['service', 'run', '--name', 'work', '--'],
      ...options,
    ]);
  });

  test('macOS: what launchctl is told, in order; removing takes only ours', async () => {
    const home = await mkdtemp(join(base, 'mac-'));
    let tries = 0;
    const system = fakeSystem('darwin', home, (line) => {
      if (line.startsWith('launchctl bootstrap')) return { exitCode: tries++ === 0 ? 5 : 0, stderr: 'busy' };
      if (line === 'launchctl print gui/501/local-coder') return { stdout: '\tstate = running\n\tpid = 7\n' };
      return {};
    });
    const manager = managerFor('default', join(home, 'state'), system);
    await manager.check();
    const text = manager.text({ ...definition, name: 'default' });
    await manager.install(text);
    const file = join(home, 'Library/LaunchAgents/local-coder.plist');
    assert.equal(await readFile(file, 'utf8'), text);
    assert.deepEqual(system.asked.slice(1), [
      'launchctl bootout gui/501/local-coder',
      'launchctl enable gui/501/local-coder',
      `launchctl bootstrap gui/501 ${file}`,
      `launchctl bootstrap gui/501 ${file}`,
    ]);
    assert.deepEqual(await installedNames(system), ['default']);
    const state = await manager.state();
    assert.deepEqual([state.isEnabled, state.isActive, state.pid], [true, true, undefined]);
    await manager.remove();
    await assert.rejects(access(file));
    assert.equal(system.asked.at(-1), 'launchctl bootout gui/501/local-coder');
    const remote = fakeSystem('darwin', home, () => ({ exitCode: 125 }));
    await assert.rejects(
      managerFor('default', home, remote).check(),
      /no desktop session.*Log in at the screen/,
    );
  });

  test('Windows: what schtasks is told; an installed task is recognised in the system’s own layout', async () => {
    const home = await mkdtemp(join(base, 'win-'));
    let installed: string | undefined;
    const system = fakeSystem('win32', home, (line) => {
      if (line.includes('/Query /TN'))
        return installed === undefined ? { exitCode: 1 } : { stdout: installed };
      if (line === 'schtasks /Query /FO CSV /NH') {
        return {
          stdout: '"\\Microsoft\\Windows\\x","N/A","Bereit"\r\n"\\local-coder-work","N/A","Bereit"\r\n',
        };
      }
      return {};
    });
    const manager = managerFor('work', join(home, 'state'), system);
    const text = manager.text(definition);
    assert.equal(await manager.current(), undefined);
    await manager.install(text);
    assert.match(
      system.asked.at(-2) ?? '',
      /^schtasks \/Create \/TN local-coder-work \/XML .*work\.xml \/F$/,
    );
    assert.equal(system.asked.at(-1), 'schtasks /Run /TN local-coder-work');
    installed = text
      .replaceAll('  ', '\t')
      .replaceAll('&quot;', '"')
      .replace('<RegistrationInfo>', '<RegistrationInfo><Date>x</Date>');
    assert.ok(manager.isSame(installed, text));
    assert.ok(!manager.isSame(installed, manager.text({ ...definition, options: [] })));
    assert.deepEqual(await installedNames(system), ['work']);
    await manager.remove();
    assert.equal(system.asked.at(-1), 'schtasks /Delete /TN local-coder-work /F');
  });

  test('a log stays within its bounds and keeps the newest', async () => {
    const file = join(base, 'bounded.log');
    const log = new BoundedLog(file, 1_000);
    for (let index = 0; index < 500; index++) log.write(`line ${index}\n`);
    assert.ok((await stat(file)).size <= 1_000);
    assert.ok((await stat(`${file}.1`)).size <= 1_000);
    assert.deepEqual(await lastLines(file, 2), ['line 498', 'line 499']);
    new BoundedLog(file, 1_000).write('a later process\n');
    assert.deepEqual(await lastLines(file, 2), ['line 499', 'a later process']);
    assert.match((await lastLines(join(base, 'none'), 2))[0] ?? '', /is empty/);
  });

  test('what is typed wrongly, or cannot work without a terminal, is refused with the next step', async () => {
    const wrong: [string[], RegExp][] = [
      [[], /Usage: local-coder service install/],
      [['start'], /Usage: /],
      [['install', '--name', '../x'], /--name is "\.\.\/x"/],
      [['install', '--', '--stdio'], /--stdio serves the client that started it/],
      [
        ['install', '--', '--approve', 'all', '--host', '0.0.0.0', '--auth', 'oauth'],
        /--approve all asks on the server's terminal/,
      ],
      [['install', '--', '--replace'], /--replace would end a server at every login/],
      [['install', '--', '--port', 'x'], /--port is "x", but it must be a number/],
      [['remove', '--port', '1'], /--port has no meaning for service remove/],
    ];
    const state = join(base, 'state');
    for (const [args, words] of wrong) {
      const { words: rest, flags, values, switches } = readArguments(['service', ...args]);
      const own = { name: values.get('name')?.at(-1), yes: switches.has('yes') };
      const system = fakeSystem('linux', base, () => assert.fail('nothing is asked of the system'));
      await assert.rejects(service(rest, flags, own, { system }), (error) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.equal(error.exitCode, 2, error.message);
        assert.match(error.message, words);
        return true;
      });
    }
    assert.throws(
      () => readArguments(['service', 'install', '--', '--worksapce', '.']),
      /Did you mean --workspace/,
    );
    const help = await runToEnd({ args: ['service', '--help'], env: { LOCAL_CODER_STATE_DIR: state } });
    assert.match(help.stdout, /^local-coder service install[\s\S]*--tunnel NAME/);
  });

  test('without a systemd session it says what to do', async (context) => {
    if (process.platform !== 'linux') return context.skip('only on Linux');
    const bin = await mkdtemp(join(base, 'bin-'));
    const env = {
      HOME: base,
      PATH: bin,
      XDG_CONFIG_HOME: join(base, 'config'),
      LOCAL_CODER_STATE_DIR: join(base, 'state'),
    };
    const install = () => runToEnd({ args: ['service', 'install', '--yes'], env, cwd: base });
    const none = await install();
    assert.equal(none.exitCode, 1);
    assert.match(none.stderr, /There is no systemd here/);
    await writeFile(
      join(bin, 'systemctl'),
      '#!/bin/sh\necho "Failed to connect to bus: No medium found" >&2\nexit 1\n',
    );
    await chmod(join(bin, 'systemctl'), 0o755);
    const noBus = await install();
    assert.equal(noBus.exitCode, 1);
    assert.match(
      noBus.stderr,
      /no systemd session of this user \(Failed to connect to bus: No medium found\).*enable-linger/,
    );
    await assert.rejects(access(join(base, 'config')));
    const status = await runToEnd({ args: ['service', 'status'], env, cwd: base });
    assert.equal(status.exitCode, 1);
    assert.match(status.stdout, /local-coder\.service is not installed/);
  });
});

/** CommandLineToArgvW, for what stands behind the program. */
function windowsWords(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let isQuoted = false;
  let isWord = false;
  for (let at = 0; at < line.length; at++) {
    const slashes = /^\\*/.exec(line.slice(at))?.[0].length ?? 0;
    if (slashes > 0 && line[at + slashes] === '"') {
      word += '\\'.repeat(Math.floor(slashes / 2));
      at += slashes - 1;
      if (slashes % 2 === 1) {
        word += '"';
        at += 1;
      }
      isWord = true;
    } else if (line[at] === '"') {
      isQuoted = !isQuoted;
      isWord = true;
    } else if (line[at] === ' ' && !isQuoted) {
      if (isWord) words.push(word);
      [word, isWord] = ['', false];
    } else {
      word += line[at];
      isWord = true;
    }
  }
  if (isWord) words.push(word);
  return words;
}
