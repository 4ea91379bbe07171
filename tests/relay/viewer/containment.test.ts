import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isWindows } from '../../../src/runtime/platform.ts';
import { CANARY, type ViewerWorld, viewerWorld } from './support/world.ts';

type Attempt = readonly [
  what: string,
  tool: string,
  input: Record<string, unknown>,
  /** What it must end in; `ok` where the answer is allowed and must only be free of the canary. */
  expected: string | readonly string[],
];

/**
 * Attempts to see what the viewer does not show: a canary stands in files outside of the workspace, in ignored ones, in
 * the state folder and in what git knows of them. None of it, and no absolute path, may be in an answer.
 */
describe('containment', {
  skip: isWindows ? 'only on Linux and macOS: makes links and pipes' : false,
}, () => {
  let world: ViewerWorld;
  const cleanUp: (() => unknown)[] = [];

  before(async () => {
    world = await viewerWorld({ after: (act: () => unknown) => cleanUp.push(act) } as never, {
      ignore: ['private/', '*.secret'],
    });
    const { root, outside, write, link, git, stateDir } = world;
    await writeFile(join(outside, 'secret.txt'), `outside ${CANARY}\n`);
    await mkdir(join(outside, 'folder'));
    await writeFile(join(outside, 'folder', 'deep.txt'), `outside ${CANARY}\n`);
    await writeFile(join(stateDir, 'agent.json'), `{"token":"${CANARY}"}\n`);

    await git('init', '-q', '-b', 'main');
    await write('src/app.ts', 'export const app = "needle";\n');
    await write('src/renamed.ts', `${'line of a file that is moved\n'.repeat(8)}`);
    for (const path of [
      '.env',
      '.env.local',
      'config/.env.production',
      'node_modules/pkg/index.js',
      'dist/bundle.js',
      'build/out.txt',
      'target/debug.txt',
      '.idea/workspace.xml',
      '.gradle/cache.txt',
      'keys/id_rsa',
      'keys/server.pem',
      'keys/server.KEY',
      'private/notes.txt',
      'src/api.secret',
      'logs/today.log',
      'nested/ignored-here.txt',
    ]) {
      await write(path, `before ${CANARY}\nneedle ${CANARY}\n`);
    }
    await write('.gitignore', 'logs/\n');
    await write('nested/.gitignore', 'ignored-here.txt\n');
    // The rules of the search program must not win over the viewer's.
    await write('.ignore', '!.env\n!logs/\n!node_modules\n!private/\n!nested/ignored-here.txt\n');
    await write('.rgignore', '!.env\n!dist\n!keys/id_rsa\n');
    await git('add', '-A', '-f');
    await git('commit', '-qm', 'first');
    for (const path of ['.env', 'dist/bundle.js', 'logs/today.log', 'private/notes.txt', 'keys/server.pem']) {
      await write(path, `after ${CANARY}\nneedle ${CANARY}\n`);
    }
    await write('src/app.ts', 'export const app = "needle 2";\n');
    await git('mv', 'src/renamed.ts', 'dist/renamed.ts');
    await write('dist/renamed.ts', `${'line of a file that is moved\n'.repeat(8)}${CANARY}\n`);
    await git('add', '-f', 'dist/renamed.ts', '.env');

    await link('../outside/secret.txt', 'link-out.txt');
    await link(join(outside, 'secret.txt'), 'link-out-absolute.txt');
    await link('../outside', 'link-folder');
    await link('link-folder', 'link-to-link');
    await link('../../outside/secret.txt', 'src/link-out.txt');
    await link('.env', 'settings.txt');
    await link('../.env', 'src/settings.txt');
    await link('node_modules', 'vendor');
    await link('.git', 'repository');
    await link('../outside/missing.txt', 'dangling-out.txt');
    await link('../outside/missing', 'dangling-folder');
    await link('/proc/self/environ', 'environ');
    await link('/dev/zero', 'zero');
    await link('loop-b', 'loop-a');
    await link('loop-a', 'loop-b');
    await link('src/app.ts', 'dist-link.ts');
    await symlink(stateDir, join(root, 'state-link'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await write('huge.txt', 'x');
    await truncate(join(root, 'huge.txt'), 3 * 1024 ** 3);
    await write('binary.bin', Buffer.from(`needle\0${CANARY}\0`, 'latin1'));
  });
  after(async () => {
    for (const act of cleanUp) await act();
  });

  const OUT = 'PATH_OUTSIDE_WORKSPACE';
  const IGNORED = 'PATH_IGNORED';
  const file = (path: string, expected: Attempt[3]): Attempt => [
    `inspectFile ${JSON.stringify(path)}`,
    'inspectFile',
    { path },
    expected,
  ];
  const tree = (path: string, expected: Attempt[3]): Attempt => [
    `listTree ${JSON.stringify(path)}`,
    'listTree',
    { path, depth: 4 },
    expected,
  ];
  const search = (input: Record<string, unknown>, expected: Attempt[3]): Attempt => [
    `searchFile ${JSON.stringify(input)}`,
    'searchFile',
    { mode: 'content', query: 'canary', ...input },
    expected,
  ];
  const diff = (input: Record<string, unknown>, expected: Attempt[3]): Attempt => [
    `inspectWorkspaceDiff ${JSON.stringify(input)}`,
    'inspectWorkspaceDiff',
    input,
    expected,
  ];
  const batch = (tool: string, input: Record<string, unknown>): Attempt => [
    `batchExec ${tool} ${JSON.stringify(input)}`,
    'batchExec',
    { operations: [{ id: 'one', tool, input }] },
    'ok',
  ];

  const attempts: Attempt[] = [
    // Out by name.
    file('../outside/secret.txt', OUT),
    file('src/../../outside/secret.txt', OUT),
    file('./src/.././../outside/secret.txt', OUT),
    file('..', OUT),
    file('../root/../outside/secret.txt', OUT),
    file('/etc/passwd', OUT),
    file('//etc/passwd', OUT),
    file('/proc/self/environ', OUT),
    file('/proc/self/cwd/../outside/secret.txt', OUT),
    file('~/.ssh/id_rsa', [IGNORED, 'FILE_NOT_FOUND']),
    file('file:///etc/passwd', 'FILE_NOT_FOUND'),
    // Encodings of "..": plain names here, nothing decodes them.
    file('%2e%2e/outside/secret.txt', 'FILE_NOT_FOUND'),
    file('..%2foutside%2fsecret.txt', 'FILE_NOT_FOUND'),
    file('%252e%252e/outside/secret.txt', 'FILE_NOT_FOUND'),
    file('..\\outside\\secret.txt', 'FILE_NOT_FOUND'),
    file('\u002e\u002e/outside/secret.txt', OUT),
    file('\uff0e\uff0e/outside/secret.txt', 'FILE_NOT_FOUND'),
    file('..\u2215outside\u2215secret.txt', 'FILE_NOT_FOUND'),
    file('..;/outside/secret.txt', 'FILE_NOT_FOUND'),
    file('src/app.ts\0../../outside/secret.txt', 'INVALID_PARAMS'),
    // Out by links.
    file('link-out.txt', OUT),
    file('link-out-absolute.txt', OUT),
    file('link-folder/secret.txt', OUT),
    file('link-folder/folder/deep.txt', OUT),
    file('link-to-link/secret.txt', OUT),
    file('src/link-out.txt', OUT),
    file('link-folder/../outside/secret.txt', 'FILE_NOT_FOUND'),
    file('dangling-out.txt', OUT),
    file('dangling-folder/missing.txt', OUT),
    file('link-folder/missing.txt', OUT),
    file('environ', [OUT, IGNORED]),
    file('state-link/agent.json', [OUT, IGNORED]),
    tree('link-folder', OUT),
    tree('link-to-link/folder', OUT),
    tree('..', OUT),
    tree('/', OUT),
    // Ignored, by name, by case and through links.
    file('.env', IGNORED),
    file('.ENV', [IGNORED]),
    file('./.env', IGNORED),
    file('src/../.env', IGNORED),
    file('.env.local', IGNORED),
    file('.env.missing', IGNORED),
    file('config/.env.production', IGNORED),
    file('settings.txt', IGNORED),
    file('src/settings.txt', IGNORED),
    file('vendor/pkg/index.js', IGNORED),
    file('node_modules/pkg/index.js', IGNORED),
    file('dist/bundle.js', IGNORED),
    file('build/out.txt', IGNORED),
    file('target/debug.txt', IGNORED),
    file('.idea/workspace.xml', IGNORED),
    file('.gradle/cache.txt', IGNORED),
    file('.git/config', IGNORED),
    file('.git', IGNORED),
    file('repository/config', IGNORED),
    file('repository/HEAD', IGNORED),
    file('keys/id_rsa', IGNORED),
    file('keys/server.pem', IGNORED),
    file('keys/server.KEY', IGNORED),
    file('private/notes.txt', IGNORED),
    file('src/api.secret', IGNORED),
    file('logs/today.log', IGNORED),
    file('nested/ignored-here.txt', IGNORED),
    tree('node_modules', IGNORED),
    tree('vendor', IGNORED),
    tree('repository', IGNORED),
    tree('logs', IGNORED),
    tree('.', 'ok'),
    // Neither regular nor small nor text.
    file('zero', OUT),
    file('pipe', 'INVALID_PARAMS'),
    file('loop-a', ['INVALID_PARAMS', 'FILE_NOT_FOUND']),
    file('src', 'INVALID_PARAMS'),
    file('huge.txt', 'FILE_TOO_LARGE'),
    file('binary.bin', 'INVALID_PARAMS'),
    file('', 'INVALID_PARAMS'),
    file('a/'.repeat(2_047), ['FILE_NOT_FOUND', 'INVALID_PARAMS']),
    file('x'.repeat(300), ['FILE_NOT_FOUND', 'INVALID_PARAMS']),
    // Search.
    search({}, 'ok'),
    search({ contextLines: 3 }, 'ok'),
    search({ query: 'needle', contextLines: 3 }, 'ok'),
    search({ fileGlob: ['**/.env*'] }, 'ok'),
    search({ fileGlob: ['{.env,dist/**,logs/**,node_modules/**}'] }, 'ok'),
    search({ fileGlob: ['../outside/*'] }, 'ok'),
    search({ fileGlob: ['/**'] }, 'ok'),
    search({ pathPrefix: '.env' }, IGNORED),
    search({ pathPrefix: 'settings.txt' }, IGNORED),
    search({ pathPrefix: 'link-out.txt' }, OUT),
    search({ pathPrefix: 'link-folder' }, OUT),
    search({ pathPrefix: '../outside' }, OUT),
    search({ pathPrefix: 'node_modules' }, IGNORED),
    search({ pathPrefix: 'vendor' }, IGNORED),
    search({ pathPrefix: 'binary.bin' }, 'ok'),
    search({ pathPrefix: 'pipe' }, 'INVALID_PARAMS'),
    search({ query: '.*', fileGlob: ['!src/**'] }, 'ok'),
    search({ mode: 'path', query: 'env' }, 'ok'),
    search({ mode: 'path', query: 'secret' }, 'ok'),
    search({ mode: 'path', query: 'deep', pathPrefix: 'link-folder' }, OUT),
    search({ mode: 'path', query: '..', pathPrefix: '..' }, OUT),
    search({ query: '--pre=cat' }, 'ok'),
    search({ query: '-e canary' }, 'ok'),
    // git.
    diff({}, 'ok'),
    diff({ staged: true }, 'ok'),
    diff({ path: '.env' }, IGNORED),
    diff({ path: 'dist' }, IGNORED),
    diff({ path: 'dist/bundle.js', staged: true }, IGNORED),
    diff({ path: 'logs/today.log' }, IGNORED),
    diff({ path: '../outside' }, OUT),
    diff({ path: 'link-folder' }, OUT),
    diff({ path: ':(top).env' }, ['FILE_NOT_FOUND', 'GIT_COMMAND_FAILED', 'INVALID_PARAMS', 'ok']),
    diff({ path: '--output=pwned' }, ['FILE_NOT_FOUND', 'GIT_COMMAND_FAILED', 'INVALID_PARAMS', 'ok']),
    diff({ path: '--no-index' }, ['FILE_NOT_FOUND', 'GIT_COMMAND_FAILED', 'INVALID_PARAMS', 'ok']),
    ['describeWorkspaceChanges', 'describeWorkspaceChanges', {}, 'ok'],
    ['describeWorkspace', 'describeWorkspace', {}, 'ok'],
    // The same in a batch.
    batch('inspectFile', { path: '.env' }),
    batch('inspectFile', { path: 'link-out.txt' }),
    batch('inspectFile', { path: '../outside/secret.txt' }),
    batch('searchFile', { mode: 'content', query: 'canary' }),
    batch('inspectWorkspaceDiff', {}),
    batch('inspectWorkspaceDiff', { staged: true }),
    batch('batchExec', { operations: [{ id: 'x', tool: 'inspectFile', input: { path: '.env' } }] }),
    batch('run_command', { command: 'cat .env' }),
    batch('inspectFile', { path: 'a', workspaceId: 'other' }),
    ['another workspace', 'inspectFile', { workspaceId: 'other', path: 'x' }, 'WORKSPACE_NOT_FOUND'],
    ['a workspace by its path', 'listTree', { workspaceId: '../outside' }, 'WORKSPACE_NOT_FOUND'],
    ['a prototype', 'listTree', { workspaceId: '__proto__' }, 'WORKSPACE_NOT_FOUND'],
    ['an unknown parameter', 'listTree', { root: '/' }, 'INVALID_PARAMS'],
  ];

  test('there are more than sixty attempts', () => assert.ok(attempts.length >= 60, `${attempts.length}`));

  for (const [what, tool, input, expected] of attempts) {
    test(what, async () => {
      const outcome = await world.call(tool, input);
      const allowed = typeof expected === 'string' ? [expected] : expected;
      assert.ok(allowed.includes(outcome.code), `${outcome.code}: ${outcome.text.slice(0, 500)}`);
      assert.ok(!outcome.text.includes(CANARY), `the canary is shown: ${outcome.text.slice(0, 2_000)}`);
      assert.ok(!outcome.text.includes(world.root), `the place of the workspace is shown: ${outcome.text}`);
      assert.ok(!outcome.text.includes(world.outside), outcome.text.slice(0, 500));
    });
  }

  test('what may be shown is shown', async () => {
    const found = await world.call('searchFile', { mode: 'content', query: 'NEEDLE' });
    assert.deepEqual(found.data['matches'], [
      { path: 'src/app.ts', line: 1, preview: 'export const app = "needle 2";' },
    ]);
    const read = await world.call('inspectFile', { path: 'dist-link.ts' });
    assert.equal(read.data['content'], 'export const app = "needle 2";\n', 'a link inside is followed');
    const changes = await world.call('describeWorkspaceChanges', {});
    const paths = (changes.data['files'] as { path: string; status: string }[]).map(
      ({ path, status }) => `${status} ${path}`,
    );
    assert.ok(paths.includes('modified src/app.ts'), paths.join());
    assert.ok(paths.includes('deleted src/renamed.ts'), 'the visible side of a move to a hidden place');
    assert.ok(!paths.some((path) => /\.env|dist\/|logs|private|keys/.test(path)), paths.join());
    const shown = await world.call('inspectWorkspaceDiff', {});
    assert.match(String(shown.data['diff']), /\+export const app = "needle 2";/);
    const staged = await world.call('inspectWorkspaceDiff', { staged: true });
    assert.match(String(staged.data['diff']), /deleted file mode.*\n.*\n--- a\/src\/renamed\.ts/);
    const tree = await world.call('listTree', { path: 'src' });
    assert.deepEqual(
      (tree.data['entries'] as { path: string; type: string }[]).map(({ path, type }) => `${path} ${type}`),
      ['src/app.ts file', 'src/link-out.txt symlink', 'src/settings.txt symlink'],
    );
  });

  test('a repository whose configuration points elsewhere shows nothing of there', async () => {
    await writeFile(join(world.outside, 'app.ts'), `outside ${CANARY}\n`);
    await mkdir(join(world.outside, 'src'), { recursive: true });
    await writeFile(join(world.outside, 'src', 'app.ts'), `outside ${CANARY}\n`);
    await world.git('config', 'core.worktree', world.outside);
    for (const tool of ['inspectWorkspaceDiff', 'describeWorkspaceChanges']) {
      const outcome = await world.call(tool, {});
      assert.ok(!outcome.text.includes(CANARY), `${tool}: ${outcome.text}`);
    }
  });

  test('a file that is swapped for links while it is read', async () => {
    const { root, outside, write } = world;
    await write('swapped.txt', 'harmless\n');
    const ended = new AbortController();
    const swapping = (async () => {
      for (let turn = 0; !ended.signal.aborted; turn++) {
        const temporary = join(root, '.swap');
        const kind = turn % 24;
        if (kind > 1) await writeFile(temporary, 'harmless\n');
        else await symlink(kind === 1 ? '.env' : join(outside, 'secret.txt'), temporary);
        await rename(temporary, join(root, 'swapped.txt'));
      }
    })();
    const seen = new Map<string, number>();
    for (let round = 0; round < 150; round++) {
      const outcomes = await Promise.all([
        ...Array.from({ length: 4 }, () => world.call('inspectFile', { path: 'swapped.txt' })),
        ...(round % 10 === 0
          ? ['canary', 'harmless'].map((query) =>
              world.call('searchFile', { mode: 'content', query, pathPrefix: 'swapped.txt' }),
            )
          : []),
      ]);
      for (const { code, text } of outcomes) {
        assert.ok(!text.includes(CANARY), text);
        seen.set(code, (seen.get(code) ?? 0) + 1);
      }
    }
    ended.abort();
    await swapping;
    const allowed = ['ok', 'PATH_IGNORED', 'PATH_OUTSIDE_WORKSPACE', 'FILE_NOT_FOUND', 'INVALID_PARAMS'];
    for (const code of seen.keys()) assert.ok(allowed.includes(code), code);
    assert.ok(seen.has('ok') && seen.size > 1, JSON.stringify([...seen]));
  });

  test('a folder that becomes a link out after it was added', async () => {
    await mkdir(join(world.root, 'turncoat'));
    const moved = { workspaceId: 'moved', displayName: 'Moved', root: join(world.root, 'turncoat') };
    world.workspaces.push(moved);
    assert.equal((await world.call('listTree', { workspaceId: 'moved' })).code, 'ok');
    await rm(moved.root, { recursive: true });
    await symlink(world.outside, moved.root);
    const outcome = await world.call('listTree', { workspaceId: 'moved' });
    assert.equal(outcome.code, 'WORKSPACE_FORBIDDEN');
  });
});
