import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { z } from 'zod';
import type { AccessMode } from '../../src/access/modes.ts';
import { refuseDeceptiveName } from '../../src/access/path-names.ts';
import { pathsLeadingOut, pathsOfTheState, pathsOfTheSystem } from './support/kinds-of-path.ts';
import { OTHER_PARAMETERS, PATH_PARAMETERS } from './support/path-parameters.ts';
import { CANARY, IGNORED_CANARY, NAME_CANARY, STATE_CANARY, World } from './support/world.ts';

/** Calls that answer without an error because what they name is not in the workspace: they find nothing. */
const FINDS_NOTHING = /^(glob\.pattern|grep\.glob|search_files\.glob)$/;

interface Attempts {
  readonly world: World;
  readonly paths: Readonly<Record<string, string>>;
  readonly forbidden: readonly string[];
}

/** Makes every listed tool take every path by every parameter. @returns how many attempts there were */
async function attempt({ world, paths, forbidden }: Attempts): Promise<number> {
  const listed = new Set(world.program.registry.list().map(({ name }) => name));
  const before = world.outsideState();
  const marker = readFileSync(join(world.stateDir, 'marker.txt'), 'utf8');
  let attempts = 0;
  for (const [parameter, callWith] of Object.entries(PATH_PARAMETERS)) {
    const tool = parameter.slice(0, parameter.indexOf('.'));
    if (!listed.has(tool)) continue;
    for (const [kind, path] of Object.entries(paths)) {
      const reply = await world.call(tool, callWith(path));
      const what = `${parameter} with ${kind} (${JSON.stringify(path)}): ${reply.text.slice(0, 600)}`;
      attempts++;
      if (!FINDS_NOTHING.test(parameter)) assert.equal(reply.ok, false, what);
      assert.notEqual(reply.code, 'INTERNAL_ERROR', what);
      for (const secret of forbidden) {
        // What the caller wrote may be said back.
        const shown = reply.text.replaceAll(JSON.stringify(path).slice(1, -1), '');
        assert.ok(!shown.includes(secret) || callWith(path)['patch'] !== undefined, what);
      }
    }
    assert.equal(world.outsideState(), before, `${parameter} changed something outside`);
  }
  assert.equal(readFileSync(join(world.stateDir, 'marker.txt'), 'utf8'), marker);
  assert.equal(existsSync(join(world.stateDir, 'made.txt')), false);
  assert.equal(existsSync(join(world.root, 'stolen.txt')), false);
  return attempts;
}

const confined: readonly AccessMode[] = ['workspace', 'read-only'];

