import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { SettingName } from '../../src/config/definitions.ts';
import { loadSettings } from '../../src/config/load.ts';
import { inspectDataFolder, isPortable, MARKER_TEXT } from '../../src/config/portable.ts';
import { openStateDir } from '../../src/config/state-dir.ts';
import { UsageError } from '../../src/config/usage-error.ts';
import { movedPath } from '../../src/runtime/portable.ts';

const unixOnly = process.platform === 'win32' ? 'only on Linux or macOS' : false;

describe('portable', () => {
  const program = process.argv[1]!;
  let base: string;
  let stick: string;
  let perUser: string;
  before(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-portable-')));
  });
  after(() => rm(base, { recursive: true, force: true }));
  beforeEach(async () => {
    stick = await mkdtemp(join(base, 'stick-'));
    perUser = await mkdtemp(join(base, 'user-'));
    // The bundle, as `node local-coder.cjs` starts it.
    process.argv[1] = join(stick, 'local-coder.cjs');
    await writeFile(process.argv[1], '');
  });
  afterEach(() => {
    process.argv[1] = program;
  });

  const data = (...names: string[]) => join(stick, 'local-coder-data', ...names);
  const make = async (config?: object) => {
    await mkdir(data(), { mode: 0o700 });
    await writeFile(data('portable.json'), MARKER_TEXT);
    if (config !== undefined) await writeFile(data('config.json'), JSON.stringify(config));
  };
  const load = (flags: Partial<Record<SettingName, unknown>> = {}, env: NodeJS.ProcessEnv = {}) =>
    loadSettings(
      new Map(Object.entries(flags) as [SettingName, unknown][]),
      { XDG_STATE_HOME: perUser, LOCALAPPDATA: perUser, HOME: perUser, ...env },
      base,
    );
  const refused = (promise: Promise<unknown>, words: RegExp) =>
    assert.rejects(promise, (error: unknown) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, words);
      assert.equal(error.exitCode, 2);
      return true;
    });

  describe('which folder', () => {
    test('beside the program when it is asked for, and found there from then on', async () => {
      assert.equal(isPortable(await load()), false);
      const settings = await load({ portable: true });
      assert.equal(isPortable(settings), true);
      assert.equal(settings['state-dir'], data());
      await assert.rejects(stat(data()), 'reading the settings makes nothing');
      const opened = await openStateDir(settings['state-dir'], settings);
      assert.equal(opened.stateDir, data());
      assert.equal(opened.portable?.isKept, true);
      assert.deepEqual((await readdir(data())).sort(), ['.gitignore', 'portable.json']);
      if (!unixOnly) assert.equal((await stat(data())).mode & 0o777, 0o700);
      assert.equal((await load())['state-dir'], data());
    });

    test('what is said at the higher level wins; at one level two are one too many', async () => {
      await make();
      const other = join(base, 'other');
      const environment = { LOCAL_CODER_STATE_DIR: other };
      assert.equal((await load({}, environment))['state-dir'], other);
      assert.equal((await load({ portable: true }, environment))['state-dir'], data());
      assert.equal(
        (await load({ 'state-dir': other }, { LOCAL_CODER_PORTABLE: 'true' }))['state-dir'],
        other,
      );
      assert.equal((await load({}, { LOCAL_CODER_PORTABLE: '1' }))['state-dir'], data());
      assert.equal((await load({ portable: 'false' }, environment))['state-dir'], other);
      assert.notEqual((await load({ portable: 'false' }))['state-dir'], data());
      assert.notEqual((await load({}, { LOCAL_CODER_PORTABLE: 'false' }))['state-dir'], data());
      await refused(
        load({ portable: true, 'state-dir': other }),
        /--state-dir and --portable on the command line/,
      );
      await refused(
        load({}, { LOCAL_CODER_PORTABLE: 'true', LOCAL_CODER_STATE_DIR: other }),
        /--state-dir and --portable in the environment/,
      );
      await refused(
        load({}, { LOCAL_CODER_PORTABLE: 'perhaps' }),
        /LOCAL_CODER_PORTABLE in the environment is "perhaps"/,
      );
    });

    test("the user's configuration file may say so; a project's files may not", async () => {
      const own = (await load())['state-dir'];
      await mkdir(own, { recursive: true });
      await writeFile(join(own, 'config.json'), '{ "portable": true, "port": 4711 }');
      const settings = await load();
      assert.equal(settings['state-dir'], data());
      assert.equal(settings.port, 3000, 'the rest is read from the folder that it names');
      await rm(join(own, 'config.json'));

      const project = await mkdtemp(join(base, 'project-'));
      await writeFile(join(project, '.env'), 'LOCAL_CODER_PORTABLE=true\n');
      await writeFile(join(project, '.local-coder.json'), '{ "portable": true }');
      const flags = new Map<SettingName, unknown>();
      const served = await loadSettings(flags, { XDG_STATE_HOME: perUser, LOCALAPPDATA: perUser }, project);
      assert.equal(served.portable, false);
      assert.equal(served.warnings.length, 2);
    });

    test('its own configuration file: paths begin beside the program; it cannot unsay itself', async () => {
      await mkdir(join(stick, 'projects', 'app'), { recursive: true });
      await make({ workspace: 'projects/app', 'audit-log': 'calls.jsonl', port: 4712, portable: true });
      const settings = await load();
      assert.deepEqual(settings.workspace, [join(stick, 'projects', 'app')]);
      assert.equal(settings['audit-log'], join(stick, 'calls.jsonl'));
      assert.equal(settings.port, 4712);
      await writeFile(data('config.json'), '{ "portable": false }');
      await refused(load(), /"portable" in .*config\.json is false, but it is a portable folder/);
    });
  });

  describe('a folder that is not ours', () => {
    /** Told and not used when it is found, refused when it is asked for. */
    const isNotUsed = async (words: RegExp) => {
      const settings = await load();
      assert.equal(settings.portable, false);
      assert.equal(settings.warnings.length, 1);
      assert.match(settings.warnings[0]!, words);
      assert.match(settings.warnings[0]!, /local-coder-data is not used: /);
      await refused(load({ portable: true }), words);
    };

    test('without the marker, or with one that is none', async () => {
      await mkdir(data());
      await writeFile(data('config.json'), '{ "tools": "viewer" }');
      await isNotUsed(/was not made by this program/);
      for (const text of ['', '{}', '{ "program": "another" }', 'null']) {
        await writeFile(data('portable.json'), text);
        await isNotUsed(/was not made by this program/);
      }
      await rm(data('portable.json'));
      await mkdir(data('portable.json'));
      await isNotUsed(/was not made by this program/);
      assert.equal((await load()).tools, 'full', 'its config.json is not read');
    });

    test('empty: told when it is found, taken when it is asked for', async () => {
      await mkdir(data());
      const settings = await load();
      assert.equal(settings.portable, false);
      assert.match(settings.warnings[0]!, /it is empty\. Start once with --portable/);
      const wanted = await load({ portable: true });
      await openStateDir(wanted['state-dir'], wanted);
      assert.equal((await load()).portable, true);
    });

    test('a link, a file', { skip: unixOnly }, async () => {
      const elsewhere = await mkdtemp(join(base, 'elsewhere-'));
      await writeFile(join(elsewhere, 'portable.json'), MARKER_TEXT);
      await symlink(elsewhere, data());
      await isNotUsed(/it is a link/);
      await rm(data());
      await writeFile(data(), '');
      await isNotUsed(/it is no folder/);
    });

    test('that others may write to', { skip: unixOnly }, async () => {
      await make();
      for (const mode of [0o777, 0o770, 0o702]) {
        await chmod(data(), mode);
        await isNotUsed(/other users may write to it/);
        assert.equal((await stat(data())).mode & 0o777, mode, 'looking does not change it');
      }
      await chmod(data(), 0o755);
      assert.equal((await load()).portable, true);
    });

    test('of another user', { skip: unixOnly }, async (context) => {
      if (process.getuid?.() !== 0) return context.diagnostic('only root can give a folder away');
      await make();
      const { chown } = await import('node:fs/promises');
      await chown(data(), 12_345, 12_345);
      await isNotUsed(/it belongs to another user/);
    });

    test('put there between the look and the start', { skip: unixOnly }, async () => {
      const settings = await load({ portable: true });
      await mkdir(data());
      await writeFile(data('config.json'), '{}');
      await assert.rejects(openStateDir(settings['state-dir'], settings), /was not made by this program/);
    });
  });

  test('what is there is looked at, never changed', async () => {
    await make({ port: 1234 });
    const before = await readFile(data('config.json'), 'utf8');
    assert.deepEqual(await inspectDataFolder(data()), { kind: 'ours' });
    assert.equal(await readFile(data('config.json'), 'utf8'), before);
    assert.deepEqual((await readdir(data())).sort(), ['config.json', 'portable.json']);
  });

  test('paths follow the stick, from one system to another, too', { skip: unixOnly }, () => {
    assert.equal(movedPath('/media/a/x/y', '/media/a', '/mnt/b'), '/mnt/b/x/y');
    assert.equal(movedPath('/media/a', '/media/a', '/mnt/b'), '/mnt/b');
    assert.equal(movedPath('/media/ab/x', '/media/a', '/mnt/b'), undefined);
    assert.equal(movedPath('/home/x', '/media/a', '/mnt/b'), undefined);
    assert.equal(movedPath('E:\\app\\a.txt', 'E:\\', '/mnt/b'), '/mnt/b/app/a.txt');
    assert.equal(movedPath('E:\\tools\\app', 'E:\\tools', '/mnt/b'), '/mnt/b/app');
    assert.equal(movedPath('/media/a/with\\backslash', '/media/a', '/mnt/b'), '/mnt/b/with\\backslash');
  });
});
