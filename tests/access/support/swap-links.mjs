// Swaps what paths mean as fast as it can, until its input ends: `link` leads inside or outside, and `folder` is a real
// folder or a link to the outside. Arguments: the folder to work in, the folder outside.
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const [work, outside] = process.argv.slice(2);
const link = join(work, 'link');
const folder = join(work, 'folder');
const aside = join(work, 'aside');
const next = join(work, 'next');
mkdirSync(join(work, 'real'), { recursive: true });

let ended = false;
process.stdin.on('end', () => {
  ended = true;
});
process.stdin.resume();

function turn() {
  for (let round = 0; round < 50; round++) {
    for (const target of [outside, join(work, 'real')]) {
      symlinkSync(target, next);
      renameSync(next, link);
    }
    try {
      renameSync(folder, aside);
      symlinkSync(outside, folder);
      rmSync(folder);
      renameSync(aside, folder);
    } catch {
      // A tool made or removed something there; the link above goes on all the same.
      rmSync(folder, { recursive: true, force: true });
      rmSync(aside, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
    }
  }
  if (ended) process.exit(0);
  setImmediate(turn);
}
process.stdout.write('ready\n');
turn();
