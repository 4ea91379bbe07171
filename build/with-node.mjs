/**
 * Runs a script with the Node that a target's executable is made of, in that version for this machine:
 *
 *     node build/with-node.mjs TARGET SCRIPT [ARGUMENT …]
 *
 * npm run test:node26 does so for those targets whose newest Node 24 is too old to build on.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname, join } from 'node:path';
import { nodeOfVersion } from './blob.mjs';
import { Packages } from './packages.mjs';
import { Store } from './store.mjs';
import { TARGETS } from './targets.mjs';

const root = join(import.meta.dirname, '..');
const [target, ...command] = process.argv.slice(2);
if (target === undefined || !Object.hasOwn(TARGETS, target) || command.length === 0) {
  process.stderr.write('Usage: node build/with-node.mjs TARGET SCRIPT [ARGUMENT …]\n');
  process.exit(2);
}
const packages = new Packages(root, new Store(join(root, '.cache/build')));
const node = await nodeOfVersion(TARGETS[target].base.version, packages);
// First on PATH, too, for what starts "node".
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
const child = spawn(node, command, { cwd: root, env, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
const [code] = await once(child, 'exit');
process.exitCode = code ?? 1;
