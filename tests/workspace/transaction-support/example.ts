import { createHash } from 'node:crypto';
import { chmod, link, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileCommit, takeSnapshot } from '../../../src/workspace/index.ts';

/** A small tree with every kind of change in it. */
export async function makeExample(folder: string): Promise<void> {
  await mkdir(join(folder, 'lib'), { recursive: true });
  await writeFile(join(folder, 'edited.txt'), 'old text\n'.repeat(50));
  await writeFile(join(folder, 'deleted.txt'), 'to be deleted\n');
  await writeFile(join(folder, 'lib/moved.txt'), 'to be moved\n');
  await writeFile(join(folder, 'program.sh'), '#!/bin/sh\n');
  await writeFile(join(folder, 'two-names.txt'), 'hard-linked, longer before\n'.repeat(20));
  await link(join(folder, 'two-names.txt'), join(folder, 'other-name.txt'));
  await symlink('edited.txt', join(folder, 'link'));
  await chmod(join(folder, 'program.sh'), 0o644);
}

export async function exampleCommits(folder: string): Promise<FileCommit[]> {
  const ref = (name: string) => ({ path: join(folder, name), shown: name });
  const snapshot = (name: string) => takeSnapshot(ref(name), 1 << 20);
  const moved = await snapshot('lib/moved.txt');
  const program = await snapshot('program.sh');
  return [
    {
      file: ref('edited.txt'),
      before: await snapshot('edited.txt'),
      after: { type: 'file', content: Buffer.from('new text\n') },
    },
    { file: ref('deleted.txt'), before: await snapshot('deleted.txt'), after: undefined },
    { file: ref('lib/moved.txt'), before: moved, after: undefined },
    {
      file: ref('deep/new/moved.txt'),
      before: undefined,
      after: { type: 'file', content: moved?.bytes ?? Buffer.alloc(0), like: moved },
    },
    { file: ref('new.txt'), before: undefined, after: { type: 'file', content: Buffer.from('new\n') } },
    {
      file: ref('program.sh'),
      before: program,
      after: { type: 'file', content: program?.bytes ?? Buffer.alloc(0), mode: 0o755 },
    },
    {
      file: ref('two-names.txt'),
      before: await snapshot('two-names.txt'),
      after: { type: 'file', content: Buffer.from('short\n') },
    },
    {
      file: ref('link'),
      before: { type: 'link', target: 'edited.txt' },
      after: { type: 'link', target: 'new.txt' },
    },
  ];
}

/** Every entry below a folder with type, mode and content: two equal trees are equal byte for byte. */
export async function treeOf(folder: string, below = ''): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const name of (await readdir(join(folder, below))).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    const stats = await lstat(join(folder, path));
    const mode = (stats.mode & 0o7777).toString(8);
    if (stats.isDirectory()) {
      tree[path] = `folder ${mode}`;
      Object.assign(tree, await treeOf(folder, path));
    } else if (stats.isSymbolicLink()) tree[path] = `link ${await readlink(join(folder, path))}`;
    else if (!stats.isFile()) tree[path] = 'special';
    else {
      const digest = createHash('sha256')
        .update(await readFile(join(folder, path)))
        .digest('hex');
      tree[path] = `file ${mode} ${stats.nlink} ${digest}`;
    }
  }
  return tree;
}
