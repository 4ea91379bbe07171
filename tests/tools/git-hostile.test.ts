import assert from 'node:assert/strict';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { gitTools } from '../../src/tools/git.ts';
import { World } from '../git/support.ts';

/** Values that ran programs, wrote files or removed some in other servers of this kind. */
function hostileValues(canary: string): string[] {
  const program = join(canary, '..', 'run-canary');
  return [
    '--upload-pack=touch canary',
    `--upload-pack=${program}`,
    `--receive-pack=${program}`,
    `--exec=${program}`,
    `-u${program}`,
    '--orphan=x',
    '--orphan',
    '-f',
    '--force',
    '-D',
    '--detach',
    '--all',
    '--hard',
    '-',
    '--',
    `--output=${canary}`,
    `-o${canary}`,
    `--ext-diff`,
    `--open-files-in-pager=${program}`,
    '--no-index',
    `--config-env=core.pager=X`,
    `-ccore.pager=${program}`,
    `--pathspec-from-file=/etc/passwd`,
    `ext::${program}`,
    `ext::sh -c touch% ${canary}`,
    'fd::17',
    `$(touch ${canary})`,
    `\`touch ${canary}\``,
    `; touch ${canary}`,
    `| touch ${canary}`,
    `&& touch ${canary}`,
    `x\ntouch ${canary}`,
    `ssh://-oProxyCommand=${program}/x`,
    `-oProxyCommand=${program}`,
    `git@-oProxyCommand=${program}:x`,
    ':(exclude)*',
    ':/',
    '.',
    '+main',
    ':main',
    'refs/heads/*:refs/heads/*',
    'HEAD --output=x',
  ];
}

/** Every parameter that takes free text, on every tool that has it. */
const TARGETS: readonly (readonly [tool: string, parameter: string, others: Record<string, unknown>])[] = [
  ['git_diff', 'ref', {}],
  ['git_diff', 'file', {}],
  ['git_log', 'ref', {}],
  ['git_log', 'file', {}],
  ['git_show', 'ref', {}],
  ['git_show', 'ref', { file: 'a' }],
  ['git_show', 'file', { ref: 'HEAD' }],
  ['git_blame', 'file', {}],
  ['git_commit', 'message', { files: ['extra'] }],
  ['git_branch', 'name', { action: 'create' }],
  ['git_branch', 'name', { action: 'switch' }],
  ['git_branch', 'name', { action: 'create-and-switch' }],
  ['git_branch', 'name', { action: 'delete' }],
  ['git_branch', 'start', { action: 'create', name: 'new' }],
  ['git_checkout', 'branch', {}],
  ['git_restore', 'source', { files: ['a'] }],
  ['git_fetch', 'remote', {}],
  ['git_push', 'remote', {}],
  ['git_push', 'branch', {}],
  ['git_push', 'remote', { branch: 'main' }],
  ['git_push', 'remote', { set_upstream: true }],
  ['git_pull', 'remote', {}],
  ['git_pull', 'branch', {}],
  ['git_pull', 'branch', { remote: 'origin' }],
  ['git_reset', 'ref', { mode: 'soft' }],
  ['git_reset', 'ref', { mode: 'mixed' }],
  ['git_stash', 'message', { action: 'push' }],
];

/** And the ones that take lists of files. */
const FILE_TARGETS: readonly (readonly [tool: string, others: Record<string, unknown>])[] = [
  ['git_add', {}],
  ['git_commit', { message: 'x' }],
  ['git_restore', {}],
];

function prepare(t: TestContext): {
  world: World;
  canary: string;
  head: string;
} {
  const world = new World(t);
  const canary = join(world.folder, 'canary');
  const program = join(world.folder, 'run-canary');
  writeFileSync(program, `#!/bin/sh\n: > '${canary}'\n`);
  chmodSync(program, 0o755);
  const head = world.commit('one', { a: '1\n', b: '1\n' });
  world.git(world.folder, 'clone', '-q', '--bare', 'work', 'remote.git');
  world.git(world.root, 'remote', 'add', 'origin', join(world.folder, 'remote.git'));
  world.git(world.root, 'fetch', '-q');
  world.git(world.root, 'branch', '-q', '--set-upstream-to=origin/main');
  return { world, canary, head };
}

