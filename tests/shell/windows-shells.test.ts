import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cmd } from '../../src/shell/dialects/cmd.ts';
import { emptyState } from '../../src/shell/dialects/dialect.ts';
import { pwsh } from '../../src/shell/dialects/powershell.ts';
import { findProgram, openShell } from './helpers.ts';

const files = {
  restore: "C:\\it's\\restore-1",
  functions: undefined,
  dump: 'C:\\d.state',
  command: 'C:\\c 1.cmd',
};
const base = { Path: 'C:\\Windows', HOME: 'C:\\u' };
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

describe('PowerShell', () => {
  test('state goes from the dump into the restore script, quotes of every kind in it', () => {
    const dump = JSON.stringify({
      cwd: 'C:\\Üser',
      environment: { PATH: 'C:\\Windows', NEW: "it's é", PSModulePath: 'x', LOCAL_CODER_PROCESS: 'y' },
      functions: { greet: "param($a) 'it\u2019s'" },
      aliases: { ll: 'Get-ChildItem' },
      variables: "<Objs>'</Objs>",
    });
    const state = pwsh.parseDump(latin1(dump), emptyState('C:\\'), base, '');
    assert.ok(state);
    assert.equal(state.cwd, 'C:\\Üser');
    assert.deepEqual(state.environment, { NEW: "it's é", HOME: null });
    const script = Buffer.from(pwsh.restoreScript(state, undefined), 'latin1').toString();
    assert.ok(script.includes("Deserialize('<Objs>''</Objs>')"));
    assert.ok(
      script.includes(
        "'function:global:greet' -Value ([ScriptBlock]::Create('param($a) ''it\u2019\u2019s'''))",
      ),
    );
    assert.ok(script.includes("-Name 'll' -Value 'Get-ChildItem'"));
    assert.equal(pwsh.parseDump(dump.slice(0, -5), emptyState('C:\\'), base, ''), undefined);
  });

  test('the command is a file, and no path needs quoting on the command line', () => {
    const { args } = pwsh.invocation('x', emptyState('C:\\'), files, false, '');
    const run = Buffer.from(args.at(-1) ?? '', 'base64').toString('utf16le');
    assert.ok(
      run.includes("ReadAllText('C:\\it''s\\restore-1')") && run.includes("ReadAllText('C:\\c 1.cmd')"),
    );
    assert.ok(args.includes('-NoProfile') && args.includes('-NonInteractive'));
  });

  const skip = findProgram('pwsh') ? {} : { skip: 'only on Windows and where pwsh is installed' };
  test('carries its state', skip, async () => {
    const shell = await openShell({ shell: 'pwsh' });
    await shell.run(`cd /; $env:A = "it's"; $b = @(1, 'x y'); function f { "f $b" }; Set-Alias g f`);
    assert.equal(await shell.out('"$pwd $env:A"; f; g'), "/ it's\nf 1 x y\nf 1 x y\n");
    assert.equal((await shell.run('$c = 1; exit 3')).exitCode, 3);
    assert.equal(await shell.out('$c'), '1\n');
    await shell.close();
  });
});

describe('cmd', () => {
  test('a batch file that saves folder and environment', () => {
    const text = cmd.commandFileText?.('echo 1\necho 2') ?? '';
    assert.ok(
      text.startsWith(
        '@echo off\r\nchcp 65001 >nul\r\necho 1\r\necho 2\r\n@set "__lc_code=%ERRORLEVEL%"\r\n',
      ),
    );
    const invocation = cmd.invocation('', emptyState('C:\\'), files, false, '');
    assert.deepEqual(invocation.args, ['/d', '/s', '/c', '""C:\\c 1.cmd""']);
    assert.deepEqual([invocation.verbatim, invocation.env], [true, { __lc_dump: 'C:\\d.state' }]);
    const state = cmd.parseDump(
      latin1('D:\\w é\r\nNEW=a=b\r\nPATH=C:\\Windows\r\nPROMPT=$P\r\n__lc_end=1\r\n'),
      emptyState('C:\\'),
      base,
      '',
    );
    assert.deepEqual([state?.cwd, state?.environment], ['D:\\w é', { NEW: 'a=b', HOME: null }]);
    assert.equal(cmd.parseDump('D:\\w\r\nA=b\r\n', emptyState('C:\\'), base, ''), undefined);
    assert.equal(cmd.quote('a "b"'), '"a ""b"""');
  });
});
