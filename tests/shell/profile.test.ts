// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are the shell's
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openShell, p50 } from './helpers.ts';

async function homeWith(files: Record<string, string>): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'local-coder-home-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(home, name), text);
  return home;
}

for (const [kind, rc] of [
  ['bash', '.bashrc'],
  ['zsh', '.zshrc'],
] as const) {
  describe(`start files of ${kind}`, () => {
    test('functions and missing variables come in; aliases, prompt and set variables do not', async () => {
      const home = await homeWith({
        [rc]: `echo loaded >> ~/count\nPS1='$ '\nalias ls='ls --color'\nexport TOOL_HOME=/opt/tool LANG=xx\nexport PATH="/opt/tool/bin:$PATH"\nLOCAL_ROOT='a b'\ntool() { echo "tool $1 $LOCAL_ROOT"; }\n`,
      });
      const shell = await openShell({ shell: kind, home, env: { SHLVL: '1' } });
      try {
        assert.equal(await shell.out('tool x; echo $TOOL_HOME $LANG'), 'tool x a b\n/opt/tool C.UTF-8\n');
        assert.equal(await shell.out('alias | grep -c color || true'), '0\n');
        assert.equal(await shell.out('echo ${PATH##*:}'), '/opt/tool/bin\n');
        const again = await shell.restart();
        await again.out('true', { shell: 'other' });
        assert.equal(await readFile(join(home, 'count'), 'utf8'), 'loaded\n', 'read once, then cached');
        await writeFile(join(home, rc), 'tool() { echo changed; }\n');
        const changed = await again.restart();
        assert.equal(await changed.out('tool', { shell: 'new' }), 'changed\n');
        await changed.close();
      } finally {
        await rm(home, { recursive: true, force: true });
      }
    });

    test('a service without a shell above it gets the login PATH', async () => {
      const login = kind === 'bash' ? '.bash_profile' : '.zprofile';
      const home = await homeWith({ [login]: 'export PATH="$HOME/first:/usr/bin:/bin"\n' });
      const shell = await openShell({ shell: kind, home, env: { PATH: '/usr/bin:/bin' } });
      assert.equal(await shell.out('echo $PATH'), `${home}/first:/usr/bin:/bin\n`);
      await shell.close();
      await rm(home, { recursive: true, force: true });
    });

    test('one that replaces the shell, exits or fails costs nothing but itself', async () => {
      for (const text of ['exec true\n', 'exit 3\n', 'syntax ( error\n']) {
        const home = await homeWith({ [rc]: text });
        const shell = await openShell({ shell: kind, home, env: { SHLVL: '1' } });
        assert.equal(await shell.out('echo works'), 'works\n');
        await shell.close();
        await rm(home, { recursive: true, force: true });
      }
    });

    test('one that hangs holds the first command for 3 s and nothing after it', async () => {
      const home = await homeWith({ [rc]: 'sleep 60\n' });
      const shell = await openShell({ shell: kind, home, env: { SHLVL: '1' } });
      const start = performance.now();
      assert.equal(await shell.out('echo works'), 'works\n');
      assert.ok(performance.now() - start < 6000);
      const second = performance.now();
      await shell.out('echo again');
      assert.ok(performance.now() - second < 2000);
      await shell.close();
      await rm(home, { recursive: true, force: true });
    });
  });
}

test('a profile of 260 KiB of functions adds less than 12 ms to a call that does not use it', async (t) => {
  const body = Array.from(
    { length: 20 },
    (_, i) => `  if [ "$1" = ${i} ]; then echo "${'y'.repeat(30)}"; fi`,
  ).join('\n');
  const functions = Array.from({ length: 200 }, (_, i) => `big_${i}() {\n${body}\n}`).join('\n');
  const home = await homeWith({ '.bashrc': `${functions}\nnvm() { big_3 3; }\n` });
  const plain = await openShell({ shell: 'bash' });
  const heavy = await openShell({ shell: 'bash', home, env: { SHLVL: '1' } });
  assert.match(await heavy.out('nvm'), /^y+\n$/);
  await plain.out('true');
  await heavy.out('true');
  // Measured in turns: other work on the machine then meets both.
  const plainMs = Math.min(await p50(15, () => plain.out('true')), await p50(15, () => plain.out('true')));
  const heavyMs = Math.min(await p50(15, () => heavy.out('true')), await p50(15, () => heavy.out('true')));
  t.diagnostic(
    `${functions.length} bytes of functions: ${heavyMs.toFixed(1)} ms, without ${plainMs.toFixed(1)} ms`,
  );
  assert.ok(heavyMs < plainMs + 12, `${heavyMs} ms, without ${plainMs} ms`);
  await plain.close();
  await heavy.close();
  await rm(home, { recursive: true, force: true });
});
