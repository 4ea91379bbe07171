// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the shell's
import assert from 'node:assert/strict';
import { mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openShell, type TestShell } from './helpers.ts';

for (const kind of ['bash', 'zsh', 'dash']) {
  describe(`state carried by ${kind}`, () => {
    let shell: TestShell;
    before(async () => {
      shell = await openShell({ shell: kind });
      await mkdir(join(shell.root, 'sub dir'));
    });
    after(() => shell.close());
    const fresh = () => shell.shell.resetShell(undefined, shell.root, linksOf());

    test('working directory, through symlinks as entered', async () => {
      await fresh();
      await symlink(join(shell.root, 'sub dir'), join(shell.root, 'link'));
      await shell.out('cd link');
      assert.equal(await shell.out('pwd'), `${shell.root}/link\n`);
      await shell.out('cd .. && cd "sub dir"');
      assert.equal(await shell.out('pwd; cd - >/dev/null; pwd'), `${shell.root}/sub dir\n${shell.root}\n`);
    });

    test('a failed cd leaves it, also after a restart', async () => {
      await fresh();
      await shell.out('cd "sub dir"');
      const result = await shell.run('cd typo && ls');
      assert.notEqual(result.exitCode, 0);
      assert.match(result.stderr, /typo/);
      assert.equal(await shell.out('pwd'), `${shell.root}/sub dir\n`);
    });

    test('exported and unexported variables with any text in them', async () => {
      await fresh();
      const text = `it's "quoted" $HOME \`x\` \\ * é\u{1f600} a\tb`;
      await shell.run(
        `EXPORTED='${text.replaceAll("'", "'\\''")}\nline two'; export EXPORTED; PLAIN=$EXPORTED; EMPTY=`,
      );
      assert.equal(await shell.out('printf %s "$EXPORTED"'), `${text}\nline two`);
      assert.equal(await shell.out('printf %s "$PLAIN"'), `${text}\nline two`);
      assert.equal(await shell.out('printf %s "${EMPTY-unset}"; env | grep -c ^PLAIN= || true'), '0\n');
      assert.equal(await shell.out('env | grep -c "^EXPORTED="'), '1\n');
      await shell.out('unset EXPORTED PLAIN; unset HOME');
      assert.equal(await shell.out('echo "${EXPORTED-gone} ${PLAIN-gone} ${HOME-gone}"'), 'gone gone gone\n');
    });

    test('control characters and bytes that are no UTF-8', async () => {
      await fresh();
      await shell.run(`A=$(printf '\\001\\033[0m\\377z'); export B="$A"`);
      assert.equal(
        await shell.out(`printf %s "$A" | od -An -tx1; printf %s "$B" | od -An -tx1`),
        ' 01 1b 5b 30 6d ff 7a\n 01 1b 5b 30 6d ff 7a\n',
      );
    });

    test('functions, redefined and removed', async () => {
      await fresh();
      await shell.run(
        `greet() {\n  cat <<'X'\n}\nlater () { echo no\nX\n  echo "hello $1 }"\n}\nlater() { echo "bye $*"; }`,
      );
      assert.equal(await shell.out('greet you; later a b'), '}\nlater () { echo no\nhello you }\nbye a b\n');
      await shell.run(`later() ( echo "second $1"; case x in x) echo case;; esac )`);
      assert.equal(await shell.out('later x'), 'second x\ncase\n');
      await shell.run('unset -f later');
      assert.equal((await shell.run('later x')).exitCode, 127);
      assert.match(await shell.out('greet again'), /hello again/);
    });

    test('functions of a sourced file (as nvm does) change the shell', async () => {
      await fresh();
      await writeFile(
        join(shell.root, 'nvm.sh'),
        'NVM_BIN=\nnvm_use() {\n  NVM_BIN="/opt/node-$1/bin"\n  export PATH="$NVM_BIN:$PATH"\n}\nnvm() { nvm_use "$2"; }\n',
      );
      await shell.run('. ./nvm.sh');
      await shell.run('nvm use 22');
      assert.equal(await shell.out('echo "${PATH%%:*} $NVM_BIN"'), '/opt/node-22/bin /opt/node-22/bin\n');
    });

    test('a virtual environment stays active', async () => {
      await fresh();
      await shell.out('python3 -m venv --without-pip venv');
      await shell.run('. venv/bin/activate');
      assert.equal(
        await shell.out('command -v python; echo $VIRTUAL_ENV'),
        `${shell.root}/venv/bin/python\n${shell.root}/venv\n`,
      );
      await shell.run('deactivate');
      assert.equal(await shell.out('echo "${VIRTUAL_ENV-none}"'), 'none\n');
    });

    test('aliases', async () => {
      await fresh();
      await shell.run(`alias say='echo "it'\\''s"'`);
      assert.equal(await shell.out('say so'), `it's so\n`);
      await shell.run('unalias say');
      assert.equal((await shell.run('say so')).exitCode, 127);
    });

    test('shell options and umask', async () => {
      await fresh();
      await shell.run('set -u; set -o noglob; set -C; umask 077');
      assert.equal(await shell.out('echo *; umask'), kind === 'zsh' ? '*\n077\n' : '*\n0077\n');
      assert.notEqual((await shell.run('echo $NOT_THERE')).exitCode, 0);
      await shell.run('set +u; set +o noglob');
      assert.notEqual(await shell.out('echo * $NOT_THERE'), '*\n');
    });

    test('set -e ends a command, keeps what it did, and stays on', async () => {
      await fresh();
      const first = await shell.run('set -e; A=1; cd "sub dir"; false; A=2');
      assert.equal(first.exitCode, 1);
      assert.equal(await shell.out('echo $A; pwd'), `1\n${shell.root}/sub dir\n`);
      assert.equal((await shell.run('false; echo not reached')).stdout, '');
    });

    test('exit keeps the state and gives the code', async () => {
      await fresh();
      assert.equal((await shell.run('A=kept; cd "sub dir"; exit 3')).exitCode, 3);
      assert.equal(await shell.out('echo $A; pwd'), `kept\n${shell.root}/sub dir\n`);
    });

    test('exec, kill and a syntax error leave the state as it was', async () => {
      await fresh();
      await shell.run('A=before');
      assert.equal((await shell.run('A=exec; exec echo replaced')).stdout, 'replaced\n');
      const killed = await shell.run('A=killed; kill -9 $$');
      assert.equal(killed.signal, 'SIGKILL');
      assert.equal(await shell.out('echo $A'), 'before\n');
      const broken = await shell.run('echo one\nif true; then\necho "unbalanced');
      assert.notEqual(broken.exitCode, 0);
      assert.notEqual(broken.stderr, '');
      assert.equal(await shell.out('echo $A'), 'before\n');
    });

    test("the user's EXIT trap runs, once, and state is kept", async () => {
      await fresh();
      const result = await shell.run(`trap 'echo trapped $A' EXIT; A=1; cd "sub dir"; echo body`);
      assert.equal(result.stdout, 'body\ntrapped 1\n');
      assert.equal(await shell.out('echo $A; pwd'), `1\n${shell.root}/sub dir\n`);
      const left = await shell.run(`trap 'echo bye; exit 7' EXIT; exit 2`);
      assert.deepEqual([left.stdout, left.exitCode], ['bye\n', 7]);
      assert.equal(await shell.out('echo $A'), '1\n');
    });

    test('a subshell and a background job do not save', async () => {
      await fresh();
      await shell.run('A=1; (A=2; cd /; exit 4); { A=3; cd /; } & wait');
      assert.equal(await shell.out('echo $A; pwd'), `1\n${shell.root}\n`);
    });

    test('$0, $#, $?, stdin and the names of our own', async () => {
      await fresh();
      assert.equal(await shell.out('echo "$0 $# $?"'), `${kind === 'dash' ? 'sh' : kind} 0 0\n`);
      assert.equal(await shell.out('set -- a b; echo $#'), '2\n');
      assert.equal(await shell.out('echo $#; read line || echo closed'), '0\nclosed\n');
    });

    test('here-documents, quotes, many lines, and line numbers of errors', async () => {
      await fresh();
      assert.equal(await shell.out(`cat <<A; cat <<'B'\n$((1+1))\nA\n$x "'\nB`), `2\n$x "'\n`);
      const result = await shell.run('echo 1\necho 2\nno_such_command_here');
      assert.equal(result.exitCode, 127);
      assert.match(result.stderr, /\b3\b.*no_such_command_here|no_such_command_here.*\b3\b/);
    });

    test('a command of 1 MB', async () => {
      await fresh();
      const lines = Array.from({ length: 20_000 }, (_, i) => `: "${'x'.repeat(40)} ${i}"`);
      const command = `${lines.join('\n')}\nBIG=yes; cd "sub dir"; echo done`;
      assert.ok(command.length > 1_000_000);
      assert.equal(await shell.out(command), 'done\n');
      assert.equal(await shell.out('echo $BIG; pwd'), `yes\n${shell.root}/sub dir\n`);
    });

    test('survives a restart; reset forgets; files are private', async () => {
      await fresh();
      await shell.run(`cd "sub dir"; export A='x y'; f() { echo f $A; }; alias g='f'`);
      shell = await shell.restart();
      assert.equal(await shell.out('pwd; f; g'), `${shell.root}/sub dir\nf x y\nf x y\n`);
      const files = (await readdir(join(shell.stateDir, 'shells'))).filter((name) =>
        /^[0-9a-f]{32}\.json$/.test(name),
      );
      assert.equal(files.length, 1);
      assert.equal((await stat(join(shell.stateDir, 'shells', files[0] ?? ''))).mode & 0o777, 0o600);
      await shell.shell.resetShell(undefined, shell.root, linksOf());
      assert.equal(await shell.out('pwd; echo "${A-gone}"'), `${shell.root}\ngone\n`);
    });

    test('several at once start from the last save; of two that change the same the last to finish wins', async () => {
      await fresh();
      await shell.run('A=0');
      const slow = shell.run('until [ -e go ]; do sleep 0.02; done; echo $A; A=slow');
      assert.equal(await shell.out('echo $A; A=fast'), '0\n');
      await writeFile(join(shell.root, 'go'), '');
      assert.equal((await slow).stdout, '0\n');
      assert.equal(await shell.out('echo $A; rm go'), 'slow\n');
    });

    test('working_directory is for one call: the folder stays, variables are kept', async () => {
      await fresh();
      assert.equal(
        await shell.out('pwd; A=1; cd /', { workingDirectory: join(shell.root, 'sub dir') }),
        `${shell.root}/sub dir\n`,
      );
      assert.equal(await shell.out('pwd; echo $A'), `${shell.root}\n1\n`);
    });

    test('a folder that is gone is said, and the shell is usable again', async () => {
      await fresh();
      await shell.run('mkdir lost; cd lost');
      await rm(join(shell.root, 'lost'), { recursive: true });
      await assert.rejects(shell.run('echo here'), {
        code: 'FILE_NOT_FOUND',
        message: /no longer exists; nothing was run/,
      });
      assert.equal(await shell.out('pwd'), `${shell.root}\n`);
    });

    test('named shells are apart', async () => {
      await shell.run('A=one', { shell: 'one' });
      await shell.run('A=two', { shell: 'two' });
      assert.equal(await shell.out('echo $A', { shell: 'one' }), 'one\n');
    });

    test('240 functions of 1 KiB: loaded when used, listed, redefined and removed as if they were there', async () => {
      await fresh();
      const body = Array.from({ length: 20 }, (_, i) => `  : "line ${i} ${'y'.repeat(32)}"`).join('\n');
      const functions = Array.from(
        { length: 240 },
        (_, i) => `big_${i}() {\n${body}\n  echo big ${i} "$@"\n}`,
      );
      await writeFile(join(shell.root, 'big.sh'), functions.join('\n'));
      await shell.run('. ./big.sh');
      assert.equal(await shell.out('big_7 "a b"'), 'big 7 a b\n');
      assert.equal(await shell.out('name=big_; ${name}9 x'), 'big 9 x\n');
      assert.equal(await shell.out('x=$(eval "big""_11 y"); echo "$x"'), 'big 11 y\n');
      await shell.run('big_7() { echo new; }');
      await shell.run('unset -f big_8');
      assert.equal(await shell.out('big_7; big_9 z'), 'new\nbig 9 z\n');
      assert.equal((await shell.run('big_8')).exitCode, 127);
      if (kind === 'bash') assert.match(await shell.out('declare -f big_3'), /line 19 y+/);
    });
  });
}

