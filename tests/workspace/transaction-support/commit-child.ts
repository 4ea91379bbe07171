/**
 * Makes one multi-file change over the folder of example.ts and ends. Arguments: folder, state folder.
 * With LOOP files as third argument it rewrites so many files again and again until it is killed.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { commitFiles, recoverTransactions, takeSnapshot } from '../../../src/workspace/index.ts';
import { exampleCommits } from './example.ts';

const [folder = '', stateDir = '', loop] = process.argv.slice(2);
if (loop === undefined) {
  await commitFiles(await exampleCommits(folder), { stateDir });
  process.stdout.write('done\n');
} else {
  await recoverTransactions(stateDir);
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  for (let round = 1; ; round++) {
    const commits = await Promise.all(
      names.map(async (name) => {
        const file = { path: join(folder, name), shown: name };
        const before = await takeSnapshot(file, 64 * 1024 * 1024);
        const content = Buffer.from(`${process.pid} ${round}\n${`${name} `.repeat(300)}\n`);
        return { file, before, after: { type: 'file' as const, content } };
      }),
    );
    if (round === 1) process.stdout.write('ready\n');
    await commitFiles(commits, { stateDir });
  }
}
