import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../runtime/run-program.ts';
import { which } from '../../runtime/which.ts';
import { withoutFolders } from './environment.ts';
import { isWithin, realPathOf } from './paths.ts';

/** Of the user's own git configuration: who commits, and nothing that names a program or holds a credential. */
const KEYS =
  '^(user\\.(name|email)|init\\.defaultbranch|core\\.(autocrlf|eol)|pull\\.(rebase|ff)|push\\.default)$';

/**
 * Mounts that give confined programs the harmless part of the user's git configuration, as a file of its own: the
 * real one may hold credentials and name programs that are not there.
 */
export async function gitConfiguration(
  env: NodeJS.ProcessEnv,
  stateDir: string,
  roots: readonly string[],
): Promise<string[]> {
  const home = env['HOME'];
  if (home === undefined || !home.startsWith('/') || home === '/') return [];
  // A home folder that is itself served has its own configuration in reach.
  if (roots.some((root) => isWithin(home, root))) return [];
  const git = await which('git', withoutFolders(env, roots));
  if (git === undefined) return [];
  const result = await runProgram(git, ['config', '--global', '-z', '--get-regexp', KEYS], {
    cwd: '/',
    env,
    timeoutMs: 5_000,
  }).catch(() => undefined);
  const lines = (result?.stdout.toString('utf8') ?? '').split('\0').flatMap((record) => {
    const end = record.indexOf('\n');
    if (end < 0) return [];
    const [section, key] = record.slice(0, end).split('.');
    return [`[${section}]`, `\t${key} = ${quoted(record.slice(end + 1))}`];
  });
  const folder = join(stateDir, 'sandbox');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'gitconfig');
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const ignore = await realPathOf(join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'git', 'ignore'));
  return [
    '--ro-bind',
    file,
    join(home, '.gitconfig'),
    ...(ignore === undefined ? [] : ['--ro-bind', ignore, join(home, '.config', 'git', 'ignore')]),
  ];
}

function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
}
