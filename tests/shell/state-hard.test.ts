// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the shell's
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openShell, type TestShell } from './helpers.ts';

for (const kind of ['bash', 'zsh', 'dash']) {
  describe(`state that is hard to carry, ${kind}`, () => {
    let shell: TestShell;
    before(async () => {
      shell = await openShell({ shell: kind });
    });
    after(() => shell.close());

    test('a working directory with letters beyond ASCII was taken for one that is gone', async () => {
      const name = `é 日本 '"\nend`;
      const quoted = `'${name.replaceAll("'", "'\\''")}'`;
      await shell.out(`mkdir -p ${quoted} && cd ${quoted}`);
      assert.equal(await shell.out('pwd'), `${shell.root}/${name}\n`);
      await shell.out('cd ..');
      assert.equal(await shell.out('cd - >/dev/null; pwd'), `${shell.root}/${name}\n`);
      shell = await shell.restart();
      assert.equal(await shell.out('pwd; cd ..'), `${shell.root}/${name}\n`);
    });

    test('a working directory that is no UTF-8 leaves the shell in the folder above it', async () => {
      await shell.out(`mkdir -p above/"$(printf 'x\\377')"/below && cd above/x*/below`);
      assert.equal(await shell.out('pwd; cd ..'), `${shell.root}/above\n`);
    });

    test('an exported variable above 128 KiB kept every later command from starting', async () => {
      await shell.out(`export BIG=$(head -c 200000 /dev/zero | tr '\\0' x)`);
      assert.equal(await shell.out('echo ${#BIG}'), '200000\n');
      shell = await shell.restart();
      assert.equal(await shell.out('echo ${#BIG}; unset BIG; /bin/echo started'), '200000\nstarted\n');
      assert.equal(await shell.out('echo ${BIG-unset}; /bin/echo started'), 'unset\nstarted\n');
    });

    test('an environment of some MiB kept every later command from starting', async () => {
      await shell.out(
        `part=$(head -c 90000 /dev/zero | tr '\\0' x); i=0
         while [ $i -lt 40 ]; do export "V$i=$part"; i=$((i+1)); done`,
      );
      assert.equal(await shell.out('echo ${#V0} ${#V39}'), '90000 90000\n');
      await shell.out('i=0; while [ $i -lt 40 ]; do unset "V$i"; i=$((i+1)); done');
      assert.equal(await shell.out('/bin/echo ${V0-unset} ${V39-unset}'), 'unset unset\n');
    });

    test('of variables that parallel calls set, only those of the last call were kept', async () => {
      await shell.out('BASE=1; GONE=1; CHANGED=1');
      const numbers = Array.from({ length: 8 }, (_, index) => index);
      const calls = numbers.map((n) => shell.out(`V${n}="a ${n}'\n\\"é"; E${n}=x; export E${n}; sleep 0.3`));
      calls.push(shell.out('unset GONE; CHANGED="2 3"; readonly LOCKED=4; sleep 0.3'));
      await Promise.all(calls);
      const values = numbers.map((n) => `[$V${n}][$E${n}]`).join('');
      const kept = await shell.out(`printf %s "${values}"; echo " $BASE \${GONE-gone} $CHANGED $LOCKED"`);
      const expected = numbers.map((n) => `[a ${n}'\n"é][x]`).join('');
      assert.equal(kept, `${expected} 1 gone 2 3 4\n`);
    });

    test('PS4, IFS and an empty PATH stay as they were set', async () => {
      await shell.out("PS4='>> '; IFS=,; SAVED=$PATH; PATH=");
      assert.equal(await shell.out('echo "[$PS4][$IFS][$PATH]"; PATH=$SAVED'), '[>> ][,][]\n');
      const traced = await shell.run('set -x; echo one');
      assert.doesNotMatch(traced.stderr, /__lc_/);
      const later = await shell.run('echo two');
      assert.equal(later.stderr.trim().replace(/^>+ /, ''), 'echo two');
      await shell.out("set +x; IFS=' \t\n'");
    });
  });
}
