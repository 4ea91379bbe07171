// A server in miniature that runs programs for itself, as git and ripgrep are run; to be killed by the test.
import { spawn } from 'node:child_process';
import { helperEnvironment, noticeHelper } from '../../src/runtime/long-helpers.ts';
import { runProgram } from '../../src/runtime/run-program.ts';
import { createShell } from '../../src/shell/index.ts';
import { until } from './helpers.ts';

const [stateDir = ''] = process.argv.slice(2);
const shell = createShell({ stateDir, yieldMs: 500, defaultShell: 'bash', env: process.env });
// Like a hook that hangs: the program's child is in its group. It prints its pid.
let hook = '';
const sh = ['-c', 'sleep 609 & echo $!; wait'];
const onStdout = (chunk: Buffer) => {
  hook += chunk.toString();
  return undefined;
};
runProgram('/bin/sh', sh, { cwd: '/', env: {}, onStdout }).catch(() => {});
// Like a search that does not end: in the group of the server.
const search = spawn('/bin/sleep', ['609'], { stdio: 'ignore', env: helperEnvironment({}) });
noticeHelper(search);
// At once: no helper is too young to be found.
await until(() => hook !== '', 'the hook to run');
process.stdout.write(`${JSON.stringify({ pids: [Number(hook), search.pid, shell.guardPid] })}\n`);
setInterval(() => {}, 1000);
