import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Language, type Node, Parser } from 'web-tree-sitter';
import { COMMANDS, commandDefinition } from '../../src/cli/commands.ts';
import { completion } from '../../src/cli/completion.ts';
import { definitionOf, SETTINGS, type SettingName } from '../../src/config/definitions.ts';
import { UsageError } from '../../src/config/usage-error.ts';
import { which } from '../../src/runtime/which.ts';
import { runToEnd } from '../support/programs.ts';

const run = promisify(execFile);
const scriptOf = (shell: string) => {
  let text = '';
  completion([shell], { write: (part) => (text += part) });
  return text;
};

/** What is typed (the last word is completed), and what must be offered: all of it where `only` is set. */
const CASES: [typed: string[], offers: string[], not: string[]][] = [
  [['cl'], ['client'], ['status', '--access']],
  [
    ['client', ''],
    ['add', 'list', 'remove'],
    ['claude-code', 'serve'],
  ],
  [['client', 'add', 'c'], ['claude-desktop', 'claude-code', 'codex', 'cursor'], ['vscode']],
  [['client', '--yes', 'remove', ''], ['vscode', 'codex'], ['add']],
  [['--access', ''], ['full', 'workspace', 'read-only'], ['client']],
  [['--access', 're'], ['read-only'], ['full']],
  [['--tunnel', ''], ['cloudflare', 'none', 'relay'], []],
  [['client', 'add', 'cursor', '--scope', ''], ['user', 'project'], []],
  [['client', 'add', 'cursor', '--sc'], ['--scope'], ['--tunnel']],
  [['client', '--tu'], [], ['--tunnel']],
  [['--workspace', '/somewhere', 'st'], ['status', 'stop'], []],
  [['tunnel', 'init', ''], ['openai'], ['list']],
  [['token', 'r'], ['revoke', 'rotate'], ['list']],
  [['--port', ''], [], ['client', 'status']],
  [['service', 'install', '--', '--tunnel-i'], ['--tunnel-install'], []],
  [['serve', '--acc'], ['--access'], []],
];