function linksOf() {
  return {
    conversation: undefined,
    signal: new AbortController().signal,
    abandoned: new AbortController().signal,
    answerByMs: performance.now() + 40_000,
    progress: () => {},
  };
}

describe('state that only some shells have', () => {
  test('bash: arrays, integers, read-only, exported functions, shopt, pipefail', async () => {
    const shell = await openShell({ shell: 'bash' });
    await shell.run(
      `arr=(a "b c" [5]=$'x\\ny'); declare -A map=([k1]=v1 ["k 2"]="v)2"); declare -i n=4; declare -r ro=1; declare -ix en=7; ef() { echo ef; }; export -f ef; shopt -s extglob nullglob; set -o pipefail`,
    );
    assert.equal(
      await shell.out(
        `echo "\${#arr[@]} \${arr[1]} \${arr[5]}" "\${map[k 2]}"; n=n+1; echo $n; env | grep ^en=; bash -c ef; shopt -q extglob && echo extglob`,
      ),
      '3 b c x\ny v)2\n5\nen=7\nef\nextglob\n',
    );
    assert.equal((await shell.run('false | true')).exitCode, 1);
    assert.match((await shell.run('ro=2')).stderr, /readonly/);
    assert.equal((await shell.run('set -x; :')).stderr.includes('__lc'), false);
    const traced = await shell.run('echo traced');
    assert.match(traced.stderr, /^\++ echo traced\n$/);
    await shell.close();
  });

  test('zsh: arrays, global aliases, options, hooks', async () => {
    const shell = await openShell({ shell: 'zsh' });
    await shell.run(
      `arr=(a "b c"); typeset -A map=(k "v )"); integer i=5; alias -g G='| grep'; setopt extendedglob; my_exit() { echo bye; }; zshexit_functions+=(my_exit)`,
    );
    const result = await shell.run(
      `echo $arr[2] "$map[k]"; i=i+1; echo $i; echo abc G b; [[ -o extendedglob ]] && echo on`,
    );
    assert.equal(result.stdout, 'b c v )\n6\nabc\non\nbye\n');
    assert.equal((await shell.run('true')).stdout, 'bye\n');
    await shell.close();
  });

  test('what a command sees of ours: one function, one variable', async () => {
    const shell = await openShell({ shell: 'bash' });
    const names = await shell.out('declare -F; compgen -v | grep __lc_ | sort');
    assert.equal(names, 'declare -f __lc_save\n__lc_dump\n');
    await shell.close();
  });
});
