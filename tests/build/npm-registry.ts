/** npm in tests: its own cache, in a folder of the test, and only where the registry can be reached. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIMIT_MS = 110_000;
const isWindows = process.platform === 'win32';

/** The reason to skip; allowed in CI (tests/allowed-skips.json). */
export const UNREACHABLE = 'the npm registry cannot be reached from here';

export interface Npm {
  /** The folder that packages are installed into. */
  readonly folder: string;
  /** `npm …`, or `npx …` with that name first. @returns what it printed @throws when it fails */
  call(program: 'npm' | 'npx', args: readonly string[]): Promise<string>;
}

/** @returns undefined when the registry cannot be reached */
export async function npmIn(folder: string): Promise<Npm | undefined> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const env = {
    ...process.env,
    npm_config_cache: join(folder, '.npm-cache'),
    npm_config_fetch_retries: '0',
    npm_config_update_notifier: 'false',
    // What `npm test` tells of itself would move the installation elsewhere.
    npm_config_prefix: undefined,
    npm_config_local_prefix: undefined,
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
  };
  const call: Npm['call'] = async (program, args) => {
    const file = isWindows ? `${program}.cmd` : program;
    const { stdout } = await run(file, [...args], { cwd: folder, env, timeout: LIMIT_MS, shell: isWindows });
    return stdout;
  };
  const reached = await call('npm', ['view', 'web-tree-sitter', 'name']).catch(() => '');
  return reached.includes('web-tree-sitter') ? { folder, call } : undefined;
}