describe('completion', () => {
  let folder: string;
  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-completion-')));
    await mkdir(join(folder, 'with space'));
    await mkdir(join(folder, 'plain'));
    await writeFile(join(folder, 'file'), '');
    for (const shell of Object.keys(COMMANDS.completion.actions)) {
      await writeFile(join(folder, `script.${shell}`), scriptOf(shell));
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const check = async (complete: (typed: string[]) => Promise<string[]>, files: string) => {
    for (const [typed, offers, not] of CASES) {
      const found = await complete(typed);
      const what = `${typed.join(' ')} → ${found.join(' ')}`;
      for (const word of offers) assert.ok(found.includes(word), what);
      for (const word of not) assert.ok(!found.includes(word), what);
      for (const word of found) assert.ok(word.startsWith(typed.at(-1) ?? ''), what);
    }
    const folders = (await complete(['--workspace', `${folder}/`])).map((name) =>
      name.replaceAll('\\', '').replace(/\/$/, '').slice(files.length),
    );
    // zsh also looks at the parts of the path above.
    assert.deepEqual([...new Set(folders)].filter((name) => /plain|space|file/.test(name)).sort(), [
      'plain',
      'with space',
    ]);
    // serve takes folders as words, several of them.
    for (const before of [['serve'], ['serve', '--port', '3001', '/']]) {
      const named = await complete([...before, `${folder}/p`]);
      assert.ok(
        named.some((name) => name.replace(/\/$/, '') === `${folder}/plain`),
        named.join(' '),
      );
    }
    assert.ok((await complete(['--audit-log', `${folder}/fi`])).some((name) => name.endsWith('file')));
  };

  test('bash', async (context) => {
    const bash = await which('bash');
    if (bash === undefined) return context.skip('there is no bash on this machine');
    const complete = async (typed: string[]) => {
      const program =
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _local_coder; printf "%s\\n" "\x24{COMPREPLY[@]}"';
      const args = ['--norc', '-c', program, 'bash', join(folder, 'script.bash'), 'local-coder', ...typed];
      return (await run(bash, args)).stdout.split('\n').filter(Boolean);
    };
    await check(complete, `${folder}/`);
    // Readline cuts at "=".
    assert.deepEqual(await complete(['--access', '=', 're']), ['read-only']);
    assert.deepEqual((await complete(['--access', '='])).length, 3);
    assert.deepEqual(await complete(['--access', '=', 'full', 'sto']), ['stop']);
    const loaded = await run(bash, [
      '--norc',
      '-c',
      `source "$1"; complete -p local-coder`,
      'bash',
      join(folder, 'script.bash'),
    ]);
    assert.match(loaded.stdout, /complete -F _local_coder local-coder/);
  });

  test('zsh', async (context) => {
    if (process.env['LOCAL_CODER_TEST_FULL'] !== '1') return context.skip('runs with npm run test:full');
    const zsh = await which('zsh');
    if (zsh === undefined) return context.skip('there is no zsh on this machine');
    // A real line editor on a pseudo terminal: what compadd is given is what would be offered.
    const driver = `
zmodload zsh/zpty || exit 9
zpty z ${zsh} -f -i
send() { zpty -w z "$1" }
send "cd $1; PS1='>'; autoload -U compinit; compinit -u -D; source $1/script.zsh"
send "compadd() { local -a hits; if [[ \\$@[(I)-O] -eq 0 && \\$@[(I)-A] -eq 0 ]]; then builtin compadd -O hits \\"\\$@\\"; print -rl -- \\$hits >> $1/zsh.out; fi; builtin compadd \\"\\$@\\" }"
send "done-with() { print -r end >> $1/zsh.out }; zle -N done-with; bindkey '^X' done-with; bindkey '^I' complete-word; LISTMAX=-1; zstyle ':completion:*' list-prompt ''; zstyle ':completion:*:descriptions' format ''; : > $1/zsh.ready"
zmodload zsh/zselect
while [[ ! -e $1/zsh.ready ]]; do zpty -r -t z > /dev/null; zselect -t 1; done
while IFS= read -r line; do
  : > $1/zsh.out
  zpty -w -n z $'\\x15'"$line"$'\\t\\x18'
  while [[ $(<$1/zsh.out) != *end ]]; do zpty -r -t z > /dev/null; zselect -t 1; done
  print -r -- "\${$(<$1/zsh.out)%end}"
  print -r -- "== "
done
zpty -d z
`;
    const file = join(folder, 'driver.zsh');
    await writeFile(file, driver);
    const typedLines = [
      ...CASES.map(([typed]) => typed),
      ['--workspace', `${folder}/`],
      ['serve', `${folder}/p`],
      ['serve', '--port', '3001', '/', `${folder}/p`],
      ['--audit-log', `${folder}/fi`],
    ];
    const lines = typedLines.map((typed) => `local-coder ${typed.join(' ')}`);
    const promise = run(zsh, ['-f', file, folder], {
      timeout: 60_000,
      env: { ...process.env, TERM: 'dumb' },
    });
    promise.child.stdin?.end(`${lines.join('\n')}\n`);
    const blocks = (await promise).stdout.split('== \n').map((block) => block.split('\n').filter(Boolean));
    const answers = new Map(typedLines.map((typed, index) => [typed.join(' '), blocks[index] ?? []]));
    const complete = async (typed: string[]) => {
      const found = answers.get(typed.join(' ')) ?? [];
      return typed.at(-1)?.startsWith('/') ? found.map((name) => `${folder}/${name}`) : found;
    };
    await check(complete, `${folder}/`);
  });

  test('fish', async (context) => {
    const fish = await which('fish');
    if (fish === undefined) return context.skip('there is no fish on this machine');
    const complete = async (typed: string[]) => {
      const args = [
        '--no-config',
        '-c',
        'source $argv[1]; complete -C $argv[2]',
        join(folder, 'script.fish'),
        `local-coder ${typed.join(' ')}`,
      ];
      const { stdout } = await run(fish, args);
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('\t')[0] ?? '');
    };
    await check(complete, `${folder}/`);
  });

  test('PowerShell: the script has no syntax error and knows every word', async () => {
    const require = createRequire(import.meta.url);
    await Parser.init({ locateFile: () => require.resolve('web-tree-sitter/web-tree-sitter.wasm') });
    const parser = new Parser();
    parser.setLanguage(
      await Language.load(require.resolve('@vscode/tree-sitter-wasm/wasm/tree-sitter-powershell.wasm')),
    );
    const text = scriptOf('powershell');
    const tree = parser.parse(text);
    const bad: string[] = [];
    const visit = (node: Node) => {
      if (node.isError || node.isMissing)
        bad.push(`${node.startPosition.row + 1}: ${node.text.slice(0, 80)}`);
      for (const child of node.children) if (child) visit(child);
    };
    if (tree) visit(tree.rootNode);
    assert.deepEqual(bad, []);
    for (const name of Object.keys(COMMANDS.client.actions)) assert.ok(text.includes(`'${name}'`));
    // What is completed is read as code: only these names go without quotes. .NET reads both patterns as JavaScript does.
    const plain = new RegExp(/-notmatch '(.*)'/.exec(text)?.[1] ?? '^$');
    for (const name of ['C:\\a\\b-1.2', '/srv/x_y', '--access=full']) assert.match(name, plain);
    for (const name of ['$(calc)', 'a;b', 'a&b', '`a', '@x', 'a b', "o'b", 'o\u2019b', '{x}', '%x', 'a|b'])
      assert.doesNotMatch(name, plain);
    const quotes = new RegExp(/-replace "(.*)", '\$0\$0'/.exec(text)?.[1] ?? '^$', 'g');
    assert.equal("o'b\u2019\u2018".replace(quotes, '$&$&'), "o''b\u2019\u2019\u2018\u2018");
  });

  test('every command and setting that --help names is in every script', async () => {
    const commands = (Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]).filter(
      (name) => commandDefinition(name).help,
    );
    const flags = (Object.keys(SETTINGS) as SettingName[]).filter((name) => definitionOf(name).help);
    for (const shell of Object.keys(COMMANDS.completion.actions)) {
      const text = scriptOf(shell);
      for (const word of [...commands, ...flags]) {
        assert.match(text, new RegExp(`(?<![\\w-])(--)?${word}(?![\\w-])`), `${word} in ${shell}`);
      }
      assert.match(text, /^#.*\n(#.*\n)*# Install it for yourself/);
    }
  });

  test('another shell is refused with those that there are', async () => {
    for (const words of [[], ['tcsh'], ['toString']]) {
      assert.throws(
        () => completion(words),
        (error) => {
          assert.ok(error instanceof UsageError && error.exitCode === 2);
          assert.match(error.message, /completion bash\|zsh\|fish\|powershell/);
          return true;
        },
      );
    }
    const printed = await runToEnd({ args: ['completion', 'bash'] });
    assert.equal(printed.exitCode, 0);
    assert.equal(printed.stdout, scriptOf('bash'));
    await readFile(join(folder, 'script.bash'));
  });
});