describe('hostile values', () => {
  for (const [tool, parameter, others] of TARGETS) {
    test(`${parameter} of ${tool} ${JSON.stringify(others)}`, async (t) => {
      const { world, canary, head } = prepare(t);
      // A message is never an argument: a few suffice, each is a commit of its own.
      const values = hostileValues(canary).filter((_, index) => parameter !== 'message' || index % 6 === 0);
      for (const value of values) {
        world.write('extra', value);
        const reply = await world.call(tool, { ...others, [parameter]: value });
        if (!reply.ok) assert.notEqual(reply.data.error.code, 'INTERNAL_ERROR', value);
        if (parameter !== 'message' && value.startsWith('-') && parameter !== 'file') {
          assert.equal(reply.ok, false, `${value} was accepted: ${reply.summary}`);
        }
        assert.equal(world.exists('canary', world.folder), false, `${value} ran something`);
        assert.equal(world.exists('canary'), false, `${value} ran something`);
      }
      // Nothing was forced, removed or rewritten: the first commit is still in every history.
      assert.equal(world.git(world.root, 'merge-base', 'HEAD', head), head);
      assert.equal(world.git(join(world.folder, 'remote.git'), 'merge-base', 'main', head), head);
      assert.deepEqual(world.git(world.root, 'ls-files', 'a', 'b').split('\n'), ['a', 'b']);
      assert.ok(world.exists('a') && world.exists('b'));
    });
  }

  for (const [tool, others] of FILE_TARGETS) {
    test(`files of ${tool}`, async (t) => {
      const { world, canary } = prepare(t);
      world.write('b', 'changed\n');
      for (const value of hostileValues(canary).filter((name) => name !== '.')) {
        const reply = await world.call(tool, { ...others, files: [value] });
        // None of these files exists, so nothing may have matched.
        assert.equal(reply.ok, false, `${value} matched: ${reply.summary}`);
        assert.equal(world.exists('canary', world.folder), false, `${value} ran something`);
      }
      assert.equal(world.git(world.root, 'status', '--short'), ' M b'.trimStart().padStart(4));
    });
  }

  test('path is a folder and nothing else', async (t) => {
    const { world, canary } = prepare(t);
    for (const tool of gitTools) {
      for (const path of ['--upload-pack=x', '-C', `$(touch ${canary})`, '--git-dir=/']) {
        const reply = await world.call(tool.name, {
          path,
          message: 'x',
          ref: 'HEAD',
          file: 'a',
          files: ['a'],
          branch: 'main',
          action: 'list',
          mode: 'soft',
        });
        assert.equal(reply.ok, false);
      }
    }
    assert.equal(world.exists('canary', world.folder), false);
  });

  test("an unconfigured address is fetched only through git's own transports", async (t) => {
    const { world } = prepare(t);
    await world.ok('git_fetch', { remote: join(world.folder, 'remote.git') });
    await world.ok('git_fetch', { remote: `file://${join(world.folder, 'remote.git')}` });
    await world.fails('DENIED', 'git_fetch', { remote: 'ext::sh -c true' });
    // Also when the repository has it configured, and allows it.
    world.git(world.root, 'config', 'protocol.ext.allow', 'always');
    world.git(world.root, 'remote', 'add', 'evil', `ext::sh -c "touch ${world.folder}/canary"`);
    const { data } = await world.fails('DENIED', 'git_fetch', { remote: 'evil' });
    assert.equal(data.error.reason, 'transport');
    assert.equal(world.exists('canary', world.folder), false);
  });
});