for (const mode of confined) {
  describe(`access mode ${mode}`, () => {
    const started = (t: TestContext) => new World(t, mode).start();

    test('no path leads out, through no parameter of any tool', async (t) => {
      const world = await started(t);
      const paths = pathsLeadingOut(world);
      const count = await attempt({ world, paths, forbidden: [CANARY, NAME_CANARY] });
      t.diagnostic(`${count} attempts`);
      assert.ok(count >= 80, `${count} attempts`);
    });

    test('no file of the system and no impossible name', async (t) => {
      const world = await started(t);
      const count = await attempt({ world, paths: pathsOfTheSystem(), forbidden: [STATE_CANARY] });
      assert.ok(count >= 80, `${count} attempts`);
    });

    test('what leads inside works', async (t) => {
      const world = await started(t);
      for (const path of [
        'inside.txt',
        '..foo',
        './sub/../inside.txt',
        join(world.root, 'inside.txt'),
        'link-in/deep/file.txt',
        join(world.folder, 'alias', 'inside.txt'),
        join(world.folder, 'alias', 'link-in', 'deep', 'file.txt'),
      ]) {
        const reply = await world.call('read_text_file', { path });
        assert.equal(reply.ok, true, `${path}: ${reply.text}`);
      }
    });

    test('devices and pipes are not opened', async (t) => {
      const world = await started(t);
      for (const tool of ['read_text_file', 'read_file_base64', 'view_image', 'outline', 'grep']) {
        const args = { path: 'pipe', ...(tool === 'grep' && { pattern: 'x' }) };
        const reply = await world.call(tool, args);
        assert.equal(reply.ok, false, `${tool}: ${reply.text}`);
      }
    });

    test('listings, searches and overviews show nothing from outside', async (t) => {
      const world = await started(t);
      for (const [tool, args] of [
        ['directory_tree', { max_depth: 20 }],
        ['glob', { pattern: '**/*', include_ignored: true }],
        ['glob', { pattern: '**/.*/**', include_ignored: true }],
        ['grep', { pattern: 'CANARY-7d1f|canary_name' }],
        ['grep', { pattern: 'CANARY', glob: '**/*', output_mode: 'files_with_matches' }],
        ['search_files', { path: '.', pattern: CANARY }],
        ['find_symbol', { name: NAME_CANARY.replaceAll('-', '_') }],
        ['outline', { path: '.' }],
        ['project_context', {}],
        ['project_context', { path: 'guided' }],
        ['project_context', { path: 'project' }],
        ['load_path_rules', { path: 'guided/x.ts' }],
        ['list_scripts', { path: 'project' }],
        ['git_status', { path: 'guided' }],
        ['batch', { calls: [{ tool: 'read_text_file', arguments: { path: '../outside/secret.txt' } }] }],
      ] as const) {
        const reply = await world.call(tool, args);
        const what = `${tool} ${JSON.stringify(args)}: ${reply.text}`;
        // The lines of a grep say the pattern back.
        const shown = reply.text.replaceAll('canary_name_51ab', '').replace(/\\"CANARY[^"]*\\"/g, '');
        assert.ok(!shown.includes(CANARY), what);
        assert.ok(!shown.includes(NAME_CANARY), what);
        assert.ok(!shown.includes(STATE_CANARY), what);
        assert.ok(!shown.includes('marker.txt'), what);
      }
      const instructions = await world.program.instructions();
      assert.ok(!instructions.includes(CANARY));
    });
  });
}

for (const mode of ['full', 'workspace', 'read-only'] as const) {
  test(`the state folder is closed in ${mode} mode, through every parameter of every tool`, async (t) => {
    const world = await new World(t, mode).start();
    const paths = pathsOfTheState(world);
    const count = await attempt({ world, paths, forbidden: [STATE_CANARY] });
    assert.ok(count >= 80, `${count} attempts`);
    if (mode === 'read-only') return;
    for (const [tool, args] of [
      ['delete_directory', { path: '.' }],
      ['delete_directory', { path: '..' }],
      ['move_file', { source: '.', destination: '../moved' }],
    ] as const) {
      const reply = await world.call(tool, args);
      assert.equal(reply.ok, false, reply.text);
    }
    const added = await world.call('git_add', { all: true });
    assert.ok(!added.text.includes('.state'), added.text);
  });
}

describe('access mode full', () => {
  test('files of processes are closed, and searches leave them out', async (t) => {
    const world = await new World(t, 'full').start();
    const { nothing: _, NUL: __, ...secrets } = pathsOfTheSystem();
    for (const [kind, path] of Object.entries(secrets)) {
      for (const tool of ['read_text_file', 'read_file_base64', 'send_file', 'outline', 'copy_file']) {
        const args = tool === 'copy_file' ? { source: path, destination: 'stolen.txt' } : { path };
        const reply = await world.call(tool, args);
        assert.equal(reply.code, 'DENIED', `${tool}, ${kind}: ${reply.text}`);
      }
    }
    const found = await world.call('grep', { path: `/proc/${process.pid}`, pattern: 'LC_TEST_SECRET' });
    assert.ok(!found.text.includes(STATE_CANARY), found.text);
  });

  test('any other path is open', async (t) => {
    const world = await new World(t, 'full').start();
    for (const path of ['../outside/secret.txt', 'link-file', 'link-dir/inner/secret.txt', '~/secret.txt']) {
      const reply = await world.call('read_text_file', { path });
      assert.ok(reply.text.includes(CANARY), `${path}: ${reply.text}`);
    }
  });
});

