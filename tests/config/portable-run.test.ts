import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../support/built.ts';

const unixOnly = process.platform === 'win32' ? 'only on Linux or macOS' : false;

/** Folders of a process alone, in a process of their own: they end with it. */
describe('temporary folders of a run', { skip: unixOnly }, () => {
  let base: string;
  let temporary: string;
  const children = new Set<ChildProcess>();
  before(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-run-test-')));
  });
  after(() => rm(base, { recursive: true, force: true }));
  beforeEach(async () => {
    temporary = await mkdtemp(join(base, 'tmp-'));
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
  });

  const modules = `import { runPortable } from ${JSON.stringify(pathToFileURL(join(ROOT, 'src/runtime/portable.ts')).href)};
    import { runFolder, runnable } from ${JSON.stringify(pathToFileURL(join(ROOT, 'src/runtime/run-folder.ts')).href)};`;
  /** Runs a script until it prints a line; returns that with the process. */
  const start = async (script: string) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', `${modules}\n${script}`], {
      env: { PATH: process.env['PATH'], TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.add(child);
    const ended = once(child, 'close');
    let said = '';
    child.stdout.setEncoding('utf8');
    for await (const chunk of child.stdout) {
      said += chunk;
      if (said.includes('\n')) break;
    }
    return { child, said: said.trim(), ended };
  };
  const STAYS = 'setInterval(() => {}, 1000);';

  test('end with the process: at its end, by a signal that nobody handles, by an error', async () => {
    const make = 'console.log(await runFolder());';
    for (const [script, signal, code] of [
      [make, undefined, 0],
      [make + STAYS, 'SIGTERM', 130],
      [make + STAYS, 'SIGINT', 130],
      [make + STAYS, 'SIGHUP', 130],
      [`${make} process.on('SIGTERM', () => process.exit(7)); ${STAYS}`, 'SIGTERM', 7],
    ] as const) {
      const { child, said, ended } = await start(script);
      assert.ok(said.startsWith(join(temporary, 'local-coder-run-')), said);
      if (signal !== undefined) child.kill(signal);
      assert.deepEqual(await ended, [code, null], script);
      assert.deepEqual(await readdir(temporary), []);
    }
  });

  test('of a killed process go with the next one, those of a living one stay', async () => {
    const script = `console.log(await runFolder()); ${STAYS}`;
    const [dead, living] = [await start(script), await start(script)];
    dead.child.kill('SIGKILL');
    await dead.ended;
    await mkdir(join(temporary, 'local-coder-run-of-somebody-else'));
    const next = await start(script);
    const names = () => readdir(temporary);
    const untilMs = Date.now() + 5_000;
    while ((await names()).length > 3 && Date.now() < untilMs);
    const wanted = [living.said, next.said, join(temporary, 'local-coder-run-of-somebody-else')];
    assert.deepEqual((await names()).map((name) => join(temporary, name)).sort(), wanted.sort());
  });

  test('a program that may not be started where it lies is copied, in a portable run alone', async () => {
    const file = join(temporary, 'program');
    await writeFile(file, '#!/bin/sh\necho runs\n', { mode: 0o644 });
    const asks = `console.log(String(await runnable(${JSON.stringify(file)})));`;
    assert.equal((await start(asks)).said, 'undefined');
    const { said, child } = await start(`runPortable('/media/stick/local-coder-data'); ${asks} ${STAYS}`);
    assert.match(said, /local-coder-run-.*\/program$/);
    const output = spawn(said, { stdio: ['ignore', 'pipe', 'inherit'] });
    assert.equal(String(await once(output.stdout, 'data')), 'runs\n');
    child.kill('SIGTERM');
    await once(child, 'close');

    await copyFile(process.execPath, join(temporary, 'node'));
    const own = JSON.stringify(join(temporary, 'node'));
    assert.equal(
      (await start(`runPortable('/x'); console.log(await runnable(${own}))`)).said,
      join(temporary, 'node'),
    );
    const missing = `runPortable('/x'); console.log(String(await runnable('/nowhere/program')))`;
    assert.equal((await start(missing)).said, 'undefined');
  });
});