/** Makes a repository whose own configuration names programs. */
function programsIn(world: World, folder: string, canary: string): void {
  const program = join(world.folder, 'run-canary');
  writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> '${canary}'\ncat 2>/dev/null\nexit 0\n`);
  chmodSync(program, 0o755);
  world.commit('one', { 'a.txt': '1\n', '.gitattributes': '*.txt diff=evil merge=evil\n' }, folder);
  for (const [key, value] of [
    ['core.fsmonitor', program],
    ['core.pager', program],
    ['core.editor', program],
    ['sequence.editor', program],
    ['core.askPass', program],
    ['diff.external', program],
    ['diff.evil.command', program],
    ['diff.evil.textconv', program],
    ['pager.log', program],
    ['pager.diff', program],
    ['log.showSignature', 'true'],
    ['gpg.program', program],
    ['interactive.diffFilter', program],
    ['alias.status', `!${program}`],
    ['alias.log', `!${program}`],
    ['core.alternateRefsCommand', program],
  ] as const) {
    world.git(folder, 'config', key, value);
  }
}

const READING: readonly (readonly [string, Record<string, unknown>])[] = [
  ['git_status', {}],
  ['git_diff', {}],
  ['git_diff', { staged: true }],
  ['git_diff', { ref: 'HEAD' }],
  ['git_log', {}],
  ['git_log', { file: 'a.txt' }],
  ['git_show', { ref: 'HEAD' }],
  ['git_show', { ref: 'HEAD', file: 'a.txt' }],
  ['git_blame', { file: 'a.txt' }],
  ['git_branch', { action: 'list' }],
  ['git_stash', { action: 'list' }],
];

describe('programs in the configuration of a repository', () => {
  test('are not started by any reading tool, nor by changing ones', async (t) => {
    const world = new World(t);
    const canary = join(world.folder, 'canary');
    programsIn(world, world.root, canary);
    world.write('a.txt', '2\n');
    for (const [tool, args] of READING) {
      await world.ok(tool, args);
      assert.equal(world.exists('canary', world.folder), false, `${tool} ${JSON.stringify(args)}`);
    }
    await world.ok('git_add', { files: ['a.txt'] });
    await world.ok('git_commit', { message: 'x' });
    await world.ok('git_branch', { action: 'create-and-switch', name: 'x' });
    world.write('a.txt', '3\n');
    await world.ok('git_stash', { action: 'push' });
    await world.ok('git_stash', { action: 'apply' });
    await world.ok('git_restore', { files: ['a.txt'] });
    await world.ok('git_reset', { mode: 'hard', ref: 'HEAD' });
    assert.equal(world.exists('canary', world.folder), false);
  });

  test('of a submodule are not started through the outer one', async (t) => {
    const world = new World(t);
    const canary = join(world.folder, 'canary');
    world.git(world.folder, 'init', '-q', 'lib');
    world.commit('lib', { 'l.txt': '1\n' }, join(world.folder, 'lib'));
    world.git(world.root, 'submodule', '--quiet', 'add', join(world.folder, 'lib'), 'lib');
    world.git(world.root, 'commit', '-q', '-m', 'lib');
    programsIn(world, join(world.root, 'lib'), canary);
    world.write('lib/l.txt', '2\n');
    await world.ok('git_status');
    await world.ok('git_diff');
    assert.equal(world.exists('canary', world.folder), false);
  });

  test('filters and hooks run in full mode and never in read-only mode', async (t) => {
    const full = new World(t);
    const canary = join(full.folder, 'canary');
    full.commit('one', { 'a.txt': '1\n', '.gitattributes': '*.txt filter=odd.name\n' });
    full.git(full.root, 'config', 'filter.odd.name.clean', `touch ${canary}; cat`);
    full.git(full.root, 'config', 'filter.odd.name.required', 'true');
    full.hook('post-index-change', `touch ${canary}`);
    full.write('a.txt', '2\n');
    const reader = new World(t, { accessMode: 'read-only', serves: full.root });
    for (const [tool, args] of READING) {
      if (tool === 'git_branch' || tool === 'git_stash') continue;
      const reply = await reader.call(tool, {
        ...args,
        path: full.root,
        ...(args['file'] !== undefined && { file: join(full.root, 'a.txt') }),
      });
      assert.equal(reply.ok, true, JSON.stringify(reply.data));
      assert.equal(full.exists('canary', full.folder), false, tool);
    }
    for (const [tool, args] of [
      ['git_add', { all: true }],
      ['git_commit', { message: 'x', stage_all: true }],
      ['git_reset', { mode: 'hard' }],
      ['git_fetch', {}],
    ] as const) {
      await reader.fails('DENIED', tool, { ...args, path: full.root });
    }
    assert.equal(full.exists('canary', full.folder), false);
    await full.ok('git_add', { files: ['a.txt'] });
    assert.equal(full.exists('canary', full.folder), true);
    full.git(full.root, 'config', 'filter.a=b.clean', 'cat');
    await reader.fails('DENIED', 'git_status', { path: full.root });
  });

  test('a file that the repository names for git_blame is not quoted in read-only mode', async (t) => {
    const full = new World(t);
    full.commit('one', { 'a.txt': '1\n' });
    full.write('secret', 'password=hunter2\n', full.folder);
    full.git(full.root, 'config', 'blame.ignoreRevsFile', join(full.folder, 'secret'));
    const reader = new World(t, { accessMode: 'read-only', serves: full.root });
    const reply = await reader.call('git_blame', { file: join(full.root, 'a.txt'), path: full.root });
    assert.match(JSON.stringify(reply.data), /blame\.ignoreRevsFile/);
    assert.doesNotMatch(JSON.stringify(reply), /hunter2/);
  });

  test('a git in the workspace or in a relative folder of PATH is never the one that runs', async (t) => {
    const world = new World(t);
    const { createGit } = await import('../../src/git/index.ts');
    for (const folder of [world.root, join(world.root, 'node_modules/.bin')]) {
      world.write(join(folder, 'git').slice(world.root.length + 1), '#!/bin/sh\ntouch canary\n');
      chmodSync(join(folder, 'git'), 0o755);
    }
    const path = `:.:node_modules/.bin:./:${world.env['PATH']}`;
    Object.assign(world.services, {
      git: createGit({ env: { ...world.env, PATH: path }, accessMode: 'full' }),
    });
    await world.ok('git_status');
    assert.equal(readdirSync(world.root).includes('canary'), false);
  });
});

describe("the product's own state", () => {
  test('is out of reach of paths and files', async (t) => {
    const world = new World(t);
    await world.fails('DENIED', 'git_status', { path: join(world.folder, 'state') });
    world.git(world.folder, 'init', '-q');
    world.write('state/secret', 'x', world.folder);
    for (const [tool, args] of [
      ['git_add', { files: ['state/secret'] }],
      ['git_blame', { file: 'state/secret' }],
      ['git_show', { ref: 'HEAD', file: 'state/secret' }],
      ['git_restore', { files: ['state/secret'] }],
    ] as const) {
      await world.fails('DENIED', tool, { ...args, path: world.folder });
    }
  });
});