describe('access mode read-only', () => {
  test('lists only tools that change nothing, and no others can be called', async (t) => {
    const world = await new World(t, 'read-only').start();
    const listed = world.program.registry.list();
    assert.ok(listed.length > 20);
    assert.deepEqual(
      listed.filter(({ annotations }) => annotations['readOnlyHint'] !== true),
      [],
    );
    for (const tool of [
      'write_file',
      'run_command',
      'git_commit',
      'start_process',
      'rewind',
      'delete_file',
    ]) {
      assert.equal((await world.call(tool, {})).code, 'UNKNOWN_TOOL', tool);
    }
    await assert.rejects(world.program.services.workspace.forWriting('inside.txt'), { code: 'DENIED' });
  });

  test('what git ignores is shown by no path and no search', async (t) => {
    const world = await new World(t, 'read-only').start();
    world.git('add', '-f', '.env');
    world.git('commit', '-q', '-m', 'an ignored file');
    world.write(join(world.root, '.env'), `TOKEN=${IGNORED_CANARY}-2\n`);
    world.write(join(world.root, 'inside.txt'), 'one\nvisible change\n');
    for (const [tool, args] of [
      ['read_text_file', { path: '.env' }],
      ['read_text_file', { path: 'link-env' }],
      ['read_text_file', { path: 'secrets/key.txt' }],
      ['read_text_file', { path: 'link-secrets/key.txt' }],
      ['read_file_base64', { path: '.env' }],
      ['read_text_file', { path: '.git/config' }],
      ['list_directory', { path: 'secrets' }],
      ['send_file', { path: '.env' }],
      ['grep', { path: '.env', pattern: 'TOKEN' }],
      ['search_files', { path: 'secrets', pattern: 'CANARY' }],
      ['git_show', { ref: 'HEAD:.env' }],
      ['git_show', { ref: 'HEAD', file: '.env' }],
      ['git_show', { ref: 'HEAD' }],
      ['git_blame', { file: '.env' }],
      ['git_diff', { file: '.env' }],
      ['git_diff', { ref: 'HEAD:.env..HEAD~1:inside.txt' }],
    ] as const) {
      const reply = await world.call(tool, args);
      assert.equal(reply.ok, false, `${tool} ${JSON.stringify(args)}: ${reply.text}`);
      assert.ok(!reply.text.includes(IGNORED_CANARY), `${tool}: ${reply.text}`);
    }
    for (const [tool, args] of [
      ['glob', { pattern: '**/{.env,key.txt}', include_ignored: true }],
      ['glob', { pattern: 'secrets/*', include_ignored: true }],
      ['grep', { pattern: 'ignored', glob: '.env' }],
      ['grep', { pattern: 'ignored', glob: '**/key.txt', output_mode: 'files_with_matches' }],
      ['search_files', { path: '.', pattern: 'TOKEN', glob: '.env' }],
      ['directory_tree', {}],
      ['project_context', {}],
      ['git_diff', {}],
      ['git_diff', { ref: 'HEAD~1' }],
    ] as const) {
      const reply = await world.call(tool, args);
      const what = `${tool} ${JSON.stringify(args)}: ${reply.text}`;
      assert.equal(reply.ok, true, what);
      assert.ok(!reply.text.includes(IGNORED_CANARY) && !reply.text.includes('key.txt\\n'), what);
      if (tool === 'git_diff') assert.ok(reply.text.includes('visible change'), what);
    }
  });
});

test('without a sandbox a repository that reaches into another one is not read', async (t) => {
  const world = new World(t, 'read-only');
  const other = join(world.outside, 'repository');
  const inOther = (...args: string[]) => execFileSync('git', ['-C', other, ...args]);
  mkdirSync(other);
  inOther('init', '-q');
  world.write(join(other, 'secret.txt'), CANARY);
  inOther('add', '.');
  inOther('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', CANARY);
  const hash = inOther('rev-parse', 'HEAD').toString().trim();
  await world.start();
  const git = join(world.root, '.git');
  const attempts: Record<string, () => void> = {
    'another working tree': () => world.git('config', 'core.worktree', world.outside),
    alternates: () => world.write(join(git, 'objects/info/alternates'), `${other}/.git/objects\n`),
    'linked packs': () => symlinkSync(join(other, '.git/objects/pack'), join(git, 'objects/linked')),
    'a linked index': () => {
      rmSync(join(git, 'index'));
      symlinkSync(join(other, '.git/index'), join(git, 'index'));
    },
  };
  for (const [name, prepare] of Object.entries(attempts)) {
    prepare();
    for (const [tool, args] of [
      ['git_show', { ref: hash.slice(0, 5) }],
      ['git_show', { ref: `${hash}:secret.txt` }],
      ['git_diff', {}],
      ['git_status', {}],
      ['git_log', {}],
    ] as const) {
      const reply = await world.call(tool, args);
      assert.ok(!reply.text.includes(CANARY), `${name}, ${tool}: ${reply.text}`);
      assert.ok(!reply.text.includes(NAME_CANARY), `${name}, ${tool}: ${reply.text}`);
    }
  }
});

