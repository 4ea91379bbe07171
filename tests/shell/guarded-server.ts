// A server in miniature, to be killed by the test: starts what its argument says and prints what it needs to know.
import { createShell } from '../../src/shell/index.ts';
import { links } from './helpers.ts';

const [stateDir = '', root = '', command = ''] = process.argv.slice(2);
const shell = createShell({ stateDir, yieldMs: 500, defaultShell: 'bash', env: process.env });
const result = await shell.runCommand({ command, root }, links());
await shell.startProcess({ command: 'sleep 600', root }, links());
process.stdout.write(`${JSON.stringify({ output: result.stdout, guard: shell.guardPid })}\n`);
setInterval(() => {}, 1000);
