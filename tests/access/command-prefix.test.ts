import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandPrefix } from '../../src/access/approval/command-prefix.ts';

const OFFERED: readonly [command: string, prefix: string][] = [
  ['npm test', 'npm test'],
  ['npm test -- --grep x', 'npm test'],
  ['npm run build', 'npm run build'],
  ['npm run test:unit --silent', 'npm run test:unit'],
  ['git status --short', 'git status'],
  ['git diff HEAD~1', ''],
  ['git diff HEAD src/a.ts', 'git diff'],
  ['go mod tidy', 'go mod tidy'],
  ['cargo test --release', 'cargo test'],
  ['ls -la src', 'ls'],
  ['pytest tests/test_a.py', 'pytest'],
];

/** One that runs what it is given, or means more to some shell than its words. */
const NEVER = [
  ...[
    'sh',
    'bash -c ls',
    'zsh x',
    'pwsh x',
    'cmd /c dir',
    'env ls',
    'sudo ls',
    'xargs ls',
    'nohup ls',
    'time ls',
  ],
  ...[
    'node x.js',
    'python3 x.py',
    'ruby x',
    'perl x',
    'deno run x',
    'npx tsc',
    'npm exec x',
    'npm x y',
    'pnpm dlx x',
  ],
  ...[
    'find . -delete',
    'awk x',
    'sed x',
    'make test',
    'ssh host',
    'docker run x',
    'docker exec x y',
    'kubectl exec x',
  ],
  ...[
    'eval ls',
    'exec ls',
    'source x',
    '. x',
    'alias ls=x',
    'export X=1',
    'cd ..',
    'rm x',
    'rm -rf x',
    'mv a b',
  ],
  ...[
    'git',
    'npm',
    'npm run',
    'git push',
    'git -C x status',
    'git -c a.b=c status',
    'git bisect run x',
    'go run x',
  ],
  ...[
    'git rebase --exec x',
    'git diff --ext-diff',
    'git diff --output=x',
    'npm test --script-shell=x',
    'go test -exec x',
  ],
  ...[
    'npm test --prefix ..',
    'cargo test --config x',
    'mvn test -Dexec.executable=x',
    'npm test --node-options=x',
  ],
  ...[
    'npm test;id',
    'npm test|id',
    'npm test&id',
    'npm test>x',
    'npm test<x',
    'npm test $X',
    'npm test `id`',
  ],
  ...[
    'npm test (id)',
    'npm test {a,b}',
    'npm test *',
    'npm test ?',
    'npm test [a]',
    'npm test ~',
    'npm test #x',
  ],
  ...[
    "npm test 'x'",
    'npm test "x"',
    'npm test \\x',
    'npm test !x',
    'npm test %X%',
    'npm test ^x',
    'npm test @x',
  ],
  ...[
    'npm test\nid',
    'npm test\rid',
    'npm test\tx',
    'npm test\u00a0x',
    'npm test\u2028id',
    ' npm test',
    'npm test ',
  ],
  ...[
    'X=1 npm test',
    'X=1',
    '=npm test',
    './npm test',
    '/tmp/npm test',
    'NPM test',
    'n\u0440m test',
    '',
    ' ',
  ],
  ...['constructor x', '__proto__ x', 'toString test', `npm test ${'x'.repeat(2_000)}`],
];

test('a prefix is offered for simple commands of programs that do not run their words', () => {
  for (const [command, prefix] of OFFERED) assert.equal(commandPrefix(command) ?? '', prefix, command);
});

test('and for nothing that a shell or a program could take for more', () => {
  for (const command of NEVER) assert.equal(commandPrefix(command), undefined, JSON.stringify(command));
});