test('the history of another mode shows and restores nothing outside', async (t) => {
  const world = new World(t, 'workspace');
  await world.start({ access: 'full' });
  const target = join(world.outside, 'file.txt');
  const written = await world.call('write_file', { path: target, content: 'new\n' });
  const id = /"checkpoint_id\\":\\"(\w+)/.exec(written.text)?.[1];
  assert.ok(id, written.text);
  await world.program.close();
  await world.start();
  const before = world.outsideState();
  for (const args of [
    { action: 'list' },
    { action: 'preview', checkpoint_id: id },
    { action: 'restore', checkpoint_id: id },
  ]) {
    const reply = await world.call('rewind', args);
    assert.ok(!reply.text.includes(CANARY) && !reply.text.includes('file.txt'), reply.text);
  }
  assert.equal(world.outsideState(), before);
});

describe('the registry', () => {
  test('every parameter of every tool is known to be a path or not to be one', async (t) => {
    const world = await new World(t, 'full').start();
    const seen = new Set<string>();
    for (const tool of world.program.registry.tools) {
      const schema = z.toJSONSchema(tool.input, { io: 'input' }) as {
        properties?: Record<string, { type?: string }>;
      };
      for (const [name, { type }] of Object.entries(schema.properties ?? {})) {
        if (type === 'integer' || type === 'number' || type === 'boolean') continue;
        const parameter = `${tool.name}.${name}`;
        seen.add(parameter);
        const isPath = parameter in PATH_PARAMETERS;
        const isOther =
          OTHER_PARAMETERS.has(parameter) || (OTHER_PARAMETERS.has(name) && !isPath && name !== 'path');
        assert.ok(
          isPath !== isOther,
          `${parameter} is new: put it into tests/access/support/path-parameters.ts`,
        );
      }
    }
    for (const parameter of Object.keys(PATH_PARAMETERS)) {
      assert.ok(seen.has(parameter), `${parameter} is no parameter of any tool`);
    }
  });
});

describe('names of Windows that mean another file', () => {
  const refused = [
    'file.txt::$DATA',
    'file.txt:stream',
    'C:\\work\\file.txt:stream',
    'C:file.txt',
    '\\\\?\\C:\\work',
    '\\\\.\\PhysicalDrive0',
    '//./pipe/x',
    'NUL',
    'con.txt',
    'sub\\AUX',
    'COM1',
    'lpt9.log',
    'folder.\\file',
    'file ',
    'file.txt...',
    '.git ',
    'sub/.state.',
  ];
  for (const name of refused) {
    test(JSON.stringify(name), () => {
      assert.throws(() => refuseDeceptiveName(name, true), { code: 'DENIED' });
      assert.doesNotThrow(() => refuseDeceptiveName(name, false));
    });
  }

  test('ordinary names are fine', () => {
    for (const name of [
      '..foo',
      '..',
      '.',
      'a.b.c',
      'C:\\work\\file.txt',
      'C:/x',
      '\\\\server\\share\\file',
      'console.txt',
      'communication',
      'nul-bytes.md',
      '~\\file',
      'ünïcode.txt',
    ]) {
      assert.doesNotThrow(() => refuseDeceptiveName(name, true), name);
    }
  });
});

test('what was there stays as it was: links are refused, not replaced', async (t) => {
  const world = await new World(t, 'workspace').start();
  for (const path of ['link-file', 'link-dir', 'link-dangling']) {
    await world.call('write_file', { path, content: 'x' });
    assert.equal(lstatSync(join(world.root, path)).isSymbolicLink(), true, path);
  }
  assert.equal(existsSync(join(world.outside, 'not-there.txt')), false);
});
