/**
 * Makes V8's code cache for the program, the same bytes in every build. Only for the machine that builds: V8 takes no
 * cache of another architecture or version, and one that was never run is no use.
 *
 * Three things made caches of one program differ: marks of functions that were called often enough to be compiled
 * further (so nothing is, see FLAGS), numbers of functions in the order in which they were first needed (so the cache
 * is read and written once more by a process that runs none of it), and what a collected object left in padding (so
 * nothing is collected). Two caches are made and compared all the same.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIMIT_MS = 60_000;
const MAX_ATTEMPTS = 5;
/** Seeded, V8 hashes and so orders the cache the same way in every build; the cache serves any seed. */
const SEEDED = '--random-seed=1';
/** For the time of the warm-up; warm-up.mjs takes them back before it asks for the cache, which names the flags. */
const FLAGS = [
  '--no-flush-bytecode',
  '--no-sparkplug',
  '--no-profile-guided-optimization',
  '--no-memory-reducer',
  '--initial-heap-size=1024',
];

/**
 * @param {{ node: string, code: string, file: string }} options  `node` is the base, `code` the wrapped program,
 *   `file` gets the cache
 * @throws when no two attempts give the same
 */
export async function makeCodeCache({ node, code, file }) {
  const made = [];
  while (made.length < MAX_ATTEMPTS) {
    const cache = await attempt(node, code);
    if (made.some((other) => other.equals(cache))) {
      await writeFile(file, cache);
      return;
    }
    made.push(cache);
  }
  throw new Error(`${MAX_ATTEMPTS} code caches of the same program were all different.`);
}

/** Runs the program once, in a folder and a home of its own. */
async function attempt(node, code) {
  const home = await mkdtemp(join(tmpdir(), 'local-coder-build-'));
  try {
    const [workspace, first, settled] = ['workspace', 'first', 'settled'].map((name) => join(home, name));
    await mkdir(workspace);
    const options = { cwd: workspace, env: environment(home), timeout: LIMIT_MS };
    await run(
      node,
      [SEEDED, ...FLAGS, join(import.meta.dirname, 'warm-up.mjs'), code, first, workspace],
      options,
    );
    await run(node, [SEEDED, join(import.meta.dirname, 'settle-cache.cjs'), code, first, settled], options);
    return await readFile(settled);
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The caller's, without what would change the program's behaviour or show it the caller's files. */
function environment(home) {
  const own = ['HOME', 'USERPROFILE', 'LOCALAPPDATA', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME'];
  const inherited = Object.entries(process.env).filter(([name]) => !/^(LOCAL_CODER_|NODE_)/.test(name));
  return { ...Object.fromEntries(inherited), ...Object.fromEntries(own.map((name) => [name, home])) };
}
