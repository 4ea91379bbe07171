import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { findScript, listScripts, scriptCommand } from '../../src/shell/index.ts';

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function project(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'local-coder-scripts-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** "name = command" of every script. */
async function scripts(files: Record<string, string>): Promise<string[]> {
  return (await listScripts(await project(files))).map(({ name, command }) => `${name} = ${command}`);
}

describe('scripts of', () => {
  const manifest = JSON.stringify({
    scripts: { test: 'node --test', 'build:prod': 'vite', "odd 'name": 'x' },
  });
  test('package.json, with the package manager of the project', async () => {
    assert.deepEqual(await scripts({ 'package.json': manifest }), [
      'test = npm run test',
      'build:prod = npm run build:prod',
      `odd 'name = npm run 'odd '\\''name'`,
    ]);
    assert.equal(
      (await scripts({ 'package.json': manifest, 'pnpm-lock.yaml': '' }))[0],
      'test = pnpm run test',
    );
    assert.equal((await scripts({ 'package.json': manifest, 'bun.lock': '' }))[0], 'test = bun run test');
    const declared = JSON.stringify({ packageManager: 'yarn@4.1.0', scripts: { a: 'b' } });
    assert.deepEqual(await scripts({ 'package.json': declared, 'package-lock.json': '' }), [
      'a = yarn run a',
    ]);
    const workspace = await project({
      '.git/HEAD': '',
      'pnpm-lock.yaml': '',
      'packages/a/package.json': manifest,
    });
    assert.equal((await listScripts(join(workspace, 'packages/a')))[0]?.command, 'pnpm run test');
  });

  test('deno.jsonc and composer.json', async () => {
    assert.deepEqual(
      await scripts({
        'deno.jsonc': '{ // tasks\n "tasks": { "dev": "deno run a.ts", "b": { "command": "x" }, }, }',
      }),
      ['dev = deno task dev', 'b = deno task b'],
    );
    const composer = JSON.stringify({ scripts: { test: ['a', 'b'], 'post-install-cmd': 'x' } });
    assert.deepEqual(await scripts({ 'composer.json': composer }), ['test = composer run-script test']);
  });

  test('Makefile, justfile and Rakefile', async () => {
    const make = [
      'CC := gcc',
      'X ?= 1',
      '.PHONY: all test',
      'all: build',
      'build test: a.o ## both',
      '\tcc',
      'a.o: a.c',
      '%.o: %.c',
      'dist/x: y',
      '$(X): z',
      'deploy:: now',
      'long \\',
      '  more: x',
      'later: A = 1',
      '# no: comment',
    ].join('\n');
    assert.deepEqual(await scripts({ Makefile: make }), [
      'all = make all',
      'build = make build',
      'test = make test',
      'deploy = make deploy',
      'long = make long',
      'more = make more',
      'later = make later',
    ]);
    const just =
      '# Build it\nbuild target="x": dep\n  cargo build\n\nversion := "1"\n_hidden:\n  x\n[private]\nsecret:\n  x\n@quiet a b:\n  y\nset shell := ["x"]\n';
    const folder = await project({ justfile: just });
    assert.deepEqual(
      (await listScripts(folder)).map(({ name, detail }) => [name, detail]),
      [
        ['build', 'target="x": Build it'],
        ['quiet', 'a b'],
      ],
    );
    assert.deepEqual(
      await scripts({
        Rakefile:
          'desc "Run"\ntask :spec => [:x] do\nend\ntask "lint"\nnamespace :db do\n  task :migrate\nend\n',
      }),
      ['spec = rake spec', 'lint = rake lint'],
    );
  });

  test('cargo, go, gradle, maven, dotnet', async () => {
    const cargo = await scripts({
      'Cargo.toml': '[package]',
      '.cargo/config.toml': '[alias]\nxtask = "run -p xtask --"\n[build]\nx = 1\n',
    });
    assert.ok(
      cargo.includes('lint = cargo clippy') &&
        cargo.includes('xtask = cargo xtask') &&
        !cargo.some((line) => line.startsWith('x =')),
    );
    assert.ok((await scripts({ 'go.mod': '' })).includes('test = go test ./...'));
    const gradle = await scripts({
      'build.gradle': 'task hello {\n}\ntasks.register("fancy") {}\n',
      gradlew: '',
    });
    assert.ok(gradle.includes('hello = ./gradlew hello') && gradle.includes('fancy = ./gradlew fancy'));
    assert.ok((await scripts({ 'pom.xml': '' })).includes('test = mvn test'));
    assert.ok((await scripts({ 'a.sln': '' })).includes('test = dotnet test'));
  });

  test('Python: poe, tox, nox, pytest, ruff', async () => {
    const pyproject =
      '[tool.poe.tasks]\nserve = "flask run"\n_internal = "x"\n[tool.poe.tasks.deploy]\ncmd = "y"\n[tool.pytest.ini_options]\n[tool.ruff]\n';
    assert.deepEqual(
      await scripts({
        'pyproject.toml': pyproject,
        'tox.ini': '[tox]\nenvlist = py311, py312\n  lint\n[testenv:docs]\n',
        'noxfile.py': '@nox.session\ndef types(s): pass\n',
      }),
      [
        'serve = poe serve',
        'deploy = poe deploy',
        'docs = tox -e docs',
        'py311 = tox -e py311',
        'py312 = tox -e py312',
        'lint = tox -e lint',
        'types = nox -s types',
        'test = python -m pytest',
        'ruff:lint = ruff check .',
        'format = ruff format .',
      ],
    );
  });

  test('damaged, huge and missing manifests', async () => {
    assert.deepEqual(
      await scripts({ 'package.json': '{ "scripts": ', 'Cargo.toml/x': '' }).then((list) =>
        list.filter((line) => line.includes('npm')),
      ),
      [],
    );
    assert.deepEqual(await scripts({ 'package.json': `{"scripts":{"a":"${'x'.repeat(2_000_000)}"}}` }), []);
    assert.deepEqual(await scripts({ 'package.json': '[]' }), []);
    await assert.rejects(listScripts('/no/such/folder'), { code: 'FILE_NOT_FOUND' });
    await assert.rejects(listScripts('/etc/hostname'), { code: 'NOT_A_DIRECTORY' });
  });

  test('two manifests with the same name, unknown names, arguments', async () => {
    const folder = await project({
      'package.json': '{"scripts":{"test":"a","lint":"b"}}',
      Makefile: 'test:\n\tx\n',
    });
    const list = await listScripts(folder);
    assert.deepEqual(
      list.map(({ name }) => name),
      ['test', 'lint', 'make:test'],
    );
    assert.equal(findScript(list, 'npm:test', folder).command, 'npm run test');
    assert.throws(() => findScript(list, 'tset', folder), {
      code: 'COMMAND_NOT_FOUND',
      message: /Did you mean "test"\?/,
      hint: /test, lint, make:test/,
    });
    const quote = (word: string) => `<${word}>`;
    assert.equal(
      scriptCommand(findScript(list, 'test', folder), ['--watch', 'a b'], quote),
      'npm run test -- <--watch> <a b>',
    );
    assert.equal(scriptCommand(findScript(list, 'make:test', folder), ['V=1'], quote), 'make test <V=1>');
  });
});
