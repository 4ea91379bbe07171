import { join } from 'node:path';
import type { World } from './world.ts';

/** Ways to say a path that leads out of the workspace. */
export function pathsLeadingOut(world: World): Readonly<Record<string, string>> {
  const { folder, root, outside } = world;
  return {
    'two dots': '../outside/secret.txt',
    'two dots in the middle': 'sub/../../outside/secret.txt',
    'two dots behind a link inside': 'link-in/../../outside/secret.txt',
    absolute: join(outside, 'secret.txt'),
    'absolute with two dots': `${root}/../outside/secret.txt`,
    'the folder itself': outside,
    'a file that is not there': '../outside/made.txt',
    'a link to a file': 'link-file',
    'a link by an absolute name': 'link-absolute',
    'a file behind a link': 'link-dir/secret.txt',
    'a linked folder': 'link-dir',
    'a new file behind a link': 'link-dir/made.txt',
    'a chain of links': 'link-chain/secret.txt',
    'a link further down': 'sub/link-out/secret.txt',
    'a link to the parent': 'link-up/outside/secret.txt',
    'a link to the parent and back out': 'link-up/work/link-dir/secret.txt',
    'a link to /': `link-slash${outside}/secret.txt`,
    home: '~/secret.txt',
    'a linked home': 'link-home/.ssh/id_rsa',
    'a folder whose name begins like the root': `${folder}/work-sibling/secret.txt`,
    'the root in capitals': `${folder}/WORK/inside.txt`,
    'a way through another link': join(folder, 'alias', 'link-dir', 'secret.txt'),
    'the parent': '..',
    '/': '/',
    '/etc/passwd': '/etc/passwd',
    'double slashes': `//${outside}//secret.txt`,
  };
}

/** What no mode shows: process files, devices, pipes, impossible names. */
export function pathsOfTheSystem(): Readonly<Record<string, string>> {
  return {
    'the environment of the server': '/proc/self/environ',
    'the environment by number': `/proc/${process.pid}/environ`,
    'the environment of a thread': '/proc/thread-self/environ',
    'the environment of a task': `/proc/self/task/${process.pid}/environ`,
    'memory of the server': '/proc/self/mem',
    'the root of a process': '/proc/self/root/etc/passwd',
    'the folder of a process': '/proc/self/cwd',
    'the files of a process': '/proc/self/fd/0',
    'a link to the environment': 'link-proc',
    'dots on the way': '/proc/./self/../self/environ',
    NUL: 'inside.txt\0.png',
    nothing: '',
  };
}

/** Ways to say a path in the state folder, which lies inside of the root. */
export function pathsOfTheState(world: World): Readonly<Record<string, string>> {
  const { folder, root, stateDir } = world;
  return {
    'by name': '.state/marker.txt',
    absolute: join(stateDir, 'marker.txt'),
    'the folder': '.state',
    'the folder, absolute': stateDir,
    'through a link': 'link-state/marker.txt',
    'the link': 'link-state',
    'with dots': 'sub/../.state/./marker.txt',
    'from outside': join(folder, 'alias', '.state', 'marker.txt'),
    'through the parent': `link-up/work/.state/marker.txt`,
    'a new file': '.state/made.txt',
    'the database': `${root}/.state/state.db`,
    'the settings': '.state/config.json',
  };
}
